namespace Nacelle.Linux;

/// <summary>Limits in version 1. See the kernel's Documentation/admin-guide/cgroup-v1.</summary>
public sealed partial class Cgroup
{
    void ApplyLegacy(CgroupLimits limits, List<UnsetLimit> unset)
    {
        ApplyLegacyMemory(limits, unset);
        ApplyLegacyProcessors(limits, unset);
        Set(unset, CgroupControllers.Pids, "pids.max", Most(limits.Pids), usual: limits.Pids < 0);
        ApplyLegacyBlockIo(limits, unset);
        foreach (var limit in limits.HugePages)
        {
            string size = $"hugetlb.{limit.PageSize}";
            Set(unset, CgroupControllers.HugePages, $"{size}.limit_in_bytes", $"{limit.Bytes}");
            Set(unset, CgroupControllers.HugePages, $"{size}.rsvd.limit_in_bytes", $"{limit.Bytes}", usual: true);
        }

        foreach (var limit in limits.Rdma)
        {
            Set(unset, CgroupControllers.Rdma, "rdma.max", RdmaText(limit));
        }

        Set(unset, CgroupControllers.NetworkClass, "net_cls.classid", limits.NetworkClass?.ToString(), usual: limits.NetworkClass == 0);
        foreach (var (name, priority) in limits.NetworkPriorities)
        {
            Set(unset, CgroupControllers.NetworkPriority, "net_prio.ifpriomap", $"{name} {priority}");
        }

        foreach (var (file, _) in limits.Unified)
        {
            Refuse(file, "is a file of cgroup v2, and this machine has its controllers in v1", unset);
        }
    }

    void ApplyLegacyMemory(CgroupLimits limits, List<UnsetLimit> unset)
    {
        const CgroupControllers Memory = CgroupControllers.Memory;
        if (limits.UseHierarchy is { } below)
        {
            Set(unset, Memory, "memory.use_hierarchy", below ? "1" : "0");
        }

        // Memory alone may at no time be above memory and swap: whichever order the kernel takes is right.
        // Who lifts the limit on memory and says nothing of swap means both.
        long? both = limits.MemoryAndSwap ?? (limits.Memory < 0 ? CgroupLimits.Unlimited : null);
        SetTogether(
            unset, Memory, new("memory.limit_in_bytes", limits.Memory?.ToString(), limits.Memory < 0),
            new("memory.memsw.limit_in_bytes", both?.ToString(), both < 0));
        Set(unset, Memory, "memory.soft_limit_in_bytes", limits.MemoryReservation?.ToString(), usual: limits.MemoryReservation < 0);
        Set(unset, Memory, "memory.kmem.limit_in_bytes", limits.KernelMemory?.ToString(), usual: true);
        Set(unset, Memory, "memory.kmem.tcp.limit_in_bytes", limits.KernelTcpMemory?.ToString(), usual: limits.KernelTcpMemory < 0);
        Set(unset, Memory, "memory.swappiness", limits.Swappiness?.ToString());
        if (limits.DisableOutOfMemoryKiller is { } disabled)
        {
            Set(unset, Memory, "memory.oom_control", disabled ? "1" : "0", usual: !disabled);
        }
    }

    void ApplyLegacyProcessors(CgroupLimits limits, List<UnsetLimit> unset)
    {
        const CgroupControllers Cpu = CgroupControllers.Cpu, CpuSet = CgroupControllers.CpuSet;
        long? quota = limits.CpuQuota <= 0 ? CgroupLimits.Unlimited : limits.CpuQuota;
        SetTogether(
            unset, Cpu, new("cpu.cfs_period_us", limits.CpuPeriod?.ToString()), new("cpu.cfs_quota_us", quota?.ToString(), quota < 0),
            new("cpu.cfs_burst_us", limits.CpuBurst?.ToString(), limits.CpuBurst == 0));
        SetTogether(
            unset, Cpu, new("cpu.rt_period_us", limits.CpuRealtimePeriod?.ToString()),
            new("cpu.rt_runtime_us", limits.CpuRealtimeRuntime?.ToString(), limits.CpuRealtimeRuntime == 0));
        Set(unset, Cpu, "cpu.idle", limits.CpuIdle?.ToString(), usual: limits.CpuIdle == 0);
        Set(unset, Cpu, "cpu.shares", limits.CpuIdle > 0 ? null : limits.CpuShares?.ToString());
        Set(unset, CpuSet, "cpuset.cpus", Text(limits.CpuSetProcessors));
        Set(unset, CpuSet, "cpuset.mems", Text(limits.CpuSetMemoryNodes));
    }

    void ApplyLegacyBlockIo(CgroupLimits limits, List<UnsetLimit> unset)
    {
        const CgroupControllers Io = CgroupControllers.BlockIo;

        // Of the two schedulers with weights CFQ went with Linux 5.0, and BFQ came with 4.12.
        if (limits.BlockIoWeight is { } weight)
        {
            SetAny(unset, Io, new("blkio.weight", $"{weight}"), new("blkio.bfq.weight", $"{weight}"));
        }

        Set(unset, Io, "blkio.leaf_weight", limits.BlockIoLeafWeight?.ToString());
        foreach (var (device, own, leaf) in limits.BlockIoWeights)
        {
            if (own is not null)
            {
                SetAny(unset, Io, new("blkio.weight_device", $"{device} {own}"), new("blkio.bfq.weight_device", $"{device} {own}"));
            }

            Set(unset, Io, "blkio.leaf_weight_device", leaf is null ? null : $"{device} {leaf}");
        }

        foreach (var limit in limits.BlockIo)
        {
            Set(unset, Io, "blkio.throttle.read_bps_device", Line(limit.ReadBytes));
            Set(unset, Io, "blkio.throttle.write_bps_device", Line(limit.WriteBytes));
            Set(unset, Io, "blkio.throttle.read_iops_device", Line(limit.Reads));
            Set(unset, Io, "blkio.throttle.write_iops_device", Line(limit.Writes));

            string? Line(ulong? number) => number is null ? null : $"{limit.Device} {number}";
        }
    }
}
