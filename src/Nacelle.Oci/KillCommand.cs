using Nacelle.Linux;

namespace Nacelle.Oci;

static class KillCommand
{
    public static readonly Command Definition = new(
        "kill", "[--all] ID [SIGNAL]", "send a signal to a container's process (default: TERM)",
        [new("all|a", null, "to all processes of the container; succeeds although its first process has ended")], Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        bool all = false;
        void Take(string name, string value) => all = value == "true";
        arguments.TakeOptions(Definition.Options, Take);
        var id = arguments.Need("the container's id");
        arguments.TakeOptions(Definition.Options, Take);
        var name = arguments.Next() ?? "TERM";
        arguments.End();
        var signal = SignalNames.Parse(name) ?? throw new UserException($"'{name}' is no signal");
        using var container = new ContainerStore(globals.Root).Open(id);
        using var process = container.TryOpenProcess();
        if (all)
        {
            ContainerKill.All(container, signal);
        }
        else if (process is null || Processes.Kill(process, signal) == Errno.ESRCH)
        {
            throw new UserException($"cannot kill container {id}: container not running");
        }
        else if (signal == Signal.Kill)
        {
            ContainerKill.Thaw(container);
        }

        return 0;
    }
}
