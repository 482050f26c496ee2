using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>What events prints, with the names and units that runc prints, because programs read them.</summary>
static class UsageEvent
{
    public static byte[] OutOfMemory(string id) => Line(SpecWriter.Write(id, (json, name) =>
    {
        json.Text("type", "oom");
        json.Text("id", name);
    }));

    public static byte[] Stats(string id, CgroupUsage usage) => Line(SpecWriter.Write(usage, (json, all) =>
    {
        json.Text("type", "stats");
        json.Text("id", id);
        json.Object("data", all, WriteData);
    }));

    static byte[] Line(byte[] text) => [.. text, (byte)'\n'];

    static void WriteData(SpecWriter json, CgroupUsage usage)
    {
        json.Object("cpu", usage.Cpu, WriteCpu);
        json.Object("cpuset", usage.CpuSet, WriteCpuSet);
        json.Object("memory", usage.Memory, WriteMemory);
        if (usage.Pids is { } count)
        {
            json.Group("pids", pids =>
            {
                pids.Unsigned("current", count.Current);
                pids.Unsigned("limit", Limit(count.Limit));
            });
        }

        json.Object("blkio", usage.BlockIo, WriteBlockIo);
        json.Object("hugetlb", usage.HugePages, (sizes, all) =>
        {
            foreach (var (size, amount) in all)
            {
                sizes.Group(size, one =>
                {
                    one.Unsigned("usage", amount.Usage);
                    one.Unsigned("max", amount.Peak);
                    one.Unsigned("failcnt", amount.Failures);
                });
            }
        });
        json.Group("intel_rdt", _ => { });
    }

    static void WriteCpu(SpecWriter json, CpuUsage cpu)
    {
        json.Object("usage", cpu, (usage, value) =>
        {
            usage.Unsigned("total", value.Total);
            usage.Unsigneds("percpu", value.PerProcessor);
            usage.Unsigneds("percpu_kernel", value.PerProcessorKernel);
            usage.Unsigneds("percpu_user", value.PerProcessorUser);
            usage.Unsigned("kernel", value.Kernel);
            usage.Unsigned("user", value.User);
        });
        var throttling = cpu.Throttling ?? default;
        json.Group("throttling", written =>
        {
            written.Unsigned("periods", throttling.Periods);
            written.Unsigned("throttledPeriods", throttling.ThrottledPeriods);
            written.Unsigned("throttledTime", throttling.ThrottledTime);
        });
        if (cpu.Pressure is { } pressure)
        {
            WritePressure(json, pressure);
        }
    }

    static void WriteCpuSet(SpecWriter json, CpuSetUsage set)
    {
        json.Unsigneds("cpus", [.. set.Processors.Select(number => (ulong)number)]);
        json.Unsigneds("mems", [.. set.MemoryNodes.Select(number => (ulong)number)]);
        foreach (var (name, value) in set.Settings)
        {
            json.Number(name, value);
        }
    }

    static void WriteMemory(SpecWriter json, MemoryUsage memory)
    {
        json.Unsigned("cache", memory.Cache);
        WriteAmount(json, "usage", memory.Memory);
        WriteAmount(json, "swap", memory.MemoryAndSwap ?? default);
        WriteAmount(json, "kernel", memory.Kernel ?? default);
        WriteAmount(json, "kernelTCP", memory.KernelTcp ?? default);
        json.Object("raw", memory, (raw, value) =>
        {
            foreach (var (name, number) in value.Details)
            {
                raw.Unsigned(name, number);
            }
        });
        if (memory.Pressure is { } pressure)
        {
            WritePressure(json, pressure);
        }
    }

    static void WriteAmount(SpecWriter json, string name, Amount amount) => json.Group(name, written =>
    {
        written.Unsigned("limit", amount.Limit);
        written.Unsigned("usage", amount.Usage);
        written.Unsigned("max", amount.Peak);
        written.Unsigned("failcnt", amount.Failures);
    });

    static void WriteBlockIo(SpecWriter json, BlockIoUsage io)
    {
        json.List("ioServiceBytesRecursive", io.Bytes, WriteCount);
        json.List("ioServicedRecursive", io.Operations, WriteCount);
        if (io.Pressure is { } pressure)
        {
            WritePressure(json, pressure);
        }
    }

    static void WriteCount(SpecWriter json, BlockIoCount count)
    {
        json.Unsigned("major", count.Device.Major);
        json.Unsigned("minor", count.Device.Minor);
        json.Text("op", count.Operation);
        json.Unsigned("value", count.Value);
    }

    static void WritePressure(SpecWriter json, Pressure pressure) => json.Group("psi", written =>
    {
        WriteShare(written, "some", pressure.Some);
        WriteShare(written, "full", pressure.Full);
    });

    static void WriteShare(SpecWriter json, string name, PressureShare share) => json.Group(name, written =>
    {
        written.Real("avg10", share.Average10);
        written.Real("avg60", share.Average60);
        written.Real("avg300", share.Average300);
        written.Unsigned("total", share.Total);
    });

    /// <summary>0 stands for no limit.</summary>
    static ulong Limit(ulong limit) => limit == ulong.MaxValue ? 0 : limit;
}
