namespace Nacelle.Specs;

static partial class RuntimeConfigCheck
{
    static readonly string[] DeviceRuleTypes = ["a", "c", "b"];

    /// <summary>Engines write 0 for what they leave as it is, and so 0 is taken wherever it is no value of its own.</summary>
    /// <param name="at">The path of its members, up to their names.</param>
    public static void Resources(RuntimeResources resources, string at)
    {
        for (int i = 0; i < resources.Devices.Count; i++)
        {
            DeviceRule($"{at}devices[{i}]", resources.Devices[i]);
        }

        if (resources.Memory is { } memory)
        {
            Memory($"{at}memory", memory);
        }

        if (resources.Cpu is { } cpu)
        {
            Cpu($"{at}cpu", cpu);
        }

        Limit(at, "pids.limit", resources.Pids?.Limit);
        if (resources.BlockIo is { } io)
        {
            BlockIo($"{at}blockIO", io);
        }

        for (int i = 0; i < resources.HugepageLimits.Count; i++)
        {
            HugePages($"{at}hugepageLimits[{i}]", resources.HugepageLimits[i]);
        }

        for (int i = 0; i < resources.Network?.Priorities.Count; i++)
        {
            if (!IsInterface(resources.Network.Priorities[i].Name))
            {
                throw new SpecException($"{at}network.priorities[{i}].name", $"'{Short(resources.Network.Priorities[i].Name)}' cannot be the name of a network interface");
            }
        }

        if (resources.Rdma is { } rdma)
        {
            Rdma($"{at}rdma", rdma);
        }

        if (resources.Unified is { } unified)
        {
            Unified($"{at}unified", unified);
        }
    }

    static void DeviceRule(string at, RuntimeDeviceRule rule)
    {
        if (rule.Type is { } type)
        {
            OneOf(at, ".type", type, "a type of device", DeviceRuleTypes);
        }

        Within(at, ".major", rule.Major, -1, LargestMajor); // engines write -1 for any
        Within(at, ".minor", rule.Minor, -1, LargestMinor);
        if (rule.Access.AsSpan().ContainsAnyExcept("rwm"))
        {
            throw new SpecException($"{at}.access", $"'{Short(rule.Access!)}' is not of the letters r, w and m");
        }
    }

    static void Memory(string at, RuntimeMemory memory)
    {
        Limit(at, ".limit", memory.Limit);
        Limit(at, ".reservation", memory.Reservation);
        Limit(at, ".swap", memory.Swap);
        Limit(at, ".kernel", memory.Kernel);
        Limit(at, ".kernelTCP", memory.KernelTcp);
        if (memory is { Limit: -1, Swap: > 0 })
        {
            throw new SpecException($"{at}.swap", "is memory and swap together: it cannot be limited while memory alone is not");
        }

        if (memory is { Limit: > 0, Swap: > 0 } && memory.Swap < memory.Limit)
        {
            throw new SpecException($"{at}.swap", $"{memory.Swap} is memory and swap together: it cannot be below the limit of memory alone, {memory.Limit}");
        }

        if (memory.Swappiness > 100)
        {
            throw new SpecException($"{at}.swappiness", $"{memory.Swappiness} is out of range: use 0 to 100");
        }
    }

    /// <summary>See the kernel's Documentation/scheduler/sched-bwc.rst and sched-rt-group.rst.</summary>
    static void Cpu(string at, RuntimeCpu cpu)
    {
        if (cpu.Shares is 1 or > 262_144)
        {
            throw new SpecException($"{at}.shares", $"{cpu.Shares} is out of range: use 2 to 262144");
        }

        if (cpu.Quota is < -1 or (> 0 and < 1000))
        {
            throw new SpecException($"{at}.quota", $"{cpu.Quota} is out of range: use 1000 or more microseconds, or -1 for no limit");
        }

        if (cpu.Period is (> 0 and < 1000) or > 1_000_000)
        {
            throw new SpecException($"{at}.period", $"{cpu.Period} is out of range: use 1000 to 1000000 microseconds");
        }

        if (cpu.Quota > 0 && cpu.Burst > (ulong)cpu.Quota)
        {
            throw new SpecException($"{at}.burst", $"{cpu.Burst} is above the quota, {cpu.Quota}");
        }

        Limit(at, ".realtimeRuntime", cpu.RealtimeRuntime);
        if (cpu is { RealtimeRuntime: > 0, RealtimePeriod: > 0 } && (ulong)cpu.RealtimeRuntime > cpu.RealtimePeriod)
        {
            throw new SpecException($"{at}.realtimeRuntime", $"{cpu.RealtimeRuntime} is above the period, {cpu.RealtimePeriod}");
        }

        NumberList(at, ".cpus", cpu.Cpus);
        NumberList(at, ".mems", cpu.Mems);
        Within(at, ".idle", cpu.Idle, 0, 1);
    }

