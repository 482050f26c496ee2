namespace Nacelle.Linux;

/// <summary>A program that is to be run to its end.</summary>
/// <param name="Arguments">Without the program's own name.</param>
public sealed record ProgramCall(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>What it reads from its standard input.</summary>
    public ReadOnlyMemory<byte> Input { get; init; }

    /// <summary>All of its environment, as KEY=VALUE; null for ours.</summary>
    public IReadOnlyList<string>? Environment { get; init; }

    /// <summary>In bytes; a program that writes more is killed.</summary>
    public required int LargestOutput { get; init; }

    /// <summary>A program that takes longer is killed.</summary>
    public required TimeSpan Timeout { get; init; }

    public ProgramTies Ties { get; init; }

    /// <summary>What it finds open as its descriptor 3, where it shares nothing else; null for nothing. It stays the caller's.</summary>
    public FileDescriptor? Given { get; init; }
}

/// <summary>What a program shares with us.</summary>
public enum ProgramTies
{
    /// <summary>Our session with its terminal, the descriptors that an exec keeps, and our standard error.</summary>
    Shared,

    /// <summary>Nothing: it has a session and a process group of its own, which is killed as a whole, and what it writes to its standard error is kept.</summary>
    Cut,
}

/// <summary>How a program ended, and what it wrote to its standard output.</summary>
public sealed record ProgramOutput(ExitStatus Status, byte[] Output)
{
    const int Slice = 100, LongestErrors = 4096;

    /// <summary>The end of what it wrote to its standard error, where that was kept.</summary>
    public byte[] Errors { get; private init; } = [];

    /// <summary>Runs a program to its end with our environment and our standard error.</summary>
    /// <param name="arguments">Without the program's own name.</param>
    /// <param name="input">What it reads from its standard input.</param>
    /// <param name="largest">In bytes; a program that writes more is killed.</param>
    /// <exception cref="KernelException">It cannot be started; or EFBIG: it wrote too much.</exception>
    /// <exception cref="TimeoutException">It took longer, and was killed.</exception>
    public static ProgramOutput Of(
        string program, IReadOnlyList<string> arguments, ReadOnlySpan<byte> input, int largest, TimeSpan timeout, CancellationToken cancellation) =>
        Of(new ProgramCall(program, arguments) { Input = input.ToArray(), LargestOutput = largest, Timeout = timeout }, cancellation);

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="KernelException">It cannot be started; or EFBIG: it wrote too much.</exception>
    /// <exception cref="TimeoutException">It took longer, and was killed.</exception>
    public static ProgramOutput Of(ProgramCall call, CancellationToken cancellation = default)
    {
        using var given = Files.CreateInMemory("input");
        Files.Write(given, call.Input.Span);
        Files.Seek(given, 0, SeekOrigin.Begin);
        var (outputs, output) = Files.CreatePipe(call.Program);
        var (errors, error) = Files.CreatePipe(call.Program);
        using (outputs)
        using (errors)
        {
            Process process;
            using (output)
            using (error)
            {
                process = Start(call, given, output, error);
            }

            using var handle = Processes.TryOpen(process.Id);
            try
            {
                var (written, complaints) = ReadUntilEnd(call, outputs, errors, handle, cancellation);
                return new ProgramOutput(process.Wait(), written) { Errors = complaints };
            }
            catch
            {
                Processes.Kill(call.Ties == ProgramTies.Cut ? -process.Id : process.Id, Signal.Kill);
                process.Wait();
                throw;
            }
        }
    }

    static Process Start(ProgramCall call, FileDescriptor input, FileDescriptor output, FileDescriptor error)
    {
        var plan = new LaunchPlan();
        plan.Call("connect the input", SystemCall.dup3, plan.Descriptor(input), 0, 0);
        plan.Call("connect the output", SystemCall.dup3, plan.Descriptor(output), 1, 0);
        if (call.Ties == ProgramTies.Cut)
        {
            const int First = 3, CLOSE_RANGE_CLOEXEC = 4;
            plan.Call("connect the standard error", SystemCall.dup3, plan.Descriptor(error), 2, 0);
            plan.Call("close descriptors", SystemCall.close_range, First, uint.MaxValue, CLOSE_RANGE_CLOEXEC);
            if (call.Given is { } given)
            {
                KeepAsThird(plan, given);
            }

            plan.Call("start a session", SystemCall.setsid);
        }

        plan.Call("unblock signals", SystemCall.rt_sigprocmask, 2, plan.Bytes(stackalloc byte[8]), 0, 8);
        plan.Call(
            $"exec {call.Program}", SystemCall.execve, plan.Text(call.Program), plan.TextArray([call.Program, .. call.Arguments]), plan.TextArray(call.Environment ?? Processes.Environment()));
        return Launcher.Start(plan);
    }

    /// <summary>Also where it is the third already, of which a copy onto itself would be an error.</summary>
    static void KeepAsThird(LaunchPlan plan, FileDescriptor given)
    {
        const int Third = 3, F_SETFD = 2;
        if (given.Number == Third)
        {
            plan.Call("keep a descriptor", SystemCall.fcntl, plan.Descriptor(given), F_SETFD, 0);
        }
        else
        {
            plan.Call("give a descriptor", SystemCall.dup3, plan.Descriptor(given), Third, 0);
        }
    }

    /// <summary>Reads until the program has ended: what it has started and left behind may hold its output open for ever.</summary>
    static (byte[] Output, byte[] Errors) ReadUntilEnd(ProgramCall call, FileDescriptor output, FileDescriptor errors, FileDescriptor? handle, CancellationToken cancellation)
    {
        long deadline = Environment.TickCount64 + (long)call.Timeout.TotalMilliseconds;
        var written = new MemoryStream();
        var complaints = new MemoryStream();
        PollEntry[] entries =
        [
            new() { Number = output.Number, Wanted = PollEvents.Readable }, new() { Number = errors.Number, Wanted = PollEvents.Readable },
            new() { Number = handle?.Number ?? -1, Wanted = PollEvents.Readable },
        ];
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Environment.TickCount64 > deadline)
            {
                throw new TimeoutException($"{call.Program} took longer than {call.Timeout.TotalSeconds:0} s");
            }

            if (Polling.Wait(entries, Slice) == 0)
            {
                continue;
            }

            if (!Take(output, ref entries[0], written) & !Take(errors, ref entries[1], complaints))
            {
                return (written.ToArray(), Tail(complaints));
            }

            if (written.Length > call.LargestOutput)
            {
                throw new KernelException($"read more than {call.LargestOutput} bytes from {call.Program}", Errno.EFBIG);
            }

            if (complaints.Length > 2 * LongestErrors)
            {
                var tail = Tail(complaints);
                complaints.SetLength(0);
                complaints.Write(tail);
            }
        }
    }

    /// <returns>Whether there was something to do.</returns>
    static bool Take(FileDescriptor pipe, ref PollEntry entry, MemoryStream into)
    {
        if (entry.Number < 0 || entry.Happened == PollEvents.None)
        {
            return false;
        }

        Span<byte> buffer = stackalloc byte[4096];
        int count = Files.Read(pipe, buffer);
        entry.Number = count == 0 ? -1 : entry.Number;
        into.Write(buffer[..count]);
        return true;
    }

    static byte[] Tail(MemoryStream stream) => stream.ToArray()[(int)Math.Max(0, stream.Length - LongestErrors)..];
}
