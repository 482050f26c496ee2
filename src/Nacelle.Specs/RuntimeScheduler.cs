namespace Nacelle.Specs;

/// <summary>How the kernel gives a process its share of time. See sched_setattr(2).</summary>
/// <remarks>OCI runtime specification 1.3.0, config.md, "Linux Process".</remarks>
public sealed record RuntimeScheduler
{
    /// <summary>A name such as SCHED_FIFO.</summary>
    public required string Policy { get; init; }

    /// <summary>From -20, the most favoured, to 19.</summary>
    public int Nice { get; init; }

    /// <summary>From 1 to 99, the most favoured, with SCHED_FIFO and SCHED_RR; 0 with all others.</summary>
    public int Priority { get; init; }

    /// <summary>Names such as SCHED_FLAG_RESET_ON_FORK.</summary>
    public IReadOnlyList<string> Flags { get; init; } = [];

    /// <summary>Nanoseconds of each period that the process may run; with SCHED_DEADLINE.</summary>
    public ulong Runtime { get; init; }

    /// <summary>Nanoseconds from a period's begin until which it must have run.</summary>
    public ulong Deadline { get; init; }

    /// <summary>In nanoseconds; 0 takes the deadline.</summary>
    public ulong Period { get; init; }
}

/// <param name="Class">IOPRIO_CLASS_RT, IOPRIO_CLASS_BE or IOPRIO_CLASS_IDLE. See ioprio_set(2).</param>
/// <param name="Priority">From 0, the highest, to 7.</param>
public sealed record RuntimeIoPriority(string Class, int Priority);

/// <summary>Lists of processors such as <c>0-3,7</c>.</summary>
/// <param name="Initial">For the runtime's own process, before it enters the container's control group.</param>
/// <param name="Final">For the process afterwards; null leaves it to the kernel.</param>
public sealed record RuntimeCpuAffinity(string? Initial = null, string? Final = null);
