using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What an app uses now, and has used of the processor since it started. Null where it is not counted.</summary>
/// <param name="Memory">In bytes, with the page cache that cannot be given back at once.</param>
/// <param name="MemoryLimit">In bytes; null for none.</param>
/// <param name="Processor">In nanoseconds.</param>
/// <param name="Processes">Processes and threads.</param>
/// <param name="Read">From disks, in bytes.</param>
/// <param name="Written">To disks, in bytes.</param>
public sealed record AppUsage(AppName App, long? Memory, long? MemoryLimit, long? Processor, long? Processes, long? Read, long? Written);

/// <summary>What pods that run use, by their apps' control groups.</summary>
public static class PodUsage
{
    /// <returns>For each app that has a control group.</returns>
    public static IReadOnlyList<AppUsage> Read(Pod pod)
    {
        var layout = CgroupLayout.Detect();
        var usage = new List<AppUsage>();
        foreach (var app in layout.Kind == CgroupKind.None ? [] : pod.TryReadManifest()?.Apps ?? [])
        {
            using var group = Cgroup.TryOpen(layout, $"{Cgroup.DefaultParent}/{pod.Uuid}/{app.Name}");
            if (group is not null)
            {
                usage.Add(Of(app.Name, group));
            }
        }

        return usage;
    }

    static AppUsage Of(AppName app, Cgroup group)
    {
        const ulong Unlimited = 1ul << 62; // what version 1 says for no limit lies above
        var all = group.ReadUsage();
        long? limit = all.Memory is { } memory && memory.Memory.Limit < Unlimited ? (long)memory.Memory.Limit : null;
        return new AppUsage(
            app, WorkingSet(all.Memory), limit, (long?)all.Cpu?.Total, (long?)all.Pids?.Current,
            all.BlockIo is { } io ? (long)Sum(io, "read") : null, all.BlockIo is { } io2 ? (long)Sum(io2, "write") : null);
    }

    /// <summary>As Kubernetes reckons it: what is in use but the page cache that nobody has asked for lately.</summary>
    static long? WorkingSet(MemoryUsage? memory)
    {
        if (memory is null)
        {
            return null;
        }

        long inactive = (long)memory.Details.FirstOrDefault(one => one.Key is "inactive_file" or "total_inactive_file").Value;
        return Math.Max(0, (long)memory.Memory.Usage - inactive);
    }

    static ulong Sum(BlockIoUsage io, string operation) =>
        io.Bytes.Where(one => one.Operation.Equals(operation, StringComparison.OrdinalIgnoreCase)).Aggregate(0ul, (sum, one) => sum + one.Value);
}
