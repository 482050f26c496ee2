namespace Nacelle.Linux;

/// <summary>Kinds of limits and accounts, each kept by one part of the kernel. See cgroups(7).</summary>
[Flags]
public enum CgroupControllers
{
    None = 0,
    Memory = 1,
    Cpu = 2,
    CpuAccounting = 4,
    CpuSet = 8,
    Pids = 16,

    /// <summary>Access to device nodes: a hierarchy in v1; in v2 a program attached to the group.</summary>
    Devices = 32,

    /// <summary>Stopping all processes at once: a hierarchy in v1; every group can in v2.</summary>
    Freezer = 64,
    BlockIo = 128,
    HugePages = 256,

    /// <summary>Resources of remote memory access adapters.</summary>
    Rdma = 512,

    /// <summary>Scarce numbers of the processor, such as those of encrypted virtual machines.</summary>
    Misc = 1024,

    /// <summary>Marks on network packets; version 1 alone.</summary>
    NetworkClass = 2048,

    /// <summary>Priorities of network packets; version 1 alone.</summary>
    NetworkPriority = 4096,

    /// <summary>Lets perf watch a group: a hierarchy in v1; every group can be watched in v2.</summary>
    PerfEvents = 8192,

    All = 16383,
}

/// <summary>The kernel's names of the controllers.</summary>
static class ControllerNames
{
    // In the order of the flags. "blkio" is the name of version 1; version 2 says "io".
    static readonly string[] Names =
        ["memory", "cpu", "cpuacct", "cpuset", "pids", "devices", "freezer", "blkio", "hugetlb", "rdma", "misc", "net_cls", "net_prio", "perf_event"];

    /// <summary>The name in the running version's own words, for messages.</summary>
    public static string Of(CgroupControllers controller, bool unified) =>
        unified && controller == CgroupControllers.BlockIo ? "io" : Names[System.Numerics.BitOperations.TrailingZeroCount((uint)controller)];

    /// <summary>As version 1 joins them: <c>cpu,cpuacct</c>.</summary>
    public static string Join(CgroupControllers controllers) => string.Join(',', Each(controllers).Select(controller => Of(controller, unified: false)));

    public static CgroupControllers ParseLegacy(string name) =>
        Array.IndexOf(Names, name) is var index and >= 0 ? (CgroupControllers)(1 << index) : CgroupControllers.None;

    /// <summary>Reads a list like that of cgroup.controllers.</summary>
    public static CgroupControllers ParseUnified(string names)
    {
        var controllers = CgroupControllers.None;
        foreach (var name in names.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            controllers |= name == "io" ? CgroupControllers.BlockIo : ParseLegacy(name);
        }

        return controllers;
    }

    public static IEnumerable<CgroupControllers> Each(CgroupControllers controllers)
    {
        for (int bit = 1; bit < (int)CgroupControllers.All; bit <<= 1)
        {
            if (((int)controllers & bit) != 0)
            {
                yield return (CgroupControllers)bit;
            }
        }
    }
}
