namespace Nacelle.Linux;

/// <summary>What the processes of a group may use together; what is null stays as it is. See config-linux.md of the OCI runtime specification, "Control groups".</summary>
public sealed record CgroupLimits
{
    /// <summary>No limit, where a number is asked for.</summary>
    public const long Unlimited = -1;

    /// <summary>Bytes of memory, page cache included.</summary>
    public long? Memory { get; init; }

    /// <summary>Bytes of memory and swap together, as version 1 counts.</summary>
    public long? MemoryAndSwap { get; init; }

    /// <summary>Bytes that are left to the group as long as there is enough for all.</summary>
    public long? MemoryReservation { get; init; }

    /// <summary>Bytes of memory for the kernel itself. Version 1; since Linux 5.16 without effect. Version 2 counts it with the rest.</summary>
    public long? KernelMemory { get; init; }

    /// <summary>Bytes of memory for the buffers of TCP sockets. Version 1; version 2 counts it with the rest.</summary>
    public long? KernelTcpMemory { get; init; }

    /// <summary>How readily memory is swapped out, 0 to 100; version 1 alone.</summary>
    public ulong? Swappiness { get; init; }

    /// <summary>Processes wait instead of being killed when the group's memory has run out; version 1 alone.</summary>
    public bool? DisableOutOfMemoryKiller { get; init; }

    /// <summary>Groups below count towards this one's limits: a choice in version 1 before Linux 5.11, always so since and in version 2.</summary>
    public bool? UseHierarchy { get; init; }

    /// <summary>A limit of memory below what is in use is refused. Version 1 does so anyway when it cannot free enough; version 2 would kill processes.</summary>
    public bool CheckBeforeUpdate { get; init; }

    /// <summary>Microseconds of processor time in every period, on all processors together; 0 and less for no limit.</summary>
    public long? CpuQuota { get; init; }

    /// <summary>Microseconds, 1,000 to 1,000,000; 100,000 when nothing is said.</summary>
    public ulong? CpuPeriod { get; init; }

    /// <summary>Microseconds by which a period may go beyond the quota, as far as earlier ones stayed below it; at most the quota. Linux 5.14.</summary>
    public ulong? CpuBurst { get; init; }

    /// <summary>Microseconds for processes with a real-time policy in every <see cref="CpuRealtimePeriod"/>; version 1 alone.</summary>
    public long? CpuRealtimeRuntime { get; init; }

    /// <summary>Microseconds; version 1 alone.</summary>
    public ulong? CpuRealtimePeriod { get; init; }

    /// <summary>1: the group runs only when no other wants to, and <see cref="CpuShares"/> mean nothing; 0: as usual. Linux 5.15.</summary>
    public long? CpuIdle { get; init; }

    /// <summary>The share of processor time among groups that want it, 2 to 262,144, 1024 being usual.</summary>
    public ulong? CpuShares { get; init; }

    /// <summary>Processors to run on: <c>0-3,7</c>.</summary>
    public string? CpuSetProcessors { get; init; }

    /// <summary>Memory nodes to take memory from: <c>0-1</c>.</summary>
    public string? CpuSetMemoryNodes { get; init; }

    /// <summary>Processes and threads.</summary>
    public long? Pids { get; init; }

    /// <summary>The share of disk time among groups that want it, 10 to 1000.</summary>
    public ushort? BlockIoWeight { get; init; }

    /// <summary>The same for the group's own processes beside its sub-groups; version 1 before Linux 5.0.</summary>
    public ushort? BlockIoLeafWeight { get; init; }

    /// <summary>Other weights for single devices.</summary>
    public IReadOnlyList<BlockIoWeight> BlockIoWeights { get; init; } = [];

    public IReadOnlyList<BlockIoLimit> BlockIo { get; init; } = [];

    public IReadOnlyList<HugePageLimit> HugePages { get; init; } = [];

    /// <summary>The class that the group's packets carry, for traffic control; version 1 alone.</summary>
    public uint? NetworkClass { get; init; }

    /// <summary>Version 1 alone.</summary>
    public IReadOnlyList<NetworkPriority> NetworkPriorities { get; init; } = [];

    public IReadOnlyList<RdmaLimit> Rdma { get; init; } = [];

    /// <summary>Which devices may be opened and made, later rules over earlier ones, everything denied at first; null leaves access as it is.</summary>
    public IReadOnlyList<DeviceRule>? Devices { get; init; }

    /// <summary>Files of version 2 and what to write into them, for what has no name above.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Unified { get; init; } = [];

    /// <summary>The controllers that these limits take.</summary>
    public CgroupControllers Controllers =>
        ((Memory ?? MemoryAndSwap ?? MemoryReservation ?? KernelMemory ?? KernelTcpMemory) is null
            && Swappiness is null && DisableOutOfMemoryKiller is null && UseHierarchy is null ? 0 : CgroupControllers.Memory)
        | ((CpuPeriod ?? CpuShares ?? CpuBurst ?? CpuRealtimePeriod) is null && (CpuQuota ?? CpuRealtimeRuntime ?? CpuIdle) is null ? 0 : CgroupControllers.Cpu)
        | (string.IsNullOrEmpty(CpuSetProcessors) && string.IsNullOrEmpty(CpuSetMemoryNodes) ? 0 : CgroupControllers.CpuSet)
        | (Pids is null ? 0 : CgroupControllers.Pids)
        | ((BlockIoWeight ?? BlockIoLeafWeight) is null && BlockIo.Count + BlockIoWeights.Count == 0 ? 0 : CgroupControllers.BlockIo)
        | (HugePages.Count == 0 ? 0 : CgroupControllers.HugePages)
        | (NetworkClass is null ? 0 : CgroupControllers.NetworkClass)
        | (NetworkPriorities.Count == 0 ? 0 : CgroupControllers.NetworkPriority)
        | (Rdma.Count == 0 ? 0 : CgroupControllers.Rdma)
        | (Devices is null ? 0 : CgroupControllers.Devices)
        | Unified.Aggregate(CgroupControllers.None, (all, file) => all | ControllerOf(file.Key));

    /// <summary>The controller that a file of version 2 belongs to, by the first part of its name; none for the files that every group has.</summary>
    internal static CgroupControllers ControllerOf(string file) => ControllerNames.ParseUnified(file.Split('.')[0]);

    /// <summary>The weight of version 2, 1 to 10,000, for the shares of version 1.</summary>
    /// <remarks>The curve that runc and crun agreed on: it goes through both ends of both ranges and takes the usual 1024 to the usual 100.</remarks>
    public static ulong CpuWeight(ulong shares)
    {
        if (shares <= 2)
        {
            return 1;
        }

        double log = Math.Log2(Math.Min(shares, 262144));
        return (ulong)Math.Ceiling(Math.Pow(10, (((log * log) + (125 * log)) / 612) - (7.0 / 34)));
    }

    /// <summary>The weight of version 2, 1 to 10,000, for that of version 1, 10 to 1000.</summary>
    public static ulong IoWeight(ushort weight) => 1 + (((ulong)Math.Clamp(weight, (ushort)10, (ushort)1000) - 10) * 9999 / 990);
}
