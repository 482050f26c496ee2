namespace Nacelle.Linux;

/// <summary>What a group uses and has used, in full; null where the controller that counts it is missing. For a glance see <see cref="CgroupStatistics"/>.</summary>
public sealed record CgroupUsage
{
    public CpuUsage? Cpu { get; init; }

    public CpuSetUsage? CpuSet { get; init; }

    public MemoryUsage? Memory { get; init; }

    public PidsUsage? Pids { get; init; }

    public BlockIoUsage? BlockIo { get; init; }

    /// <summary>By page size, as the kernel names it: <c>2MB</c>.</summary>
    public IReadOnlyList<KeyValuePair<string, Amount>> HugePages { get; init; } = [];
}

/// <summary>How much of something is in use.</summary>
/// <param name="Usage">Now.</param>
/// <param name="Peak">The most so far; 0 where it is not counted.</param>
/// <param name="Limit">The most that may be; <see cref="ulong.MaxValue"/>, or in version 1 a number close to 2⁶³, for no limit.</param>
/// <param name="Failures">How often the limit was met.</param>
public readonly record struct Amount(ulong Usage, ulong Peak, ulong Limit, ulong Failures);

/// <summary>Processor time in nanoseconds.</summary>
/// <param name="PerProcessor">Version 1 alone, as the two that follow.</param>
/// <param name="Throttling">Null without the controller.</param>
/// <param name="Pressure">Version 2 alone.</param>
public sealed record CpuUsage(
    ulong Total, ulong User, ulong Kernel, IReadOnlyList<ulong> PerProcessor, IReadOnlyList<ulong> PerProcessorUser, IReadOnlyList<ulong> PerProcessorKernel,
    CpuThrottling? Throttling, Pressure? Pressure);

/// <param name="Periods">Periods in which the group had something to run.</param>
/// <param name="ThrottledPeriods">Those in which it used up its quota.</param>
/// <param name="ThrottledTime">Nanoseconds.</param>
/// <param name="Bursts">Periods in which it went beyond the quota, with what it had saved.</param>
/// <param name="BurstTime">Nanoseconds.</param>
public readonly record struct CpuThrottling(ulong Periods, ulong ThrottledPeriods, ulong ThrottledTime, ulong Bursts, ulong BurstTime);

/// <param name="Settings">The single numbers of version 1, named as their files without "cpuset.": <c>cpu_exclusive</c>, <c>memory_pressure</c>.</param>
public sealed record CpuSetUsage(IReadOnlyList<ushort> Processors, IReadOnlyList<ushort> MemoryNodes, IReadOnlyList<KeyValuePair<string, long>> Settings);

/// <summary>Bytes of memory.</summary>
/// <param name="Cache">Page cache.</param>
/// <param name="MemoryAndSwap">Both together, as version 1 counts; null where swap is not counted.</param>
/// <param name="Kernel">Null where it is not counted by itself.</param>
/// <param name="KernelTcp">Version 1 alone.</param>
/// <param name="Details">memory.stat as it is.</param>
/// <param name="OutOfMemoryKills">Processes killed because the group's memory had run out.</param>
public sealed record MemoryUsage(
    ulong Cache, Amount Memory, Amount? MemoryAndSwap, Amount? Kernel, Amount? KernelTcp, IReadOnlyList<KeyValuePair<string, ulong>> Details,
    ulong OutOfMemoryKills, Pressure? Pressure);

/// <summary>Processes and threads.</summary>
/// <param name="Limit"><see cref="ulong.MaxValue"/> for no limit.</param>
public readonly record struct PidsUsage(ulong Current, ulong Limit);

/// <summary>Traffic with block devices; in version 1 since Linux 6.10 only with those for which some group has a limit.</summary>
/// <param name="Bytes">Bytes moved, of the group and those below it.</param>
/// <param name="Operations">Requests, likewise.</param>
public sealed record BlockIoUsage(IReadOnlyList<BlockIoCount> Bytes, IReadOnlyList<BlockIoCount> Operations, Pressure? Pressure);

/// <param name="Operation"><c>Read</c>, <c>Write</c>, <c>Discard</c>; in version 1 also <c>Sync</c>, <c>Async</c> and <c>Total</c>.</param>
public readonly record struct BlockIoCount(DeviceNumber Device, string Operation, ulong Value);

/// <summary>How long work has stood still for want of something. See the kernel's Documentation/accounting/psi.rst.</summary>
/// <param name="Some">At least one process waited.</param>
/// <param name="Full">All that could have run waited.</param>
public readonly record struct Pressure(PressureShare Some, PressureShare Full);

/// <summary>Shares of time in percent, over the last 10, 60 and 300 seconds.</summary>
/// <param name="Total">Microseconds in all.</param>
public readonly record struct PressureShare(double Average10, double Average60, double Average300, ulong Total);
