using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>What one of an app's standard streams is connected to. The modes of rkt's annotations <c>coreos.com/rkt/stage2/{stdin,stdout,stderr}</c>.</summary>
enum StreamMode : byte
{
    Null,

    /// <summary>Kept in the app's log, and passed on to the pod's own output.</summary>
    Log,

    /// <summary>Open to those who attach; output is kept in the log too.</summary>
    Stream,

    /// <summary>The pod's own.</summary>
    Interactive,

    /// <summary>A terminal of the app's own, open to those who attach; output is kept in the log too.</summary>
    Terminal,
}

/// <param name="InputOnce">See <see cref="AppInput"/>.</param>
sealed record StreamModes(StreamMode Input, StreamMode Output, StreamMode Error, bool InputOnce = false)
{
    public bool Terminal => Input == StreamMode.Terminal || Output == StreamMode.Terminal || Error == StreamMode.Terminal;
}

/// <summary>An app's standard streams, for as long as the app is supervised: from one start to the next, those who are attached stay.</summary>
/// <param name="console">Where the outer side of the app's own terminal arrives.</param>
sealed class AppStreams(string app, StreamModes modes, AppLog? log, PodStreams pod, FileDescriptor? console) : IDisposable
{
    readonly AppStream?[] outputs = new AppStream?[2];
    readonly FileDescriptor?[] outputEnds = new FileDescriptor?[2];
    FileDescriptor? terminal;
    AppInput? input;

    /// <summary>Connects a plan's standard streams before its launch.</summary>
    /// <returns>What is only the app's, to be closed when it is launched.</returns>
    public IDisposable? Connect(PlanImage plan)
    {
        var inputEnd = default(FileDescriptor);
        plan.SetStandard(0, modes.Input == StreamMode.Interactive ? pod.Input : modes.Input == StreamMode.Stream ? inputEnd = MakeInput() : pod.Null);
        for (int i = 0; i < 2; i++)
        {
            var mode = i == 0 ? modes.Output : modes.Error;
            plan.SetStandard(i + 1, mode switch
            {
                StreamMode.Interactive => i == 0 ? FileDescriptor.StandardOutput : FileDescriptor.StandardError,
                StreamMode.Log or StreamMode.Stream => outputEnds[i] ??= MakeOutput(i, mode),
                _ => pod.Null,
            });
        }

        return inputEnd;
    }

    FileDescriptor MakeInput()
    {
        var (read, write) = Files.CreatePipe("input of an app");
        write.SetNonBlocking();
        input?.Dispose();
        input = new AppInput(write, modes.InputOnce);
        return read;
    }

    FileDescriptor MakeOutput(int index, StreamMode mode)
    {
        var (read, write) = Files.CreatePipe("output of an app");
        var name = index == 0 ? "stdout" : "stderr";
        outputs[index] = new AppStream(name, read, log, pod.Journal?.Of(app, name));
        if (mode == StreamMode.Log && !(index == 0 ? pod.Journal?.HasOutput : pod.Journal?.HasErrors).GetValueOrDefault())
        {
            outputs[index]!.Add(index == 0 ? FileDescriptor.StandardOutput : FileDescriptor.StandardError, shared: true);
        }

        return write;
    }

    /// <summary>Takes over the outer side of the app's terminal, which the app's plan has sent when it was launched.</summary>
    public void TakeTerminal()
    {
        if (console is null)
        {
            return;
        }

        Sockets.Receive(console, stackalloc byte[16], out var received);
        if (received is not null)
        {
            outputs[0]?.Dispose();
            input?.Dispose();
            terminal = received;
            outputs[0] = new AppStream("stdout", received.Duplicate(), log, pod.Journal?.Of(app, "stdout"));
            input = new AppInput(received.Duplicate(), once: false);
        }
    }

    /// <summary>Why the streams cannot be attached to as wanted, or null.</summary>
    public string? Attach(AttachedStreams wanted)
    {
        foreach (var (given, there, name) in (ReadOnlySpan<(FileDescriptor?, bool, string)>)
            [(wanted.Input, input is not null, "stdin"), (wanted.Output, outputs[0] is not null, "stdout"), (wanted.Error, outputs[1] is not null, "stderr")])
        {
            if (given is not null && !there)
            {
                return $"its {name} is not open to others";
            }
        }

        foreach (var descriptor in wanted.All)
        {
            descriptor.SetNonBlocking();
        }

        if (wanted.Input is { } source)
        {
            input!.Add(source);
        }

        if (wanted.Output is { } output)
        {
            outputs[0]!.Add(output, shared: false);
        }

        if (wanted.Error is { } error)
        {
            outputs[1]!.Add(error, shared: false);
        }

        return null;
    }

    public void Resize(TerminalSize size)
    {
        if (terminal is not null)
        {
            Terminal.SetSize(terminal, size);
        }
    }

    public void AddTo(PollSet set)
    {
        outputs[0]?.AddTo(set);
        outputs[1]?.AddTo(set);
        input?.AddTo(set);
    }

    /// <summary>See <see cref="AppStream.Finish"/>.</summary>
    public void Finish()
    {
        outputs[0]?.Finish();
        outputs[1]?.Finish();
    }

    /// <summary>See <see cref="AppStream.IsDone"/>.</summary>
    public bool AreDone => outputs[0]?.IsDone != false && outputs[1]?.IsDone != false;

    public void Dispose()
    {
        for (int i = 0; i < 2; i++)
        {
            outputs[i]?.Dispose();
            outputEnds[i]?.Dispose();
            outputs[i] = null;
            outputEnds[i] = null;
        }

        input?.Dispose();
        input = null;
        terminal?.Dispose();
        terminal = null;
    }
}

/// <summary>What all apps of a pod may be connected to.</summary>
/// <param name="Journal">Where all that is not for somebody alone goes, too.</param>
sealed record PodStreams(FileDescriptor Input, FileDescriptor Null, PodJournal? Journal);

/// <summary>The ends that somebody attaches: the app's input comes from the first, and its output goes to the others.</summary>
sealed record AttachedStreams(FileDescriptor? Input, FileDescriptor? Output, FileDescriptor? Error)
{
    public IEnumerable<FileDescriptor> All => ((IEnumerable<FileDescriptor?>)[Input, Output, Error]).OfType<FileDescriptor>();
}
