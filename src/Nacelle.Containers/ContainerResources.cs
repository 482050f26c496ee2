using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The resources of a config.json as limits of a control group.</summary>
/// <remarks>OCI runtime specification 1.3.0, config-linux.md, "Control groups".</remarks>
public static class ContainerResources
{
    /// <param name="devices">The rules behind those of the resources, which often begin by denying everything; null leaves access to devices as it is.</param>
    public static CgroupLimits ToLimits(RuntimeResources resources, IReadOnlyList<DeviceRule>? devices) => new()
    {
        Memory = resources.Memory?.Limit,
        MemoryAndSwap = resources.Memory?.Swap,
        MemoryReservation = resources.Memory?.Reservation,
        CpuQuota = resources.Cpu?.Quota,
        CpuPeriod = resources.Cpu?.Period,
        CpuShares = resources.Cpu?.Shares,
        CpuSetProcessors = resources.Cpu?.Cpus,
        CpuSetMemoryNodes = resources.Cpu?.Mems,
        Pids = resources.Pids?.Limit,
        Devices = devices is null ? null : [.. resources.Devices.Select(RuleOf), .. devices],
    };

    static DeviceRule RuleOf(RuntimeDeviceRule rule) => new(
        rule.Allow,
        rule.Type switch { "c" => DeviceKind.Character, "b" => DeviceKind.Block, _ => DeviceKind.Any },
        rule.Major is { } major and >= 0 ? (uint)major : null,
        rule.Minor is { } minor and >= 0 ? (uint)minor : null,
        (rule.Access is { Length: > 0 } access ? access : "rwm").Aggregate(
            DeviceAccess.None,
            (all, letter) => all | letter switch { 'r' => DeviceAccess.Read, 'w' => DeviceAccess.Write, _ => DeviceAccess.MakeNode }));
}
