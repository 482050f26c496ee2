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

    /// <summary>Microseconds of processor time in every period, on all processors together.</summary>
    public long? CpuQuota { get; init; }

    /// <summary>Microseconds, 1,000 to 1,000,000; 100,000 when nothing is said.</summary>
    public ulong? CpuPeriod { get; init; }

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

    public IReadOnlyList<BlockIoLimit> BlockIo { get; init; } = [];

    public IReadOnlyList<HugePageLimit> HugePages { get; init; } = [];

    /// <summary>Which devices may be opened and made, later rules over earlier ones, everything denied at first; null leaves access as it is.</summary>
    public IReadOnlyList<DeviceRule>? Devices { get; init; }

    /// <summary>Files of version 2 and what to write into them, for what has no name above.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Unified { get; init; } = [];

    /// <summary>The controllers that these limits take.</summary>
    public CgroupControllers Controllers =>
        ((Memory ?? MemoryAndSwap ?? MemoryReservation) is null ? 0 : CgroupControllers.Memory)
        | (CpuQuota is null && CpuPeriod is null && CpuShares is null ? 0 : CgroupControllers.Cpu)
        | (CpuSetProcessors is null && CpuSetMemoryNodes is null ? 0 : CgroupControllers.CpuSet)
        | (Pids is null ? 0 : CgroupControllers.Pids)
        | (BlockIoWeight is null && BlockIo.Count == 0 ? 0 : CgroupControllers.BlockIo)
        | (HugePages.Count == 0 ? 0 : CgroupControllers.HugePages)
        | (Devices is null ? 0 : CgroupControllers.Devices)
        | Unified.Aggregate(CgroupControllers.None, (all, file) => all | CgroupLayout.ParseUnified(file.Key.Split('.')[0]));

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

/// <summary>Limits for one block device, per second; null for none.</summary>
public readonly record struct BlockIoLimit(DeviceNumber Device, ulong? ReadBytes = null, ulong? WriteBytes = null, ulong? Reads = null, ulong? Writes = null);

/// <param name="PageSize">As the kernel names it: <c>2MB</c>, <c>1GB</c>.</param>
/// <param name="Bytes">The most that may be used.</param>
public readonly record struct HugePageLimit(string PageSize, ulong Bytes);

/// <summary>A limit that could not be set, and why, as in <c>memory.max: the 'memory' controller is not available</c>.</summary>
public readonly record struct UnsetLimit(string Limit, string Reason)
{
    public override string ToString() => $"{Limit}: {Reason}";
}
