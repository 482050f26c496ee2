using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Specs;
using Nacelle.Supervisor;

// One executable for all that stage1 does: the name it is called by, or its first argument, says which part is wanted.
var command = Environment.GetCommandLineArgs()[0];
var verb = command[(command.LastIndexOf('/') + 1)..];
if (verb is "nacelle-init" && args.Length > 0)
{
    verb = args[0];
    args = args[1..];
}

try
{
    // Nobody in a pod may look into the memory or the descriptors of a process of ours (CVE-2016-9962).
    Processes.MakeUndumpable();
    return verb switch
    {
        "run" => Stage1Run.Run(Stage1Options.Parse(args), command, args),
        "enter" => Stage1Enter.Enter(args),
        "stop" => Stage1Stop.Stop(args),
        "gc" => Stage1Collect.Collect(args),
        "app-add" => Stage1AppAdd.Add(args),
        "app-start" => Stage1AppStart.Start(args),
        "app-stop" => Stage1AppStop.Stop(args),
        "app-rm" => Stage1AppRemove.Remove(args),
        "attach" => Stage1Attach.Attach(args),
        "supervise" => PodSupervisor.Start(int.Parse(args[0]), int.Parse(args[1])),
        _ => throw new Stage1Exception($"'{verb}' is no entry point of stage1: nacelle-init is started by nacelle"),
    };
}
catch (Exception problem) when (problem is KernelException or SpecException or Stage1Exception or NetworkException)
{
    Messages.Error(problem.Message);
    return Messages.OwnError;
}
catch (Exception fault)
{
    Messages.Error($"this is a fault of nacelle-init, please report it: {fault}");
    return Messages.OwnError;
}
