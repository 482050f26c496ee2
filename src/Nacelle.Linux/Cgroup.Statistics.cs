using System.Globalization;

namespace Nacelle.Linux;

/// <summary>What a group uses and has used; null where the controller that counts it is missing.</summary>
/// <param name="MemoryBytes">In use now, page cache included.</param>
/// <param name="MemoryPeakBytes">The most that was in use; version 2 counts it since Linux 5.19.</param>
/// <param name="OutOfMemoryKills">Processes killed because the group's memory had run out.</param>
/// <param name="CpuNanoseconds">Processor time used in all.</param>
/// <param name="Pids">Processes and threads now.</param>
public readonly record struct CgroupStatistics(long? MemoryBytes, long? MemoryPeakBytes, long? OutOfMemoryKills, long? CpuNanoseconds, long? Pids);

public sealed partial class Cgroup
{
    public CgroupStatistics ReadStatistics() => Unified
        ? new(
            ReadNumber(CgroupControllers.Memory, "memory.current"),
            ReadNumber(CgroupControllers.Memory, "memory.peak"),
            ReadNumber(CgroupControllers.Memory, "memory.events", "oom_kill "),
            ReadNumber(CgroupControllers.None, "cpu.stat", "usage_usec ") * 1000,
            ReadNumber(CgroupControllers.Pids, "pids.current"))
        : new(
            ReadNumber(CgroupControllers.Memory, "memory.usage_in_bytes"),
            ReadNumber(CgroupControllers.Memory, "memory.max_usage_in_bytes"),
            ReadNumber(CgroupControllers.Memory, "memory.oom_control", "oom_kill "),
            ReadNumber(CgroupControllers.CpuAccounting, "cpuacct.usage"),
            ReadNumber(CgroupControllers.Pids, "pids.current"));

    /// <summary>The number that is the file's content, or that follows the key at the start of one of its lines.</summary>
    long? ReadNumber(CgroupControllers controller, string file, string key = "")
    {
        if (Find(controller) is not { } part || Files.TryReadText(part.Directory, file) is not { } text)
        {
            return null;
        }

        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(key, StringComparison.Ordinal) && long.TryParse(line[key.Length..], CultureInfo.InvariantCulture, out long number))
            {
                return number;
            }
        }

        return null;
    }
}