    static void Limit(string at, string member, long? limit)
    {
        if (limit < -1)
        {
            throw new SpecException(at + member, $"{limit} is negative: use -1 for no limit");
        }
    }

    static void BlockIo(string at, RuntimeBlockIo io)
    {
        Weight(at, ".weight", io.Weight);
        Weight(at, ".leafWeight", io.LeafWeight);
        for (int i = 0; i < io.WeightDevice.Count; i++)
        {
            var device = io.WeightDevice[i];
            var one = $"{at}.weightDevice[{i}]";
            DeviceNumber(one, device.Major, device.Minor);
            Weight(one, ".weight", device.Weight);
            Weight(one, ".leafWeight", device.LeafWeight);
            if ((device.Weight ?? device.LeafWeight) is null)
            {
                throw new SpecException(one, "has neither weight nor leafWeight");
            }
        }

        Throttles($"{at}.throttleReadBpsDevice", io.ThrottleReadBpsDevice);
        Throttles($"{at}.throttleWriteBpsDevice", io.ThrottleWriteBpsDevice);
        Throttles($"{at}.throttleReadIOPSDevice", io.ThrottleReadIopsDevice);
        Throttles($"{at}.throttleWriteIOPSDevice", io.ThrottleWriteIopsDevice);
    }

    static void Throttles(string at, IReadOnlyList<RuntimeThrottleDevice> devices)
    {
        for (int i = 0; i < devices.Count; i++)
        {
            DeviceNumber($"{at}[{i}]", devices[i].Major, devices[i].Minor);
        }
    }

    static void DeviceNumber(string at, uint major, uint minor)
    {
        Within(at, ".major", major, 0, LargestMajor);
        Within(at, ".minor", minor, 0, LargestMinor);
    }

    static void Weight(string at, string member, uint? weight)
    {
        if (weight != 0)
        {
            Within(at, member, weight, 10, 1000);
        }
    }

    /// <summary>As the kernel names its sizes, 64KB or 2MB; the name becomes a part of a file's.</summary>
    static void HugePages(string at, RuntimeHugePageLimit limit)
    {
        var size = limit.PageSize.AsSpan();
        if (size.Length < 3 || !size.EndsWith("B") || !"KMG".Contains(size[^2]) || !IsPlainNumber(size[..^2]) || size[0] == '0')
        {
            throw new SpecException($"{at}.pageSize", $"'{Short(limit.PageSize)}' is not a page's size: use a number and KB, MB or GB, as in 2MB");
        }
    }

    static void Rdma(string at, IReadOnlyDictionary<string, RuntimeRdma> limits)
    {
        foreach (var (device, limit) in limits)
        {
            if (device.Length == 0 || device.AsSpan().ContainsAny("/\0 \t\n"))
            {
                throw new SpecException(at, $"'{Short(device)}' cannot be the name of a device");
            }

            if ((limit.HcaHandles ?? limit.HcaObjects) is null)
            {
                throw new SpecException($"{at}.{device}", "has neither hcaHandles nor hcaObjects");
            }
        }
    }

    static void Unified(string at, IReadOnlyDictionary<string, string> files)
    {
        foreach (var (file, value) in files)
        {
            if (file is "" or "." or ".." || file.AsSpan().ContainsAny('/', '\0'))
            {
                throw new SpecException(at, $"'{Short(file)}' is not the name of a control group's file");
            }

            Text($"{at}.", file, value);
        }
    }
}
