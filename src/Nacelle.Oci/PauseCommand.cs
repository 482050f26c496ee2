using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

static class PauseCommand
{
    public static readonly Command Definition = new("pause", "ID", "stop all processes of a container where they are", [], Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        arguments.TakeOptions([], (_, _) => { });
        var id = arguments.Need("the container's id");
        arguments.End();
        using var container = new ContainerStore(globals.Root).Open(id, LockKind.Exclusive);
        if (container.Status is not (RuntimeStatus.Running or RuntimeStatus.Created) and var status)
        {
            throw new UserException($"cannot pause container {id}, which is {status}");
        }

        using var group = container.OpenCgroup() ?? throw new UserException($"cannot pause container {id}, which has no control group of its own");
        group.Freeze();
        return 0;
    }
}

static class ResumeCommand
{
    public static readonly Command Definition = new("resume", "ID", "let the processes of a paused container go on", [], Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        arguments.TakeOptions([], (_, _) => { });
        var id = arguments.Need("the container's id");
        arguments.End();
        using var container = new ContainerStore(globals.Root).Open(id, LockKind.Exclusive);
        using var group = container.OpenCgroup();
        if (group is not { IsFrozen: true })
        {
            throw new UserException($"cannot resume container {id}, which is {container.Status} and not paused");
        }

        group.Thaw();
        return 0;
    }
}
