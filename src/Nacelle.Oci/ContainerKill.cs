using Nacelle.Containers;
using Nacelle.Linux;

namespace Nacelle.Oci;

/// <summary>Ends all that runs in a container.</summary>
static class ContainerKill
{
    const int Patience = 10_000;

    /// <summary>Sends a signal to every process of the container.</summary>
    public static void All(Container container, Signal signal)
    {
        using var group = container.OpenCgroup();
        if (group is null)
        {
            using var process = container.TryOpenProcess();
            if (process is not null)
            {
                Processes.Kill(process, signal);
            }
        }
        else if (signal == Signal.Kill)
        {
            group.Kill();
        }
        else
        {
            group.Send(signal);
        }
    }

    /// <summary>A process that stands still in a version 1 group dies of SIGKILL only when it is let go.</summary>
    public static void Thaw(Container container)
    {
        using var group = container.OpenCgroup();
        if (group is { IsFrozen: true })
        {
            group.Thaw();
        }
    }

    /// <summary>Kills everything and waits until the first process is gone.</summary>
    /// <exception cref="UserException">It does not go: it waits within the kernel for something that does not come.</exception>
    public static void AndWait(Container container)
    {
        using var process = container.TryOpenProcess();
        if (process is not null)
        {
            Processes.Kill(process, Signal.Kill);
        }

        All(container, Signal.Kill);
        Span<PollEntry> entries = [new PollEntry { Number = process?.Number ?? -1, Wanted = PollEvents.Readable }];
        if (process is not null && Polling.Wait(entries, Patience) == 0)
        {
            throw new UserException($"process {container.Record.Pid} of container {container.Id} has been killed, and does not end: it waits in the kernel (state {Processes.TryStatus(container.Record.Pid)?.State})");
        }
    }
}
