using System.Buffers.Binary;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>When and where a container's process runs: scheduling policy, priorities, memory nodes, personality.</summary>
static class ContainerScheduling
{
    // linux/sched.h, in the order of their numbers; 4 was never given.
    static readonly string[] Policies = ["SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE"];

    static readonly (string Name, ulong Value)[] SchedulerFlags =
    [
        ("SCHED_FLAG_RESET_ON_FORK", 0x01), ("SCHED_FLAG_RECLAIM", 0x02), ("SCHED_FLAG_DL_OVERRUN", 0x04), ("SCHED_FLAG_KEEP_POLICY", 0x08),
        ("SCHED_FLAG_KEEP_PARAMS", 0x10), ("SCHED_FLAG_UTIL_CLAMP_MIN", 0x20), ("SCHED_FLAG_UTIL_CLAMP_MAX", 0x40),
    ];

    // linux/ioprio.h
    static readonly string[] IoClasses = ["IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"];

    // linux/mempolicy.h
    static readonly string[] MemoryModes =
        ["MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"];

    static readonly (string Name, ulong Value)[] MemoryFlags =
        [("MPOL_F_STATIC_NODES", 1 << 15), ("MPOL_F_RELATIVE_NODES", 1 << 14), ("MPOL_F_NUMA_BALANCING", 1 << 13)];

    public static void Add(LaunchPlan plan, RuntimeProcess process, ProcessSetting setting)
    {
        if (process.Scheduler is { } scheduler)
        {
            plan.Call($"set scheduler {scheduler.Policy}", SystemCall.sched_setattr, 0, plan.Bytes(Encode(scheduler)), 0);
        }

        if (process.IoPriority is { } priority)
        {
            const int IOPRIO_WHO_PROCESS = 1, IOPRIO_CLASS_SHIFT = 13;
            int kind = IndexOf(IoClasses, priority.Class, "process.ioPriority.class");
            plan.Call($"set I/O priority {priority.Class}", SystemCall.ioprio_set, IOPRIO_WHO_PROCESS, 0, (kind << IOPRIO_CLASS_SHIFT) + priority.Priority);
        }

        if (setting.Personality is { } personality)
        {
            const long PER_LINUX = 0, PER_LINUX32 = 8;
            plan.Call($"set personality {personality.Domain}", SystemCall.personality, personality.Domain == "LINUX32" ? PER_LINUX32 : PER_LINUX);
        }

        if (setting.MemoryPolicy is { } policy)
        {
            long mode = IndexOf(MemoryModes, policy.Mode, "linux.memoryPolicy.mode") + (long)Bits(MemoryFlags, policy.Flags, "linux.memoryPolicy.flags");
            var nodes = CpuSets.Parse(policy.Nodes ?? "", "linux.memoryPolicy.nodes");
            plan.Call($"set memory policy {policy.Mode}", SystemCall.set_mempolicy, mode, nodes.Length == 0 ? 0 : plan.Bytes(nodes), nodes.Length * 8L);
        }
    }

    /// <summary>Lets the process run on these processors only. See sched_setaffinity(2).</summary>
    public static void SetAffinity(LaunchPlan plan, string processors, string path)
    {
        var set = CpuSets.Parse(processors, path);
        plan.Call($"run on processors {processors}", SystemCall.sched_setaffinity, 0, set.Length, plan.Bytes(set));
    }

    static byte[] Encode(RuntimeScheduler scheduler)
    {
        // struct sched_attr, sched_setattr(2): size, policy, flags, nice, priority, runtime, deadline, period.
        const int Size = 48;
        var attributes = new byte[Size];
        var span = attributes.AsSpan();
        BinaryPrimitives.WriteUInt32LittleEndian(span, Size);
        BinaryPrimitives.WriteUInt32LittleEndian(span[4..], (uint)IndexOf(Policies, scheduler.Policy, "process.scheduler.policy"));
        BinaryPrimitives.WriteUInt64LittleEndian(span[8..], Bits(SchedulerFlags, scheduler.Flags, "process.scheduler.flags"));
        BinaryPrimitives.WriteInt32LittleEndian(span[16..], scheduler.Nice);
        BinaryPrimitives.WriteUInt32LittleEndian(span[20..], (uint)scheduler.Priority);
        BinaryPrimitives.WriteUInt64LittleEndian(span[24..], scheduler.Runtime);
        BinaryPrimitives.WriteUInt64LittleEndian(span[32..], scheduler.Deadline);
        BinaryPrimitives.WriteUInt64LittleEndian(span[40..], scheduler.Period);
        return attributes;
    }

    static int IndexOf(string[] names, string name, string path) =>
        Array.IndexOf(names, name) is var index and >= 0 ? index : throw new SpecException(path, $"'{name}' is not known: use one of {string.Join(", ", names)}");

    static ulong Bits((string Name, ulong Value)[] known, IReadOnlyList<string> names, string path)
    {
        ulong bits = 0;
        foreach (var name in names)
        {
            int index = Array.FindIndex(known, one => one.Name == name);
            bits |= index >= 0 ? known[index].Value : throw new SpecException(path, $"'{name}' is not known: use one of {string.Join(", ", known.Select(one => one.Name))}");
        }

        return bits;
    }
}
