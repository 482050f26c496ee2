using Nacelle.Containers;
using Nacelle.Flavors;
using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Specs;

// One executable for the flavors of stage1 that are images: the last two names of the path it is called by say which flavor and which entry point.
var names = Environment.GetCommandLineArgs()[0].Split('/');
var entryPoint = string.Join('/', names.TakeLast(2));
try
{
    Processes.MakeUndumpable();
    return entryPoint switch
    {
        "fly/run" => FlyRun.Run(Stage1Options.Parse(args)),
        "fly/enter" => FlyEnter.Enter(args),
        "fly/stop" => PodProcess.Stop(args),
        "oci/run" => OciRun.Run(Stage1Options.Parse(args)),
        "oci/init" => PodInit.Run(),
        "oci/enter" => OciEnter.Enter(args),
        "oci/stop" => PodProcess.Stop(args, OciRun.ProcessIdPath),
        "oci/gc" => OciCollect.Collect(args),
        "systemd/run" => SystemdRun.Run(Stage1Options.Parse(args)),
        "systemd/prepare-app" => SystemdPrepareApp.Run(args[0]),
        "systemd/ready" => MakeReady(),
        "systemd/enter" => SystemdEnter.Enter(args),
        "systemd/gc" => CollectNetworks(),
        "systemd/stop" => PodProcess.Stop(args, "ppid"),
        _ => throw new FlavorException($"'{entryPoint}' is no entry point: nacelle-flavors is part of stage1 images, and started by nacelle"),
    };
}
catch (Exception problem) when (problem is KernelException or SpecException or FlavorException or NetworkException)
{
    Messages.Error(problem.Message);
    return Messages.OwnError;
}
catch (Exception fault)
{
    Messages.Error($"this is a fault of nacelle, please report it: {fault}");
    return Messages.OwnError;
}

static int CollectNetworks()
{
    if (PlannedNetworks.Collect() is { } problem)
    {
        throw new FlavorException(problem);
    }

    return 0;
}

static int MakeReady()
{
    Files.MakeSymlink("ready", FileDescriptor.WorkingDirectory, "/rkt/supervisor-status");
    return 0;
}
