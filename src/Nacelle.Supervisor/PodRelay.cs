using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>The pod's face outside: passes signals in, carries the terminal's bytes both ways, and waits for the end.</summary>
static class PodRelay
{
    public static ExitStatus Until(Process init, FileDescriptor socket, bool terminal)
    {
        using var signals = Signals.Open();
        using var relay = terminal ? TerminalRelay.Receive(socket) : null;
        using var process = Processes.TryOpen(init.Id) ?? throw new Stage1Exception("the pod's PID 1 has vanished");
        Span<PollEntry> entries = stackalloc PollEntry[4];
        while (true)
        {
            entries[0] = new PollEntry { Number = process.Number, Wanted = PollEvents.Readable };
            entries[1] = new PollEntry { Number = signals.Number, Wanted = PollEvents.Readable };
            entries[2] = entries[3] = new PollEntry { Number = -1 };
            relay?.Prepare(entries[2..]);
            Idle.Wait(entries);
            relay?.Transfer(entries[2..]);
            while (entries[1].Happened != PollEvents.None && Signals.TryRead(signals) is { } signal)
            {
                Pass(signal, process, relay);
            }

            if (entries[0].Happened != PollEvents.None)
            {
                relay?.Drain();
                return init.Wait();
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
