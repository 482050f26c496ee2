using System.Globalization;

namespace Nacelle.Linux;

public sealed partial class Cgroup
{
    static readonly string[] CpuSetSettings =
    [
        "cpu_exclusive", "mem_exclusive", "mem_hardwall", "memory_migrate", "memory_pressure", "memory_spread_page", "memory_spread_slab", "sched_load_balance",
        "sched_relax_domain_level",
    ];

    CgroupUsage ReadLegacyUsage() => new()
    {
        Cpu = ReadLegacyCpu(),
        CpuSet = ReadLegacyCpuSet(),
        Memory = ReadLegacyMemory(),
        Pids = ReadPids(),
        BlockIo = ReadLegacyBlockIo(),
        HugePages = ReadHugePages(size => ReadLegacyAmount(CgroupControllers.HugePages, size)),
    };

    CpuUsage? ReadLegacyCpu()
    {
        const CgroupControllers Accounting = CgroupControllers.CpuAccounting;
        var table = ReadTable(CgroupControllers.Cpu, "cpu.stat");
        CpuThrottling? throttling = table.Count == 0 ? null
            : new(Find(table, "nr_periods"), Find(table, "nr_throttled"), Find(table, "throttled_time"), Find(table, "nr_bursts"), Find(table, "burst_time"));
        var total = ReadAmount(Accounting, "cpuacct.usage");
        return total is null && throttling is null ? null : new(
            total ?? 0, ReadAmount(Accounting, "cpuacct.usage_user") ?? 0, ReadAmount(Accounting, "cpuacct.usage_sys") ?? 0,
            ReadAmounts("cpuacct.usage_percpu"), ReadAmounts("cpuacct.usage_percpu_user"), ReadAmounts("cpuacct.usage_percpu_sys"), throttling, Pressure: null);

        List<ulong> ReadAmounts(string file) =>
            [.. (TryReadText(Accounting, file) ?? "").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(ParseAmount)];
    }

    CpuSetUsage? ReadLegacyCpuSet()
    {
        const CgroupControllers CpuSet = CgroupControllers.CpuSet;
        if (TryReadText(CpuSet, "cpuset.cpus") is not { } processors)
        {
            return null;
        }

        var settings = new List<KeyValuePair<string, long>>();
        foreach (var name in CpuSetSettings)
        {
            if (ReadNumber(CpuSet, $"cpuset.{name}") is { } number)
            {
                settings.Add(new(name, number));
            }
        }

        return new(ParseList(processors), ParseList(TryReadText(CpuSet, "cpuset.mems") ?? ""), settings);
    }

    MemoryUsage? ReadLegacyMemory()
    {
        const CgroupControllers Memory = CgroupControllers.Memory;
        if (ReadLegacyAmount(Memory, "memory") is not { } memory)
        {
            return null;
        }

        var details = ReadTable(Memory, "memory.stat");
        return new(
            Find(details, "cache"), memory, ReadLegacyAmount(Memory, "memory.memsw"), ReadLegacyAmount(Memory, "memory.kmem"),
            ReadLegacyAmount(Memory, "memory.kmem.tcp"), details, (ulong)(ReadNumber(Memory, "memory.oom_control", "oom_kill ") ?? 0), Pressure: null);
    }

    Amount? ReadLegacyAmount(CgroupControllers controller, string name) => ReadAmount(controller, $"{name}.usage_in_bytes") is { } usage
        ? new(
            usage, ReadAmount(controller, $"{name}.max_usage_in_bytes") ?? 0, ReadAmount(controller, $"{name}.limit_in_bytes") ?? ulong.MaxValue,
            ReadAmount(controller, $"{name}.failcnt") ?? 0)
        : null;

    BlockIoUsage? ReadLegacyBlockIo() => (Controllers & CgroupControllers.BlockIo) == 0 ? null : new(
        ReadCounts("blkio.throttle.io_service_bytes"), ReadCounts("blkio.throttle.io_serviced"), Pressure: null);

    /// <summary>All requests pass the layer that throttles, whatever scheduler the device has. Groups below are counted along since Linux 4.19.</summary>
    List<BlockIoCount> ReadCounts(string file)
    {
        var counts = new List<BlockIoCount>();
        foreach (var line in (TryReadText(CgroupControllers.BlockIo, file + "_recursive") ?? TryReadText(CgroupControllers.BlockIo, file) ?? "").Split('\n'))
        {
            // 8:0 Read 4096; the last line is a total of all devices.
            if (line.Split(' ') is [var name, var operation, var number] && TryParseDevice(name) is { } device)
            {
                counts.Add(new(device, operation, ulong.Parse(number, CultureInfo.InvariantCulture)));
            }
        }

        return counts;
    }
}
