namespace Nacelle.Linux;

public sealed partial class Cgroup
{
    /// <summary>Sets every limit that can be set.</summary>
    /// <returns>The limits that could not be set, each with the reason; the caller decides what that means.</returns>
    public IReadOnlyList<UnsetLimit> Apply(CgroupLimits limits)
    {
        var unset = new List<UnsetLimit>();
        if (Unified)
        {
            ApplyUnified(limits, unset);
        }
        else
        {
            ApplyLegacy(limits, unset);
        }

        if (limits.Devices is { } devices)
        {
            if (Unified)
            {
                AttachDeviceProgram(devices, unset);
            }
            else
            {
                WriteDeviceRules(devices, unset);
            }
        }

        return unset;
    }

    void ApplyUnified(CgroupLimits limits, List<UnsetLimit> unset)
    {
        const CgroupControllers Memory = CgroupControllers.Memory, Cpu = CgroupControllers.Cpu, CpuSet = CgroupControllers.CpuSet, Io = CgroupControllers.BlockIo;

        // Swap goes first: where memory is lowered, what no longer fits must not be swapped past the new limit.
        if (limits.MemoryAndSwap is { } both)
        {
            if (both >= 0 && (limits.Memory ?? 0) <= 0)
            {
                unset.Add(new("memory.swap.max", "a limit on memory and swap together means nothing without one on memory"));
            }
            else if (both >= 0 && both < limits.Memory)
            {
                unset.Add(new("memory.swap.max", $"memory and swap together ({both}) are less than memory alone ({limits.Memory})"));
            }
            else
            {
                Set(Memory, "memory.swap.max", Max(both < 0 ? both : both - limits.Memory!.Value), unset);
            }
        }

        Set(Memory, "memory.max", Max(limits.Memory), unset);
        Set(Memory, "memory.low", Max(limits.MemoryReservation), unset);
        if (limits.CpuQuota is not null || limits.CpuPeriod is not null)
        {
            string quota = limits.CpuQuota is { } number and > 0 ? $"{number}" : "max";
            Set(Cpu, "cpu.max", limits.CpuPeriod is { } period ? $"{quota} {period}" : quota, unset);
        }

        Set(Cpu, "cpu.weight", limits.CpuShares is { } shares ? $"{CgroupLimits.CpuWeight(shares)}" : null, unset);
        Set(CpuSet, "cpuset.cpus", limits.CpuSetProcessors, unset);
        Set(CpuSet, "cpuset.mems", limits.CpuSetMemoryNodes, unset);
        Set(CgroupControllers.Pids, "pids.max", Max(limits.Pids), unset);
        if (limits.BlockIoWeight is { } weight)
        {
            bool bfq = !Files.Exists(parts[0].Directory, "io.weight") && Files.Exists(parts[0].Directory, "io.bfq.weight");
            Set(Io, bfq ? "io.bfq.weight" : "io.weight", bfq ? $"{weight}" : $"{CgroupLimits.IoWeight(weight)}", unset);
        }

        foreach (var limit in limits.BlockIo)
        {
            string value = Word("rbps", limit.ReadBytes) + Word("wbps", limit.WriteBytes) + Word("riops", limit.Reads) + Word("wiops", limit.Writes);
            Set(Io, "io.max", $"{limit.Device.Major}:{limit.Device.Minor}{value}", unset);
        }

        foreach (var limit in limits.HugePages)
        {
            Set(CgroupControllers.HugePages, $"hugetlb.{limit.PageSize}.max", $"{limit.Bytes}", unset);
        }

        foreach (var (file, value) in limits.Unified)
        {
            if (file.Contains('/'))
            {
                unset.Add(new(file, "is not the name of a file in a cgroup"));
            }
            else
            {
                Set(CgroupControllers.None, file, value, unset);
            }
        }

        static string? Max(long? number) => number is null ? null : number < 0 ? "max" : $"{number}";
        static string Word(string name, ulong? number) => number is null ? "" : $" {name}={number}";
    }

