namespace Nacelle.Linux;

/// <summary>How a program ended, and what it wrote to its standard output.</summary>
public sealed record ProgramOutput(ExitStatus Status, byte[] Output)
{
    const int Slice = 100;

    /// <summary>Runs a program to its end with our environment and our standard error.</summary>
    /// <param name="arguments">Without the program's own name.</param>
    /// <param name="input">What it reads from its standard input.</param>
    /// <param name="largest">In bytes; a program that writes more is killed.</param>
    /// <exception cref="KernelException">It cannot be started; or EFBIG: it wrote too much.</exception>
    /// <exception cref="TimeoutException">It took longer, and was killed.</exception>
    public static ProgramOutput Of(
        string program, IReadOnlyList<string> arguments, ReadOnlySpan<byte> input, int largest, TimeSpan timeout, CancellationToken cancellation)
    {
        using var given = Files.CreateInMemory("input");
        Files.Write(given, input);
        Files.Seek(given, 0, SeekOrigin.Begin);
        var (read, write) = Files.CreatePipe(program);
        using var output = read;
        Process process;
        using (write)
        {
            var plan = new LaunchPlan();
            plan.Call("connect the input", SystemCall.dup3, plan.Descriptor(given), 0, 0);
            plan.Call("connect the output", SystemCall.dup3, plan.Descriptor(write), 1, 0);
            plan.Call("unblock signals", SystemCall.rt_sigprocmask, 2, plan.Bytes(stackalloc byte[8]), 0, 8);
            plan.Call($"exec {program}", SystemCall.execve, plan.Text(program), plan.TextArray([program, .. arguments]), plan.TextArray(Processes.Environment()));
            process = Launcher.Start(plan);
        }

        using var handle = Processes.TryOpen(process.Id);
        try
        {
            var written = ReadUntilEnd(program, output, handle, largest, timeout, cancellation);
            return new ProgramOutput(process.Wait(), written);
        }
        catch
        {
            Processes.Kill(process.Id, Signal.Kill);
            process.Wait();
            throw;
        }
    }

    /// <summary>Reads until the program has ended: what it has started and left behind may hold its output open for ever.</summary>
    static byte[] ReadUntilEnd(string program, FileDescriptor output, FileDescriptor? handle, int largest, TimeSpan timeout, CancellationToken cancellation)
    {
        long deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        var written = new MemoryStream();
        var buffer = new byte[4096];
        PollEntry[] entries = [new() { Number = output.Number, Wanted = PollEvents.Readable }, new() { Number = handle?.Number ?? -1, Wanted = PollEvents.Readable }];
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Polling.Wait(entries, Slice) == 0)
            {
                if (Environment.TickCount64 > deadline)
                {
                    throw new TimeoutException($"{program} took longer than {timeout.TotalSeconds:0} s");
                }
            }
            else if (entries[0].Number >= 0 && entries[0].Happened != PollEvents.None)
            {
                int count = Files.Read(output, buffer);
                entries[0].Number = count == 0 ? -1 : entries[0].Number;
                written.Write(buffer, 0, count);
                if (written.Length > largest)
                {
                    throw new KernelException($"read more than {largest} bytes from {program}", Errno.EFBIG);
                }
            }
            else
            {
                return written.ToArray();
            }
        }
    }
}
