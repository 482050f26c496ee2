using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>Changes the limits of a container that was created or runs.</summary>
static class UpdateCommand
{
    public static readonly Command Definition = new(
        "update", "[OPTIONS] ID", "change the limits of a container",
        [
            new("resources|r", "FILE", "a resources section as in config.json, or - for standard input; options are added to it"),
            new("memory", "BYTES", "the most memory"),
            new("memory-reservation", "BYTES", "memory that is left to the container as long as there is enough"),
            new("memory-swap", "BYTES", "the most memory and swap together; -1 for no limit"),
            new("cpu-period", "MICROSECONDS", "the period of the quota"),
            new("cpu-quota", "MICROSECONDS", "processor time in each period; -1 for no limit"),
            new("cpu-burst", "MICROSECONDS", "what may be saved up for later periods"),
            new("cpu-share", "SHARES", "the share of processor time, 1024 being usual"),
            new("cpu-idle", "0|1", "run only when nobody else wants to"),
            new("cpu-rt-period", "MICROSECONDS", "the period of real-time processes"),
            new("cpu-rt-runtime", "MICROSECONDS", "their processor time in each period"),
            new("cpuset-cpus", "LIST", "the processors to run on: 0-3,7"),
            new("cpuset-mems", "LIST", "the memory nodes to take memory from"),
            new("pids-limit", "NUMBER", "the most processes and threads; -1 for no limit"),
            new("blkio-weight", "WEIGHT", "the share of disk time, 10 to 1000"),
            new("kernel-memory", "BYTES", "accepted; the kernel has it no more"),
            new("kernel-memory-tcp", "BYTES", "memory for TCP buffers; version 1 of control groups"),
        ],
        Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        var resources = new RuntimeResources();
        void Take(string name, string value) => resources = name == "resources" ? Read(value) : Change(resources, name, value);
        arguments.TakeOptions(Definition.Options, Take);
        var id = arguments.Need("the container's id");
        arguments.TakeOptions(Definition.Options, Take);
        arguments.End();
        using var container = new ContainerStore(globals.Root).Open(id, LockKind.Exclusive);
        if (container.Status is var status and (RuntimeStatus.Stopped or RuntimeStatus.Creating))
        {
            throw new UserException($"cannot update container {id}, which is {status}");
        }

        using var group = container.OpenCgroup() ?? throw new UserException($"cannot update container {id}, which has no control group of its own");
        var devices = resources.Devices.Count > 0 ? DeviceRule.Default : null;
        var limits = ContainerResources.ToLimits(resources, devices);
        if (container.Record.Unit is { } unit)
        {
            ContainerUnit.Update(unit, limits);
        }

        group.Extend(limits.Controllers);
        return group.Apply(limits) is [var unset, ..] ? throw new UserException($"cannot update container {id}: {unset}") : 0;
    }

    static RuntimeResources Read(string file) => RuntimeResources.Parse(
        file == "-" ? Files.ReadToEnd(FileDescriptor.StandardInput) : Files.ReadAll(FileDescriptor.WorkingDirectory, file), file == "-" ? "standard input" : file);

    static RuntimeResources Change(RuntimeResources all, string name, string value)
    {
        var memory = all.Memory ?? new RuntimeMemory();
        var cpu = all.Cpu ?? new RuntimeCpu();
        return name switch
        {
            "memory" => all with { Memory = memory with { Limit = Bytes(name, value) } },
            "memory-reservation" => all with { Memory = memory with { Reservation = Bytes(name, value) } },
            "memory-swap" => all with { Memory = memory with { Swap = Bytes(name, value) } },
            "kernel-memory-tcp" => all with { Memory = memory with { KernelTcp = Bytes(name, value) } },
            "cpu-period" => all with { Cpu = cpu with { Period = (ulong)Number(name, value) } },
            "cpu-quota" => all with { Cpu = cpu with { Quota = Number(name, value) } },
            "cpu-burst" => all with { Cpu = cpu with { Burst = (ulong)Number(name, value) } },
            "cpu-share" => all with { Cpu = cpu with { Shares = (ulong)Number(name, value) } },
            "cpu-idle" => all with { Cpu = cpu with { Idle = Number(name, value) } },
            "cpu-rt-period" => all with { Cpu = cpu with { RealtimePeriod = (ulong)Number(name, value) } },
            "cpu-rt-runtime" => all with { Cpu = cpu with { RealtimeRuntime = Number(name, value) } },
            "cpuset-cpus" => all with { Cpu = cpu with { Cpus = value } },
            "cpuset-mems" => all with { Cpu = cpu with { Mems = value } },
            "pids-limit" => all with { Pids = new RuntimePids(Number(name, value)) },
            "blkio-weight" => all with { BlockIo = (all.BlockIo ?? new RuntimeBlockIo()) with { Weight = (uint)Number(name, value) } },
            _ => all,
        };
    }

    static long Number(string name, string value) =>
        long.TryParse(value, out long number) && number >= -1 ? number : throw new UserException($"--{name} is a whole number, not '{value}'");

    /// <summary>With k, m, g or t behind the number for its multiples by 1024.</summary>
    static long Bytes(string name, string value)
    {
        int power = value.Length > 1 ? "kmgt".IndexOf(char.ToLowerInvariant(value[^1]), StringComparison.Ordinal) + 1 : 0;
        return Number(name, power > 0 ? value[..^1] : value) is -1 ? -1 : checked(Number(name, power > 0 ? value[..^1] : value) << (10 * power));
    }
}
