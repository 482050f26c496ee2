using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>Carries bytes between this process's standard streams and those of an app, until the app ends or the person leaves.</summary>
/// <remarks>At a terminal, Ctrl-P and Ctrl-Q one after the other leave the app running, as with docker and podman; a second Ctrl-P is passed on.</remarks>
sealed class AttachRelay : IDisposable
{
    const byte FirstKey = 0x10, SecondKey = 0x11;

    readonly PodControl control;
    readonly string app;
    readonly FileDescriptor? input;
    readonly List<(FileDescriptor From, FileDescriptor To)> outputs = [];
    readonly TerminalModes? before;
    readonly bool terminal;
    readonly byte[] buffer = new byte[4096];
    bool inputEnded, leaving, keyed;

    public AttachRelay(PodControl control, string app, IReadOnlyList<string> streams)
    {
        this.control = control;
        this.app = app;
        var wanted = AttachTo.None;
        var theirs = new List<FileDescriptor>();
        if (streams.Contains("stdin") || streams.Contains("tty-in"))
        {
            wanted |= AttachTo.Input;
            var (read, write) = Files.CreatePipe("input");
            input = write;
            theirs.Add(read);
        }

        foreach (var (name, flag, to) in (ReadOnlySpan<(string, AttachTo, FileDescriptor)>)
            [("stdout", AttachTo.Output, FileDescriptor.StandardOutput), ("stderr", AttachTo.Error, FileDescriptor.StandardError)])
        {
            if (streams.Contains(name) || (name == "stdout" && streams.Contains("tty-out")))
            {
                wanted |= flag;
                var (read, write) = Files.CreatePipe(name);
                outputs.Add((read, to));
                theirs.Add(write);
            }
        }

        control.Ask(new ControlMessage(ControlVerb.Attach, app, wanted), [.. theirs]);
        theirs.ForEach(end => end.Dispose());
        terminal = streams.Contains("tty-in") || streams.Contains("tty-out");
        if (streams.Contains("tty-in") && Terminal.IsTerminal(FileDescriptor.StandardInput))
        {
            before = Terminal.MakeRaw(FileDescriptor.StandardInput);
        }

        TakeSize();
    }

    /// <returns>The exit code.</returns>
    public int Run()
    {
        using var signals = Signals.Open();
        var set = new PollSet();
        while (!leaving && (outputs.Count > 0 || (input is not null && !inputEnded)))
        {
            set.Clear();
            set.Add(signals, PollEvents.Readable, () => TakeSignals(signals));
            foreach (var (from, to) in outputs)
            {
                set.Add(from, PollEvents.Readable, () => Show(from, to));
            }

            if (input is not null && !inputEnded)
            {
                set.Add(FileDescriptor.StandardInput, PollEvents.Readable, Send);
            }

            if (outputs.Count == 0)
            {
                set.Add(control.Socket, PollEvents.None, () => leaving = true);
            }

            set.Wait();
        }

        return 0;
    }

    void TakeSignals(FileDescriptor signals)
    {
        while (Signals.TryRead(signals) is { } signal)
        {
            if (signal == Signal.WindowChange)
            {
                TakeSize();
            }
            else if (signal is Signal.Terminate or Signal.Interrupt or Signal.Quit or Signal.Hangup)
            {
                leaving = true;
            }
        }
    }

    void TakeSize()
    {
        if (terminal && Terminal.IsTerminal(FileDescriptor.StandardInput))
        {
            control.Tell(new ControlMessage(ControlVerb.Resize, app, Size: Terminal.GetSize(FileDescriptor.StandardInput)));
        }
    }

    void Show(FileDescriptor from, FileDescriptor to)
    {
        int count = Files.Read(from, buffer);
        try
        {
            Files.Write(to, buffer.AsSpan(0, count));
        }
        catch (KernelException)
        {
            count = 0; // nobody looks any more
        }

        if (count == 0)
        {
            outputs.RemoveAll(output => output.From == from);
            from.Dispose();
        }
    }

    void Send()
    {
        int count = Files.Read(FileDescriptor.StandardInput, buffer);
        if (count == 0)
        {
            EndInput();
            return;
        }

        if (before is not null && IsLeaving(buffer.AsSpan(0, count)))
        {
            leaving = true;
            return;
        }

        try
        {
            Files.Write(input!, buffer.AsSpan(0, count));
        }
        catch (KernelException)
        {
            EndInput();
        }
    }

    /// <summary>A person's keys come one by one.</summary>
    bool IsLeaving(ReadOnlySpan<byte> keys)
    {
        bool second = keyed && keys[0] == SecondKey;
        keyed = keys[^1] == FirstKey;
        return second;
    }

    void EndInput()
    {
        inputEnded = true;
        input!.Dispose();
    }

    public void Dispose()
    {
        if (before is { } modes)
        {
            Terminal.SetModes(FileDescriptor.StandardInput, modes);
        }

        input?.Dispose();
        outputs.ForEach(output => output.From.Dispose());
    }
}
