using System.Globalization;

namespace Nacelle.Linux;

public sealed partial class Cgroup
{
    CgroupUsage ReadUnifiedUsage() => new()
    {
        Cpu = ReadUnifiedCpu(),
        CpuSet = TryReadText(CgroupControllers.CpuSet, "cpuset.cpus.effective") is { } processors
            ? new(ParseList(processors), ParseList(TryReadText(CgroupControllers.CpuSet, "cpuset.mems.effective") ?? ""), [])
            : null,
        Memory = ReadUnifiedMemory(),
        Pids = ReadPids(),
        BlockIo = ReadUnifiedBlockIo(),
        HugePages = ReadHugePages(size => ReadAmount(CgroupControllers.HugePages, $"{size}.current") is { } usage
            ? new(
                usage, Peak: 0, ReadAmount(CgroupControllers.HugePages, $"{size}.max") ?? ulong.MaxValue,
                Find(ReadTable(CgroupControllers.HugePages, $"{size.Replace(".rsvd", "", StringComparison.Ordinal)}.events"), "max"))
            : null),
    };

    CpuUsage ReadUnifiedCpu()
    {
        // Every group has times; the controller adds what it throttles.
        var times = ReadTable(CgroupControllers.None, "cpu.stat");
        CpuThrottling? throttling = (Controllers & CgroupControllers.Cpu) == 0 ? null : new(
            Find(times, "nr_periods"), Find(times, "nr_throttled"), Find(times, "throttled_usec") * 1000, Find(times, "nr_bursts"), Find(times, "burst_usec") * 1000);
        return new(
            Find(times, "usage_usec") * 1000, Find(times, "user_usec") * 1000, Find(times, "system_usec") * 1000, [], [], [], throttling, ReadPressure("cpu.pressure"));
    }

    MemoryUsage? ReadUnifiedMemory()
    {
        const CgroupControllers Memory = CgroupControllers.Memory;
        if (ReadAmount(Memory, "memory.current") is not { } current)
        {
            return null;
        }

        var details = ReadTable(Memory, "memory.stat");
        var events = ReadTable(Memory, "memory.events");
        var memory = new Amount(current, ReadAmount(Memory, "memory.peak") ?? 0, ReadAmount(Memory, "memory.max") ?? ulong.MaxValue, Find(events, "max"));
        Amount? together = null;
        if (ReadAmount(Memory, "memory.swap.current") is { } swap && ReadAmount(Memory, "memory.swap.max") is { } most)
        {
            together = new(
                current + swap, Peak: 0, most == ulong.MaxValue || memory.Limit == ulong.MaxValue ? ulong.MaxValue : most + memory.Limit,
                Find(ReadTable(Memory, "memory.swap.events"), "max"));
        }

        Amount? kernel = details.Exists(entry => entry.Key == "kernel") ? new(Find(details, "kernel"), 0, ulong.MaxValue, 0) : null;
        return new(Find(details, "file"), memory, together, kernel, KernelTcp: null, details, Find(events, "oom_kill"), ReadPressure("memory.pressure"));
    }

    BlockIoUsage? ReadUnifiedBlockIo()
    {
        if (TryReadText(CgroupControllers.BlockIo, "io.stat") is not { } text)
        {
            return null;
        }

        List<BlockIoCount> bytes = [], operations = [];
        foreach (var line in text.Split('\n'))
        {
            // 8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6
            var words = line.Split(' ');
            if (TryParseDevice(words[0]) is not { } device)
            {
                continue;
            }

            foreach (var word in words)
            {
                if (word.Split('=') is [{ Length: > 1 } name, var number] && ulong.TryParse(number, CultureInfo.InvariantCulture, out ulong value)
                    && (name[1..] is "bytes" ? bytes : name[1..] is "ios" ? operations : null) is { } counts)
                {
                    counts.Add(new(device, name[0] switch { 'r' => "Read", 'w' => "Write", _ => "Discard" }, value));
                }
            }
        }

        return new(bytes, operations, ReadPressure("io.pressure"));
    }

    static DeviceNumber? TryParseDevice(string text) =>
        text.Split(':') is [var major, var minor] && uint.TryParse(major, CultureInfo.InvariantCulture, out uint first) && uint.TryParse(minor, CultureInfo.InvariantCulture, out uint second)
            ? new(first, second)
            : null;
}
