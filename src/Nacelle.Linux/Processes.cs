using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>How a process ended: an exit code from 0 to 255, or the signal that killed it.</summary>
public readonly record struct ExitStatus(int ExitCode, int Signal)
{
    /// <summary>As a shell reports it: the code itself, or 128 and the signal's number.</summary>
    public int ShellCode => Signal != 0 ? 128 + Signal : ExitCode;
}

/// <param name="State">R, S, D, T, Z, … as in proc_pid_stat(5).</param>
/// <param name="StartTime">In clock ticks since the machine started; with the id it tells a process from all that ever had its id.</param>
public readonly record struct ProcessStatus(char State, ulong StartTime)
{
    /// <summary>It has ended, and only its parent has not asked for it yet.</summary>
    public bool HasEnded => State is 'Z' or 'X';
}

/// <summary>A child of this process. Whoever started it waits for it.</summary>
public readonly record struct Process(int Id)
{
    public ExitStatus Wait() => Processes.Wait(Id);
}

/// <summary>Waiting for, signalling and replacing processes.</summary>
public static unsafe partial class Processes
{
    const int WNOHANG = 1, EXITED = 0x7f;

    /// <summary>Waits for a child and takes its status away. See waitpid(2).</summary>
    public static ExitStatus Wait(int pid)
    {
        int status;
        // SAFETY: waitpid writes one int.
        while (waitpid(pid, &status, 0) < 0)
        {
            if (Call.LastError != Errno.EINTR)
            {
                Call.Throw("wait for process", pid.ToString());
            }
        }

        return Decode(status);
    }

    /// <summary>Takes the status of any child that has ended.</summary>
    /// <returns>The child, or null when none has ended or there is none.</returns>
    public static (int Pid, ExitStatus Status)? TryReapAny()
    {
        int status;
        // SAFETY: waitpid writes one int.
        int pid = waitpid(-1, &status, WNOHANG);
        return pid > 0 ? (pid, Decode(status)) : null;
    }

    /// <summary>Sends a signal by process id; only for children that have not been waited for, whose id cannot be another's; negated, to the process group of that id.</summary>
    /// <returns>The reason of failure, ESRCH where there is no such process.</returns>
    public static Errno Kill(int pid, Signal signal) => kill(pid, (int)signal) == 0 ? Errno.None : Call.LastError;

    /// <summary>A descriptor that stands for this very process, whatever becomes of its id; readable when it has ended. See pidfd_open(2), Linux 5.3.</summary>
    /// <returns>Null where there is no such process.</returns>
    public static FileDescriptor? TryOpen(int pid)
    {
        nint number = pidfd_open(SystemCall.pidfd_open, pid, 0);
        return number >= 0 ? new FileDescriptor((int)number, $"process {pid}")
            : Call.LastError == Errno.ESRCH ? null
            : throw new KernelException($"open process {pid}", Call.LastError);
    }

    /// <summary>Sends a signal to the process that a descriptor of <see cref="TryOpen"/> stands for. See pidfd_send_signal(2), Linux 5.1.</summary>
    /// <returns>The reason of failure, ESRCH when it has ended.</returns>
    public static Errno Kill(FileDescriptor process, Signal signal) =>
        pidfd_send_signal(SystemCall.pidfd_send_signal, process, (int)signal, 0, 0) == 0 ? Errno.None : Call.LastError;

    /// <summary>Whether the process that a descriptor of <see cref="TryOpen"/> stands for is there: as long as it is, no other has its id.</summary>
    public static bool IsThere(FileDescriptor process) => Kill(process, 0) != Errno.ESRCH;

    /// <summary>The id that a process has in its own PID namespace. See proc_pid_status(5), NSpid.</summary>
    /// <exception cref="KernelException">ESRCH: there is no such process.</exception>
    public static int InnermostId(int pid) => TryInnermostId(pid) ?? throw new KernelException($"find the id of process {pid} in its own PID namespace", Errno.ESRCH);

    /// <summary>As <see cref="InnermostId"/>; null where there is no such process.</summary>
    public static int? TryInnermostId(int pid)
    {
        foreach (var line in (TryReadOf(pid, "status") ?? "").AsSpan().EnumerateLines())
        {
            if (line.StartsWith("NSpid:", StringComparison.Ordinal))
            {
                return int.Parse(line[(line.LastIndexOf('\t') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        return null;
    }

    /// <summary>A process may end between the opening of its file and the reading.</summary>
    static string? TryReadOf(int pid, string file)
    {
        try
        {
            return Files.TryReadText(FileDescriptor.WorkingDirectory, $"/proc/{pid}/{file}");
        }
        catch (KernelException gone) when (gone.Errno == Errno.ESRCH)
        {
            return null;
        }
    }

    /// <summary>What a process is doing and since when it is there; null where there is none of that id. See proc_pid_stat(5).</summary>
    public static ProcessStatus? TryStatus(int pid)
    {
        var text = TryReadOf(pid, "stat");
        int end = text?.LastIndexOf(')') ?? -1; // the name before it may hold anything
        if (end < 0)
        {
            return null;
        }

        const int State = 0, StartTime = 19; // fields 3 and 22
        var fields = text![(end + 2)..].Split(' ');
        return new ProcessStatus(fields[State][0], ulong.Parse(fields[StartTime], System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Replaces this process's program; descriptors marked close-on-exec are closed. Returns only when that fails, and then why.</summary>
    public static KernelException Execute(string program, IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        var plan = new LaunchPlan();
        plan.Call($"exec {program}", SystemCall.execve, plan.Text(program), plan.TextArray(arguments), plan.TextArray(environment));
        return Execute(plan);
    }

    /// <summary>Carries a plan that ends in an exec out in this process itself. Returns only when a step fails, and then why; what earlier steps did stays.</summary>
    public static KernelException Execute(LaunchPlan plan)
    {
        using var loaded = new LoadedPlan(new PlanImage(plan));
        loaded.Run();
        return loaded.Failure!;
    }

    /// <summary>Waits for a child for some time.</summary>
    /// <returns>Null when it still runs.</returns>
    public static ExitStatus? TryWait(Process child, TimeSpan patience)
    {
        using var process = TryOpen(child.Id) ?? throw new KernelException($"open process {child.Id}", Errno.ESRCH);
        return Polling.Wait([new PollEntry { Number = process.Number, Wanted = PollEvents.Readable }], (int)patience.TotalMilliseconds) > 0 ? child.Wait() : null;
    }

    /// <summary>This process's environment as KEY=VALUE.</summary>
    public static IReadOnlyList<string> Environment()
    {
        var variables = new List<string>();
        foreach (System.Collections.DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
        {
            variables.Add($"{variable.Key}={variable.Value}");
        }

        return variables;
    }

    /// <summary>Whether this process has root's user id for file access and system calls.</summary>
    public static bool IsRoot => geteuid() == 0;

    public static uint EffectiveUserId => geteuid();

    public static uint EffectiveGroupId => getegid();

    static ExitStatus Decode(int status) =>
        (status & EXITED) == 0 ? new ExitStatus((status >> 8) & 0xff, 0) : new ExitStatus(0, status & EXITED);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int pid, int* status, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc")]
    private static partial uint getegid();

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint pidfd_open(nint number, nint pid, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint pidfd_send_signal(nint number, FileDescriptor process, nint signal, nint info, nint flags);
}
