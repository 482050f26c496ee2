using System.Globalization;

namespace Nacelle.Linux;

public sealed partial class Cgroup
{
    /// <summary>Reads all that is counted for the group: some twenty files.</summary>
    /// <exception cref="KernelException">ENODEV: the group was removed meanwhile.</exception>
    public CgroupUsage ReadUsage() => Unified ? ReadUnifiedUsage() : ReadLegacyUsage();

    /// <summary>Watches for processes that run out of the group's memory; the caller owns the watch.</summary>
    /// <exception cref="KernelException">ENOENT: without the memory controller; EACCES: not allowed.</exception>
    public OutOfMemoryEvents OpenOutOfMemoryEvents() => Find(CgroupControllers.Memory) is not { } part
        ? throw new KernelException($"watch the memory of {this}: {Reason(CgroupControllers.Memory, "", Errno.ENOENT)}", Errno.ENOENT)
        : Unified ? OutOfMemoryEvents.OpenUnified(part.Directory) : OutOfMemoryEvents.OpenLegacy(part.Directory);

    /// <summary>A file's text; null without the controller, the file, or what it counts (pressure where it is switched off).</summary>
    string? TryReadText(CgroupControllers controller, string file)
    {
        try
        {
            return Find(controller) is { } part ? Files.TryReadText(part.Directory, file) : null;
        }
        catch (KernelException failure) when (failure.Errno is Errno.EOPNOTSUPP or Errno.EACCES)
        {
            return null;
        }
    }

    /// <summary>A file of one number, or "max".</summary>
    ulong? ReadAmount(CgroupControllers controller, string file) => TryReadText(controller, file) is { } text ? ParseAmount(text) : null;

    /// <summary>A file of lines with a name and a number.</summary>
    List<KeyValuePair<string, ulong>> ReadTable(CgroupControllers controller, string file)
    {
        var table = new List<KeyValuePair<string, ulong>>();
        foreach (var line in (TryReadText(controller, file) ?? "").Split('\n'))
        {
            if (line.Split(' ') is [var name, var number] && ulong.TryParse(number, CultureInfo.InvariantCulture, out ulong value))
            {
                table.Add(new(name, value));
            }
        }

        return table;
    }

    PidsUsage? ReadPids() => ReadAmount(CgroupControllers.Pids, "pids.current") is { } current
        ? new(current, ReadAmount(CgroupControllers.Pids, "pids.max") ?? ulong.MaxValue)
        : null;

    /// <summary>One entry for every size of huge pages; of reservations where the kernel counts them.</summary>
    List<KeyValuePair<string, Amount>> ReadHugePages(Func<string, Amount?> read)
    {
        var sizes = new List<KeyValuePair<string, Amount>>();
        if (Find(CgroupControllers.HugePages) is { } part)
        {
            foreach (var size in Directories.List(part.Directory).Select(entry => entry.Name.Split('.')).Where(IsLimit).Select(name => name[1]).Distinct())
            {
                if ((read($"hugetlb.{size}.rsvd") ?? read($"hugetlb.{size}")) is { } amount)
                {
                    sizes.Add(new(size, amount));
                }
            }
        }

        return sizes;

        static bool IsLimit(string[] name) => name is ["hugetlb", _, "max" or "limit_in_bytes"];
    }

    Pressure? ReadPressure(string file) => TryReadText(CgroupControllers.None, file) is { } text ? ParsePressure(text) : null;

    internal static Pressure ParsePressure(string text)
    {
        PressureShare some = default, full = default;
        foreach (var line in text.Split('\n'))
        {
            // some avg10=0.00 avg60=0.00 avg300=0.00 total=0
            if (line.Split(' ', '=') is [var kind, _, var ten, _, var sixty, _, var threeHundred, _, var total])
            {
                var share = new PressureShare(Number(ten), Number(sixty), Number(threeHundred), ParseAmount(total));
                (some, full) = kind == "some" ? (share, full) : (some, share);
            }
        }

        return new(some, full);

        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>Reads a list of numbers and ranges: <c>0-3,7</c>.</summary>
    internal static List<ushort> ParseList(string text)
    {
        var numbers = new List<ushort>();
        foreach (var range in text.Trim().Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = range.Split('-');
            for (int number = int.Parse(ends[0], CultureInfo.InvariantCulture); number <= int.Parse(ends[^1], CultureInfo.InvariantCulture); number++)
            {
                numbers.Add((ushort)number);
            }
        }

        return numbers;
    }

    static ulong ParseAmount(string text) => ulong.TryParse(text.AsSpan().Trim(), CultureInfo.InvariantCulture, out ulong number) ? number : ulong.MaxValue;

    static ulong Find(List<KeyValuePair<string, ulong>> table, string name) => table.Find(entry => entry.Key == name).Value;
}
