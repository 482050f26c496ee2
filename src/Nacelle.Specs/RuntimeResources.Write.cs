namespace Nacelle.Specs;

static partial class RuntimeConfigWriter
{
    public static void WriteResources(SpecWriter json, RuntimeResources resources)
    {
        json.List("devices", resources.Devices, (rule, value) =>
        {
            rule.Flag("allow", value.Allow);
            rule.Text("type", value.Type);
            rule.Number("major", value.Major);
            rule.Number("minor", value.Minor);
            rule.Text("access", value.Access);
        });
        json.Object("memory", resources.Memory, WriteMemory);
        json.Object("cpu", resources.Cpu, WriteCpu);
        json.Object("pids", resources.Pids, (pids, value) => pids.Number("limit", value.Limit));
        json.Object("blockIO", resources.BlockIo, WriteBlockIo);
        json.List("hugepageLimits", resources.HugepageLimits, (limit, value) =>
        {
            limit.Text("pageSize", value.PageSize);
            limit.Unsigned("limit", value.Limit);
        });
        json.Object("network", resources.Network, (network, value) =>
        {
            network.Unsigned("classID", value.ClassId);
            network.List("priorities", value.Priorities, (one, priority) =>
            {
                one.Text("name", priority.Name);
                one.Unsigned("priority", priority.Priority);
            });
        });
        json.Map("rdma", resources.Rdma, (device, value) =>
        {
            device.Unsigned("hcaHandles", value.HcaHandles);
            device.Unsigned("hcaObjects", value.HcaObjects);
        });
        json.Map("unified", resources.Unified);
    }

    static void WriteMemory(SpecWriter json, RuntimeMemory memory)
    {
        json.Number("limit", memory.Limit);
        json.Number("reservation", memory.Reservation);
        json.Number("swap", memory.Swap);
        json.Number("kernel", memory.Kernel);
        json.Number("kernelTCP", memory.KernelTcp);
        json.Unsigned("swappiness", memory.Swappiness);
        json.Flag("disableOOMKiller", memory.DisableOomKiller);
        json.Flag("useHierarchy", memory.UseHierarchy);
        json.Flag("checkBeforeUpdate", memory.CheckBeforeUpdate);
    }

    static void WriteCpu(SpecWriter json, RuntimeCpu cpu)
    {
        json.Unsigned("shares", cpu.Shares);
        json.Number("quota", cpu.Quota);
        json.Unsigned("burst", cpu.Burst);
        json.Unsigned("period", cpu.Period);
        json.Number("realtimeRuntime", cpu.RealtimeRuntime);
        json.Unsigned("realtimePeriod", cpu.RealtimePeriod);
        json.Text("cpus", cpu.Cpus);
        json.Text("mems", cpu.Mems);
        json.Number("idle", cpu.Idle);
    }

    static void WriteBlockIo(SpecWriter json, RuntimeBlockIo io)
    {
        json.Unsigned("weight", io.Weight);
        json.Unsigned("leafWeight", io.LeafWeight);
        json.List("weightDevice", io.WeightDevice, (device, value) =>
        {
            device.Unsigned("major", value.Major);
            device.Unsigned("minor", value.Minor);
            device.Unsigned("weight", value.Weight);
            device.Unsigned("leafWeight", value.LeafWeight);
        });
        json.List("throttleReadBpsDevice", io.ThrottleReadBpsDevice, WriteThrottle);
        json.List("throttleWriteBpsDevice", io.ThrottleWriteBpsDevice, WriteThrottle);
        json.List("throttleReadIOPSDevice", io.ThrottleReadIopsDevice, WriteThrottle);
        json.List("throttleWriteIOPSDevice", io.ThrottleWriteIopsDevice, WriteThrottle);
    }

    static void WriteThrottle(SpecWriter json, RuntimeThrottleDevice device)
    {
        json.Unsigned("major", device.Major);
        json.Unsigned("minor", device.Minor);
        json.Unsigned("rate", device.Rate);
    }
}
