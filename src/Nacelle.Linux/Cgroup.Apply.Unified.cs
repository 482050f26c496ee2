namespace Nacelle.Linux;

/// <summary>Limits in version 2. See the kernel's Documentation/admin-guide/cgroup-v2.rst.</summary>
public sealed partial class Cgroup
{
    void ApplyUnified(CgroupLimits limits, List<UnsetLimit> unset)
    {
        ApplyUnifiedMemory(limits, unset);
        ApplyUnifiedProcessors(limits, unset);
        Set(unset, CgroupControllers.Pids, "pids.max", Most(limits.Pids), usual: limits.Pids < 0);
        ApplyUnifiedBlockIo(limits, unset);
        foreach (var limit in limits.HugePages)
        {
            string size = $"hugetlb.{limit.PageSize}";
            Set(unset, CgroupControllers.HugePages, $"{size}.max", $"{limit.Bytes}");
            Set(unset, CgroupControllers.HugePages, $"{size}.rsvd.max", $"{limit.Bytes}", usual: true);
        }

        foreach (var limit in limits.Rdma)
        {
            Set(unset, CgroupControllers.Rdma, "rdma.max", RdmaText(limit));
        }

        if (limits.NetworkClass is not (null or 0))
        {
            Refuse("net_cls.classid", "cgroup v2 does not mark packets", unset);
        }

        if (limits.NetworkPriorities.Count > 0)
        {
            Refuse("net_prio.ifpriomap", "cgroup v2 gives packets no priority", unset);
        }

        foreach (var (file, value) in limits.Unified)
        {
            if (file.Contains('/'))
            {
                Refuse(file, "is not the name of a file in a cgroup", unset);
                continue;
            }

            // Such a file takes one line in a write.
            foreach (var line in value.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                Set(unset, CgroupLimits.ControllerOf(file), file, line);
            }
        }
    }

    void ApplyUnifiedMemory(CgroupLimits limits, List<UnsetLimit> unset)
    {
        const CgroupControllers Memory = CgroupControllers.Memory;
        if (limits.CheckBeforeUpdate && ReadNumber(Memory, "memory.current") is { } current)
        {
            long together = current + (ReadNumber(Memory, "memory.swap.current") ?? 0);
            if (limits.Memory > 0 && limits.Memory <= current)
            {
                unset.Add(new("memory.max", $"cannot be set to {limits.Memory}: {current} bytes are in use", Errno.EBUSY));
                return;
            }

            if (limits.MemoryAndSwap > 0 && limits.MemoryAndSwap <= together)
            {
                unset.Add(new("memory.swap.max", $"memory and swap together cannot be set to {limits.MemoryAndSwap}: {together} bytes are in use", Errno.EBUSY));
                return;
            }
        }

        // Swap goes first: where memory is lowered, what no longer fits must not be swapped past the new limit.
        if (limits.MemoryAndSwap is > 0 and var both)
        {
            if ((limits.Memory ?? ReadNumber(Memory, "memory.max")) is not (> 0 and var alone))
            {
                Refuse("memory.swap.max", "a limit on memory and swap together means nothing without one on memory", unset);
            }
            else if (both < alone)
            {
                Refuse("memory.swap.max", $"memory and swap together ({both}) are less than memory alone ({alone})", unset);
            }
            else
            {
                Set(unset, Memory, "memory.swap.max", $"{both - alone}", usual: both == alone);
            }
        }
        else if (limits.MemoryAndSwap == 0)
        {
            Refuse("memory.swap.max", "memory and swap together cannot be 0", unset);
        }
        else if (limits.MemoryAndSwap < 0 || limits.Memory < 0)
        {
            Set(unset, Memory, "memory.swap.max", "max", usual: true);
        }

        Set(unset, Memory, "memory.max", Most(limits.Memory), usual: limits.Memory < 0);
        Set(unset, Memory, "memory.low", Most(limits.MemoryReservation), usual: limits.MemoryReservation <= 0);
        if (limits.KernelTcpMemory >= 0)
        {
            Refuse("memory.kmem.tcp.limit_in_bytes", "cgroup v2 counts the buffers of sockets with the rest", unset);
        }

        if (limits.Swappiness is not null)
        {
            Refuse("memory.swappiness", "cgroup v2 has no swappiness of single groups", unset);
        }

        if (limits.DisableOutOfMemoryKiller is true)
        {
            Refuse("memory.oom_control", "cgroup v2 always kills when memory has run out", unset);
        }

        if (limits.UseHierarchy is false)
        {
            Refuse("memory.use_hierarchy", "cgroup v2 always counts groups below towards those above", unset);
        }
    }

