namespace Nacelle.Specs;

static partial class RuntimeConfigReader
{
    public static RuntimeResources ReadResources(SpecNode node) => new()
    {
        Devices = node.List("devices", rule => new RuntimeDeviceRule
        {
            Allow = rule.Need("allow").Flag(),
            Type = rule.FindFilled("type"),
            Major = rule.Find("major")?.Long(),
            Minor = rule.Find("minor")?.Long(),
            Access = rule.FindFilled("access"),
        }),
        Memory = node.Find("memory", ReadMemory),
        Cpu = node.Find("cpu", ReadCpu),
        Pids = node.Find("pids", pids => new RuntimePids(pids.Find("limit")?.Long())),
        BlockIo = node.Find("blockIO", ReadBlockIo),
        HugepageLimits = node.List("hugepageLimits", limit => new RuntimeHugePageLimit(limit.Need("pageSize").Text(), limit.Need("limit").ULong())),
        Network = node.Find("network", network => new RuntimeNetwork
        {
            ClassId = network.Find("classID")?.UInt(),
            Priorities = network.List("priorities", one => new RuntimeNetworkPriority(one.Need("name").Text(), one.Need("priority").UInt())),
        }),
        Rdma = node.Map("rdma", device => new RuntimeRdma(device.Find("hcaHandles")?.UInt(), device.Find("hcaObjects")?.UInt())),
        Unified = node.Map("unified"),
    };

    static RuntimeMemory ReadMemory(SpecNode node) => new()
    {
        Limit = node.Find("limit")?.Long(),
        Reservation = node.Find("reservation")?.Long(),
        Swap = node.Find("swap")?.Long(),
        Kernel = node.Find("kernel")?.Long(),
        KernelTcp = node.Find("kernelTCP")?.Long(),
        Swappiness = node.Find("swappiness")?.ULong(),
        DisableOomKiller = node.Find("disableOOMKiller")?.Flag(),
        UseHierarchy = node.Find("useHierarchy")?.Flag(),
        CheckBeforeUpdate = node.Find("checkBeforeUpdate")?.Flag(),
    };

    static RuntimeCpu ReadCpu(SpecNode node) => new()
    {
        Shares = node.Find("shares")?.ULong(),
        Quota = node.Find("quota")?.Long(),
        Burst = node.Find("burst")?.ULong(),
        Period = node.Find("period")?.ULong(),
        RealtimeRuntime = node.Find("realtimeRuntime")?.Long(),
        RealtimePeriod = node.Find("realtimePeriod")?.ULong(),
        Cpus = node.FindFilled("cpus"),
        Mems = node.FindFilled("mems"),
        Idle = node.Find("idle")?.Long(),
    };

    static RuntimeBlockIo ReadBlockIo(SpecNode node) => new()
    {
        Weight = node.Find("weight")?.UInt(),
        LeafWeight = node.Find("leafWeight")?.UInt(),
        WeightDevice = node.List("weightDevice", device => new RuntimeWeightDevice(
            device.Need("major").UInt(), device.Need("minor").UInt(), device.Find("weight")?.UInt(), device.Find("leafWeight")?.UInt())),
        ThrottleReadBpsDevice = node.List("throttleReadBpsDevice", ReadThrottle),
        ThrottleWriteBpsDevice = node.List("throttleWriteBpsDevice", ReadThrottle),
        ThrottleReadIopsDevice = node.List("throttleReadIOPSDevice", ReadThrottle),
        ThrottleWriteIopsDevice = node.List("throttleWriteIOPSDevice", ReadThrottle),
    };

    static RuntimeThrottleDevice ReadThrottle(SpecNode node) => new(node.Need("major").UInt(), node.Need("minor").UInt(), node.Need("rate").ULong());
}
