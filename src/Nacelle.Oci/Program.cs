using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Oci;
using Nacelle.Specs;
using Nacelle.Systemd;

var globals = new GlobalOptions();
Command? command = null;
try
{
    var arguments = new Arguments(args);
    globals = GlobalOptions.Take(arguments);
    if (globals.Help || arguments.Next() is not { } name || name is "help")
    {
        Output.Write(Help.Text(Commands.Find(arguments.Next())));
        return 0;
    }

    if (globals.Version)
    {
        Output.Write(VersionText.Whole);
        return 0;
    }

    command = Commands.Find(name) ?? throw new UserException($"there is no command '{name}'; see nacelle-oci --help");
    if (arguments.WantsHelp)
    {
        Output.Write(Help.Text(command));
        return 0;
    }

    // Nobody in a container may look into the memory or the descriptors of a process of ours (CVE-2016-9962).
    Processes.MakeUndumpable();
    return command.Run(globals, arguments);
}
catch (Exception problem) when (problem is KernelException or SpecException or HookException or UserException or BusException)
{
    Log.Error(globals, problem.Message);
}
catch (Exception fault)
{
    Log.Error(globals, $"this is a fault of nacelle-oci, please report it: {fault}");
}

return command?.ErrorCode ?? 1;