    void ApplyUnifiedProcessors(CgroupLimits limits, List<UnsetLimit> unset)
    {
        const CgroupControllers Cpu = CgroupControllers.Cpu, CpuSet = CgroupControllers.CpuSet;
        string? most = null;
        if (limits.CpuQuota is not null || limits.CpuPeriod is not null)
        {
            // "max 100000": of the two only the first may be left as it is by leaving it out.
            string quota = limits.CpuQuota is { } number ? (number > 0 ? $"{number}" : "max")
                : Find(Cpu) is { } part && Files.TryReadText(part.Directory, "cpu.max") is { } text ? text.Split(' ')[0]
                : "max";
            most = limits.CpuPeriod is { } period ? $"{quota} {period}" : quota;
        }

        SetTogether(
            unset, Cpu, new("cpu.max", most, Usual: most == "max"), new("cpu.max.burst", limits.CpuBurst?.ToString(), Usual: limits.CpuBurst == 0));
        Set(unset, Cpu, "cpu.idle", limits.CpuIdle?.ToString(), usual: limits.CpuIdle == 0);
        Set(unset, Cpu, "cpu.weight", limits is { CpuShares: { } shares, CpuIdle: not > 0 } ? $"{CgroupLimits.CpuWeight(shares)}" : null);
        if (limits.CpuRealtimePeriod is not null || limits.CpuRealtimeRuntime is not (null or 0))
        {
            Refuse("cpu.rt_runtime_us", "cgroup v2 does not limit real-time processes", unset);
        }

        Set(unset, CpuSet, "cpuset.cpus", Text(limits.CpuSetProcessors));
        Set(unset, CpuSet, "cpuset.mems", Text(limits.CpuSetMemoryNodes));
    }

    void ApplyUnifiedBlockIo(CgroupLimits limits, List<UnsetLimit> unset)
    {
        const CgroupControllers Io = CgroupControllers.BlockIo;

        // Each of the two schedulers with weights has its own file: the one by costs, and BFQ.
        if (limits.BlockIoWeight is { } weight)
        {
            SetAny(unset, Io, new("io.weight", $"{CgroupLimits.IoWeight(weight)}"), new("io.bfq.weight", $"{weight}"));
        }

        foreach (var (device, own, leaf) in limits.BlockIoWeights)
        {
            if (own is { } number)
            {
                SetAny(unset, Io, new("io.weight", $"{device} {CgroupLimits.IoWeight(number)}"), new("io.bfq.weight", $"{device} {number}"));
            }

            if (leaf is not null)
            {
                Refuse("blkio.leaf_weight_device", "cgroup v2 has no processes beside sub-groups", unset);
            }
        }

        if (limits.BlockIoLeafWeight is not null)
        {
            Refuse("blkio.leaf_weight", "cgroup v2 has no processes beside sub-groups", unset);
        }

        foreach (var limit in limits.BlockIo)
        {
            string value = Word("rbps", limit.ReadBytes) + Word("wbps", limit.WriteBytes) + Word("riops", limit.Reads) + Word("wiops", limit.Writes);
            Set(unset, Io, "io.max", value.Length == 0 ? null : $"{limit.Device}{value}");
        }

        static string Word(string name, ulong? number) => number is null ? "" : number == 0 ? $" {name}=max" : $" {name}={number}";
    }

    static void Refuse(string limit, string reason, List<UnsetLimit> unset) => unset.Add(new(limit, reason, Errno.EINVAL));

    static string? Most(long? number) => number is null ? null : number < 0 ? "max" : $"{number}";

    static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : text;

    static string RdmaText(RdmaLimit limit) =>
        limit.Device + (limit.Handles is { } handles ? $" hca_handle={handles}" : "") + (limit.Objects is { } objects ? $" hca_object={objects}" : "");
}
