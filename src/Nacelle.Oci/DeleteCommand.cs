using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

static class DeleteCommand
{
    public static readonly Command Definition = new(
        "delete", "[--force] ID", "remove a container that has ended", [new("force|f", null, "kill it first where it has not; nothing is said when there is none")], Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        bool force = false;
        void Take(string name, string value) => force = value == "true";
        arguments.TakeOptions(Definition.Options, Take);
        var id = arguments.Need("the container's id");
        arguments.TakeOptions(Definition.Options, Take);
        arguments.End();
        var store = new ContainerStore(globals.Root);
        using var container = force ? store.TryOpen(id, LockKind.Exclusive) : store.Open(id, LockKind.Exclusive);
        if (container is null)
        {
            return 0;
        }

        if (force)
        {
            ContainerKill.AndWait(container);
        }
        else if (container.Status is not RuntimeStatus.Stopped and var status)
        {
            throw new UserException($"cannot delete container {id}, which is {status}: stop it first, or use --force");
        }

        ContainerRemoval.Remove(globals, container);
        return 0;
    }
}
