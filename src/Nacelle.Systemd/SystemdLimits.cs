using System.Globalization;
using Nacelle.Linux;

namespace Nacelle.Systemd;

/// <summary>Turns limits into what systemd calls them. See systemd.resource-control(5) and org.freedesktop.systemd1(5).</summary>
static class SystemdLimits
{
    const ulong Infinity = ulong.MaxValue;
    const ulong UsualPeriod = 100_000;

    /// <param name="unified">Version 2 alone; else with the names of version 1.</param>
    public static List<SystemdProperty> Properties(CgroupLimits limits, bool unified)
    {
        var properties = new List<SystemdProperty>();
        if (unified)
        {
            Add("MemoryMax", Number(limits.Memory));
            Add("MemoryLow", Number(limits.MemoryReservation));
            Add("MemorySwapMax", limits.MemoryAndSwap < 0 ? Infinity
                : limits.MemoryAndSwap > 0 && limits.Memory > 0 && limits.MemoryAndSwap >= limits.Memory ? (ulong)(limits.MemoryAndSwap - limits.Memory) : null);
            Add("CPUWeight", limits is { CpuShares: { } shares, CpuIdle: not > 0 } ? CgroupLimits.CpuWeight(shares) : null);
            Add("IOWeight", limits.BlockIoWeight is { } weight ? CgroupLimits.IoWeight(weight) : null);
            AddList("AllowedCPUs", limits.CpuSetProcessors);
            AddList("AllowedMemoryNodes", limits.CpuSetMemoryNodes);
        }
        else
        {
            Add("MemoryLimit", Number(limits.Memory));
            Add("CPUShares", limits.CpuShares);
            Add("BlockIOWeight", limits.BlockIoWeight);
        }

        // systemd knows no group without processes.
        Add("TasksMax", limits.Pids == 0 ? 1 : Number(limits.Pids));
        AddQuota(limits.CpuQuota, limits.CpuPeriod);
        foreach (var (file, value) in limits.Unified)
        {
            AddUnified(file, value.Trim());
        }

        if (limits.Devices is { } devices)
        {
            properties.AddRange(SystemdDevices.Properties(devices));
        }

        return properties;

        void Add(string name, ulong? number)
        {
            if (number is { } value)
            {
                properties.Add(new(name, BusValue.UInt64(value)));
            }
        }

        void AddList(string name, string? list)
        {
            if (!string.IsNullOrEmpty(list))
            {
                properties.Add(new(name, BusValue.Array("y", [.. Bits(list).Select(BusValue.Byte)])));
            }
        }

        void AddQuota(long? quota, ulong? period)
        {
            Add("CPUQuotaPeriodUSec", period);
            if (quota is { } number)
            {
                // systemd calculates in whole percents: rounded up, so that groups below can have what is asked for.
                const ulong Second = 1_000_000, Percent = Second / 100;
                Add("CPUQuotaPerSecUSec", number <= 0 ? Infinity : ((((ulong)number * Second / (period ?? UsualPeriod)) + Percent - 1) / Percent) * Percent);
            }
        }

        void AddUnified(string file, string value)
        {
            var words = value.Split(' ');
            ulong? amount = value == "max" ? Infinity : ulong.TryParse(value, CultureInfo.InvariantCulture, out ulong number) ? number : null;
            switch (file)
            {
                case "memory.max" or "memory.high" or "memory.low" or "memory.min":
                    Add($"Memory{char.ToUpperInvariant(file[7])}{file[8..]}", amount);
                    break;
                case "memory.swap.max":
                    Add("MemorySwapMax", amount);
                    break;
                case "pids.max":
                    Add("TasksMax", amount == 0 ? 1 : amount);
                    break;
                case "cpu.weight":
                    Add("CPUWeight", amount);
                    break;
                case "cpu.max":
                    AddQuota(
                        long.TryParse(words[0], CultureInfo.InvariantCulture, out long quota) ? quota : CgroupLimits.Unlimited,
                        words.Length > 1 && ulong.TryParse(words[1], CultureInfo.InvariantCulture, out ulong period) ? period : null);
                    break;
                case "cpuset.cpus":
                    AddList("AllowedCPUs", value);
                    break;
                case "cpuset.mems":
                    AddList("AllowedMemoryNodes", value);
                    break;
            }
        }

        static ulong? Number(long? number) => number is null ? null : number < 0 ? Infinity : (ulong)number;
    }

    /// <summary>A list like <c>0-3,7</c> as bits, the lowest of the first byte first.</summary>
    /// <exception cref="ArgumentException">It is no such list.</exception>
    internal static byte[] Bits(string list)
    {
        const int Most = 8192;
        var bits = new byte[Most / 8];
        int length = 0;
        foreach (var range in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = range.Split('-');
            if (!int.TryParse(ends[0], CultureInfo.InvariantCulture, out int first) || !int.TryParse(ends[^1], CultureInfo.InvariantCulture, out int last)
                || ends.Length > 2 || first < 0 || last < first || last >= Most)
            {
                throw new ArgumentException($"'{list}' is not a list of processors or nodes: write it like 0-3,7");
            }

            for (int number = first; number <= last; number++)
            {
                bits[number / 8] |= (byte)(1 << (number % 8));
            }

            length = Math.Max(length, (last / 8) + 1);
        }

        return bits[..length];
    }
}
