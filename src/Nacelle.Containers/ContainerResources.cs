using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The resources of a config.json as limits of a control group.</summary>
/// <remarks>OCI runtime specification 1.3.0, config-linux.md, "Control groups".</remarks>
public static class ContainerResources
{
    /// <param name="devices">The rules behind those of the resources, which often begin by denying everything; null leaves access to devices as it is.</param>
    public static CgroupLimits ToLimits(RuntimeResources resources, IReadOnlyList<DeviceRule>? devices)
    {
        // Engines write 0 for what they do not set; only for pids it is a limit ("PIDs", note).
        static long? Set(long? number) => number is 0 ? null : number;
        static ulong? Given(ulong? number) => number is 0 ? null : number;
        var (memory, cpu, io) = (resources.Memory, resources.Cpu, resources.BlockIo);
        return new CgroupLimits
        {
            Memory = Set(memory?.Limit),
            MemoryAndSwap = Set(memory?.Swap),
            MemoryReservation = Set(memory?.Reservation),
            KernelMemory = Set(memory?.Kernel),
            KernelTcpMemory = Set(memory?.KernelTcp),
            Swappiness = memory?.Swappiness,
            DisableOutOfMemoryKiller = memory?.DisableOomKiller,
            UseHierarchy = memory?.UseHierarchy,
            CheckBeforeUpdate = memory?.CheckBeforeUpdate ?? false,
            CpuQuota = Set(cpu?.Quota),
            CpuPeriod = Given(cpu?.Period),
            CpuBurst = Given(cpu?.Burst),
            CpuShares = Given(cpu?.Shares),
            CpuIdle = cpu?.Idle,
            CpuRealtimeRuntime = Set(cpu?.RealtimeRuntime),
            CpuRealtimePeriod = Given(cpu?.RealtimePeriod),
            CpuSetProcessors = cpu?.Cpus,
            CpuSetMemoryNodes = cpu?.Mems,
            Pids = resources.Pids?.Limit,
            BlockIoWeight = (ushort?)Given(io?.Weight),
            BlockIoLeafWeight = (ushort?)Given(io?.LeafWeight),
            BlockIoWeights = [.. (io?.WeightDevice ?? []).Select(one => new BlockIoWeight(Number(one.Major, one.Minor), (ushort?)one.Weight, (ushort?)one.LeafWeight))],
            BlockIo = io is null ? [] : Throttles(io),
            HugePages = [.. resources.HugepageLimits.Select(one => new HugePageLimit(one.PageSize, one.Limit))],
            NetworkClass = resources.Network?.ClassId,
            NetworkPriorities = [.. (resources.Network?.Priorities ?? []).Select(one => new NetworkPriority(one.Name, one.Priority))],
            Rdma = [.. (resources.Rdma ?? new Dictionary<string, RuntimeRdma>()).Select(one => new RdmaLimit(one.Key, one.Value.HcaHandles, one.Value.HcaObjects))],
            Unified = [.. resources.Unified ?? new Dictionary<string, string>()],
            Devices = devices is null ? null : [.. resources.Devices.Select(RuleOf), .. devices],
        };
    }

    static BlockIoLimit[] Throttles(RuntimeBlockIo io) =>
    [
        .. io.ThrottleReadBpsDevice.Select(one => new BlockIoLimit(Number(one.Major, one.Minor), ReadBytes: one.Rate)),
        .. io.ThrottleWriteBpsDevice.Select(one => new BlockIoLimit(Number(one.Major, one.Minor), WriteBytes: one.Rate)),
        .. io.ThrottleReadIopsDevice.Select(one => new BlockIoLimit(Number(one.Major, one.Minor), Reads: one.Rate)),
        .. io.ThrottleWriteIopsDevice.Select(one => new BlockIoLimit(Number(one.Major, one.Minor), Writes: one.Rate)),
    ];

    static DeviceNumber Number(uint major, uint minor) => new(major, minor);

    static DeviceRule RuleOf(RuntimeDeviceRule rule) => new(
        rule.Allow,
        rule.Type switch { "c" => DeviceKind.Character, "b" => DeviceKind.Block, _ => DeviceKind.Any },
        rule.Major is { } major and >= 0 ? (uint)major : null,
        rule.Minor is { } minor and >= 0 ? (uint)minor : null,
        (rule.Access is { Length: > 0 } access ? access : "rwm").Aggregate(
            DeviceAccess.None,
            (all, letter) => all | letter switch { 'r' => DeviceAccess.Read, 'w' => DeviceAccess.Write, _ => DeviceAccess.MakeNode }));
}
