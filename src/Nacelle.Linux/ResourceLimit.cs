using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>What a process may use, by the numbers of RLIMIT_*, which x86-64 and arm64 share. See getrlimit(2).</summary>
public enum ResourceLimit
{
    /// <summary>Seconds of processor time.</summary>
    Cpu = 0,
    FileSize = 1,
    Data = 2,
    Stack = 3,
    Core = 4,
    ResidentSet = 5,
    Processes = 6,

    /// <summary>One more than the highest descriptor.</summary>
    OpenFiles = 7,
    LockedMemory = 8,
    AddressSpace = 9,
    Locks = 10,
    PendingSignals = 11,
    MessageQueues = 12,
    Nice = 13,
    RealTimePriority = 14,

    /// <summary>Microseconds.</summary>
    RealTimeTime = 15,
}

/// <summary>A soft limit, which counts, and a hard one, up to which a process may raise its soft one. See getrlimit(2).</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LimitRange(ulong Soft, ulong Hard)
{
    /// <summary>RLIM_INFINITY.</summary>
    public const ulong Unlimited = ulong.MaxValue;
}

/// <summary>Names of resource limits, and reading and setting them.</summary>
public static unsafe partial class ResourceLimits
{
    // In the order of their numbers.
    static readonly string[] Names =
    [
        "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_MEMLOCK",
        "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
    ];

    public static string Name(this ResourceLimit limit) => Names[(int)limit];

    /// <summary>Reads a name as the OCI runtime specification writes it: <c>RLIMIT_NOFILE</c>; also without the prefix, and in lower case.</summary>
    public static bool TryParse(string text, out ResourceLimit limit)
    {
        var name = text.StartsWith("RLIMIT_", StringComparison.OrdinalIgnoreCase) ? text : "RLIMIT_" + text;
        int number = Array.FindIndex(Names, candidate => candidate.Equals(name, StringComparison.OrdinalIgnoreCase));
        limit = (ResourceLimit)Math.Max(number, 0);
        return number >= 0;
    }

    /// <param name="limit">Which limit.</param>
    /// <param name="process">A process id; 0 is the caller.</param>
    /// <exception cref="KernelException">ESRCH: no such process; EPERM: another user's.</exception>
    public static LimitRange Get(ResourceLimit limit, int process = 0)
    {
        LimitRange range;
        // SAFETY: prlimit writes one struct rlimit64, two 64-bit numbers, which is the layout of LimitRange.
        Call.Check(prlimit64(process, (int)limit, null, &range), $"get {limit.Name()}", Whose(process));
        return range;
    }

    /// <exception cref="KernelException">EPERM: raising a hard limit takes CAP_SYS_RESOURCE; EINVAL: the soft limit is above the hard one.</exception>
    public static void Set(ResourceLimit limit, LimitRange range, int process = 0) =>
        // SAFETY: prlimit reads one struct rlimit64 from this stack frame.
        Call.Check(prlimit64(process, (int)limit, &range, null), $"set {limit.Name()} to {Text(range.Soft)}:{Text(range.Hard)}", Whose(process));

    static string Whose(int process) => process == 0 ? "" : $"for process {process}";

    static string Text(ulong value) => value == LimitRange.Unlimited ? "unlimited" : $"{value}";

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prlimit64(int process, int resource, LimitRange* newLimit, LimitRange* oldLimit);
}
