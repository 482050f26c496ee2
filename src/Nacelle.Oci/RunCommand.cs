using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>Create, start, and, unless it runs in the background, wait and delete, in one.</summary>
static class RunCommand
{
    static readonly IReadOnlyList<Option> Options =
    [
        .. CreateOptions.All,
        new("detach|d", null, "return as soon as the program runs"),
        new("keep", null, "leave the container when it has ended, for state and delete"),
    ];

    public static readonly Command Definition = new("run", "[OPTIONS] ID", "make a container, run its program and remove it", Options, Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        var options = CreateOptions.Take(arguments, Options);
        var creation = ContainerCreation.Prepare(globals, options);
        var process = creation.Config.Process ?? throw new SpecException("process", "the container has nothing to run");
        bool relays = process.Terminal && !options.Detach && options.ConsoleSocket is null;
        using var terminal = relays ? new TerminalChannel() : null;
        using var console = terminal is null ? ConsoleSocket.Connect(options.ConsoleSocket, process) : null;
        var (container, birth) = creation.Make(terminal?.Inside ?? console, waits: false, meanwhile: options.Detach ? null : Signals.BlockOnAllThreads);
        using (container)
        {
            using (birth)
            {
                Start(globals, container, birth);
            }

            if (options.Detach)
            {
                return 0;
            }

            FileLock.Release(container.Directory.Descriptor);
            terminal?.Started();
            int code = ProcessRelay.Until(birth.Process, terminal?.Outside).ShellCode;
            if (!options.Keep)
            {
                Delete(globals, options.Id);
            }

            return code;
        }
    }

    static void Start(GlobalOptions globals, Container container, ContainerBirth birth)
    {
        try
        {
            using var process = Processes.TryOpen(birth.Process.Id) ?? throw new KernelException("open the container's process", Errno.ESRCH);
            if (container.Config.Hooks?.StartContainer is { Count: > 0 } hooks)
            {
                StartCommand.RunStartHooks(container, process, hooks);
            }

            birth.Release();
            birth.UntilExecuted();
            if (container.Config.Hooks?.Poststart is { Count: > 0 } started)
            {
                ContainerHooks.Run(started, "poststart", container.State(RuntimeStatus.Running).ToJson(), new HookPlace.Runtime());
            }
        }
        catch
        {
            ContainerKill.AndWait(container);
            ContainerRemoval.Remove(globals, container);
            throw;
        }
    }

    /// <summary>Somebody else may have deleted it, or be about to.</summary>
    static void Delete(GlobalOptions globals, string id)
    {
        using var container = new ContainerStore(globals.Root).TryOpen(id, LockKind.Exclusive);
        if (container is not null)
        {
            ContainerRemoval.Remove(globals, container);
        }
    }
}