    void ApplyLegacy(CgroupLimits limits, List<UnsetLimit> unset)
    {
        const CgroupControllers Memory = CgroupControllers.Memory, Cpu = CgroupControllers.Cpu, CpuSet = CgroupControllers.CpuSet, Io = CgroupControllers.BlockIo;

        // Memory alone may at no time be above memory and swap, nor a period change under a quota that then asks too much:
        // whichever order the kernel takes is right.
        SetPair(
            Memory, ("memory.limit_in_bytes", Number(limits.Memory)), ("memory.memsw.limit_in_bytes", Number(limits.MemoryAndSwap)), unset);
        Set(Memory, "memory.soft_limit_in_bytes", Number(limits.MemoryReservation), unset);
        SetPair(Cpu, ("cpu.cfs_period_us", limits.CpuPeriod?.ToString()), ("cpu.cfs_quota_us", Number(limits.CpuQuota is 0 ? -1 : limits.CpuQuota)), unset);
        Set(Cpu, "cpu.shares", limits.CpuShares?.ToString(), unset);
        Set(CpuSet, "cpuset.cpus", limits.CpuSetProcessors, unset);
        Set(CpuSet, "cpuset.mems", limits.CpuSetMemoryNodes, unset);
        Set(CgroupControllers.Pids, "pids.max", limits.Pids < 0 ? "max" : Number(limits.Pids), unset);
        if (limits.BlockIoWeight is { } weight)
        {
            bool bfq = Find(Io) is { } part && !Files.Exists(part.Directory, "blkio.weight") && Files.Exists(part.Directory, "blkio.bfq.weight");
            Set(Io, bfq ? "blkio.bfq.weight" : "blkio.weight", $"{weight}", unset);
        }

        foreach (var limit in limits.BlockIo)
        {
            string device = $"{limit.Device.Major}:{limit.Device.Minor} ";
            Set(Io, "blkio.throttle.read_bps_device", device + limit.ReadBytes, limit.ReadBytes is null, unset);
            Set(Io, "blkio.throttle.write_bps_device", device + limit.WriteBytes, limit.WriteBytes is null, unset);
            Set(Io, "blkio.throttle.read_iops_device", device + limit.Reads, limit.Reads is null, unset);
            Set(Io, "blkio.throttle.write_iops_device", device + limit.Writes, limit.Writes is null, unset);
        }

        foreach (var limit in limits.HugePages)
        {
            Set(CgroupControllers.HugePages, $"hugetlb.{limit.PageSize}.limit_in_bytes", $"{limit.Bytes}", unset);
        }

        foreach (var (file, _) in limits.Unified)
        {
            unset.Add(new(file, "is a file of cgroup v2, and this machine has its controllers in v1"));
        }

        static string? Number(long? number) => number?.ToString();
    }

    void Set(CgroupControllers controller, string file, string value, bool skip, List<UnsetLimit> unset)
    {
        if (!skip)
        {
            Set(controller, file, value, unset);
        }
    }

    void Set(CgroupControllers controller, string file, string? value, List<UnsetLimit> unset)
    {
        if (value is not null && TrySet(controller, file, value) is { } reason)
        {
            unset.Add(new(file, reason));
        }
    }

    /// <summary>Sets two limits that bind each other, in the other order when the kernel does not take the one.</summary>
    void SetPair(CgroupControllers controller, (string File, string? Value) first, (string File, string? Value) second, List<UnsetLimit> unset)
    {
        if (first.Value is null || TrySet(controller, first.File, first.Value) is not { } reason)
        {
            Set(controller, second.File, second.Value, unset);
        }
        else if (second.Value is null)
        {
            unset.Add(new(first.File, reason));
        }
        else
        {
            Set(controller, second.File, second.Value, unset);
            Set(controller, first.File, first.Value, unset);
        }
    }

    /// <returns>Null, or why it could not be set.</returns>
    string? TrySet(CgroupControllers controller, string file, string value)
    {
        var part = Find(controller);
        if (part is null)
        {
            return $"the '{CgroupLayout.Name(controller, Unified)}' controller is not available"
                + (missingReason.Length > 0 ? $" ({missingReason})" : "");
        }

        return TryWrite(part.Directory, file, value) switch
        {
            Errno.None => null,
            Errno.ENOENT => "this kernel has no such limit",
            Errno.EBUSY => $"cannot be set to {value}: more than that is in use",
            Errno.EINVAL or Errno.ERANGE => $"the kernel does not take the value {value}",
            var error => $"cannot be set to {value}: {error}",
        };
    }

    /// <summary>The directory where this controller's files are; any, for none.</summary>
    Part? Find(CgroupControllers controller) =>
        !Unified ? parts.Find(part => (part.Controllers & controller) != 0)
        : controller == 0 || (Controllers & controller) != 0 ? parts[0]
        : null;
}
