using Nacelle.Linux;

namespace Nacelle.Containers;

/// <summary>A process's face outside its container: passes signals in, carries the terminal's bytes both ways, and waits for the end.</summary>
public static class ProcessRelay
{
    /// <param name="child">A child of this process, whose signals come by descriptor: they are blocked on all threads.</param>
    /// <param name="terminal">A socket on which the terminal's outer side arrives; null without a terminal.</param>
    /// <param name="other">One thing more to wait for.</param>
    /// <param name="wait">Waits for the entries; <see cref="Polling.Wait"/> unless set.</param>
    public static ExitStatus Until(Process child, FileDescriptor? terminal, RelaySource? other = null, Action<PollEntry[]>? wait = null)
    {
        using var signals = Signals.Open();
        using var relay = terminal is null ? null : TerminalRelay.Receive(terminal);
        using var process = Processes.TryOpen(child.Id) ?? throw new KernelException($"open process {child.Id}", Errno.ESRCH);
        var entries = new PollEntry[5];
        while (true)
        {
            entries[0] = new PollEntry { Number = process.Number, Wanted = PollEvents.Readable };
            entries[1] = new PollEntry { Number = signals.Number, Wanted = PollEvents.Readable };
            entries[2] = entries[3] = new PollEntry { Number = -1 };
            entries[4] = new PollEntry { Number = other?.Descriptor.Number ?? -1, Wanted = PollEvents.Readable };
            relay?.Prepare(entries.AsSpan(2));
            (wait ?? (all => Polling.Wait(all)))(entries);
            relay?.Transfer(entries.AsSpan(2));
            if ((entries[4].Happened & PollEvents.Readable) != 0)
            {
                other!.Happened();
            }

            while (entries[1].Happened != PollEvents.None && Signals.TryRead(signals) is { } signal)
            {
                Pass(signal, process, relay);
            }

            if (entries[0].Happened != PollEvents.None)
            {
                relay?.Drain();
                return child.Wait();
            }
        }
    }

    static void Pass(Signal signal, FileDescriptor process, TerminalRelay? relay)
    {
        switch (signal)
        {
            case Signal.WindowChange:
                relay?.TakeSize();
                break;
            case Signal.Terminate or Signal.Interrupt or Signal.Quit or Signal.Hangup or Signal.User1 or Signal.User2 or Signal.Power:
                Processes.Kill(process, signal == Signal.Hangup && relay is not null ? Signal.Terminate : signal);
                break;
        }
    }
}

/// <param name="Happened">Called when there is something to read.</param>
public sealed record RelaySource(FileDescriptor Descriptor, Action Happened);
