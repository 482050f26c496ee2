using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

static class StartCommand
{
    public static readonly Command Definition = new("start", "ID", "run the program of a container that was created", [], Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        arguments.TakeOptions([], (_, _) => { });
        var id = arguments.Need("the container's id");
        arguments.End();
        using var container = new ContainerStore(globals.Root).Open(id, LockKind.Exclusive);
        if (container.Status is not RuntimeStatus.Created and var status)
        {
            throw new UserException($"cannot start container {id}, which is {status} and not created");
        }

        if (container.Config.Process is null)
        {
            throw new SpecException("process", "the container has nothing to run");
        }

        using var process = container.TryOpenProcess() ?? throw new UserException($"the process of container {id} has ended");
        try
        {
            Start(container, process);
            StartedHooks(container);
        }
        catch (HookException)
        {
            // runtime.md, "Lifecycle", steps 7 and 9: a hook that fails stops the container and destroys it.
            ContainerKill.AndWait(container);
            ContainerRemoval.Remove(globals, container);
            throw;
        }

        return 0;
    }

    static void Start(Container container, FileDescriptor process)
    {
        var hooks = container.Config.Hooks?.StartContainer ?? [];
        if (hooks.Count > 0)
        {
            RunStartHooks(container, process, hooks);
        }

        // Nobody reads where the process has died meanwhile: then opening fails instead of waiting.
        using var pipe = Files.Open(container.Directory.Descriptor, Container.StartPipe, OpenFlags.WriteOnly | OpenFlags.NonBlocking);
        Files.Unlink(container.Directory.Descriptor, Container.StartPipe);
        Files.Write(pipe, [1]);
        Span<PollEntry> entries = [new PollEntry { Number = pipe.Number }];
        Polling.Wait(entries); // an error is reported when the last reader is gone: the exec has closed the pipe, or the process's end has
        using var plan = Files.Open(container.Directory.Descriptor, Container.PlanFile, OpenFlags.ReadOnly);
        if (Launch.ReadFailure(plan) is { } failure)
        {
            throw failure;
        }
    }

    /// <summary>In the container, where its process has another id.</summary>
    public static void RunStartHooks(Container container, FileDescriptor process, IReadOnlyList<RuntimeHook> hooks)
    {
        var state = container.State(RuntimeStatus.Created) with { Pid = Processes.InnermostId(container.Record.Pid) };
        ContainerHooks.Run(hooks, "startContainer", state.ToJson(), JoinedContainer.Place(container, process));
    }

    static void StartedHooks(Container container)
    {
        var hooks = container.Config.Hooks?.Poststart ?? [];
        if (hooks.Count > 0)
        {
            ContainerHooks.Run(hooks, "poststart", container.State(RuntimeStatus.Running).ToJson(), new HookPlace.Runtime());
        }
    }
}
