using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Supervisor;

/// <summary>An app's control group, as much of it as starting the app takes.</summary>
/// <param name="JoinFiles">To be written to by the app's process (version 1).</param>
/// <param name="Birthplace">To be born in (version 2).</param>
/// <param name="KillFile">To end all that is in it.</param>
sealed record AppCgroup(IReadOnlyList<FileDescriptor> JoinFiles, FileDescriptor? Birthplace, CgroupKillFile KillFile)
{
    public IEnumerable<FileDescriptor> Descriptors => [.. JoinFiles, KillFile.File, .. Birthplace is null ? (ReadOnlySpan<FileDescriptor>)[] : [Birthplace]];
}

/// <summary>The control groups of a pod: one for each app, below one of the pod's own.</summary>
/// <param name="fromUserNamespace">The pod is in a user namespace.</param>
sealed class PodCgroups(bool fromUserNamespace)
{
    readonly CgroupLayout layout = CgroupLayout.DetectOwn();
    readonly List<Cgroup> groups = [];

    const CgroupControllers Always = CgroupControllers.Memory | CgroupControllers.Cpu | CgroupControllers.CpuAccounting | CgroupControllers.Pids;

    /// <summary>The version 1 hierarchies that an app can see its group in; null where there is version 2 alone.</summary>
    public IReadOnlyList<string>? Hierarchies => layout.Kind == CgroupKind.Unified ? null : layout.HierarchyNames(Always | CgroupControllers.Devices);

    /// <summary>The limits on all apps of the pod together, of which the pod directory may tell.</summary>
    readonly CgroupLimits? ofPod = ReadOfPod();

    Cgroup? whole;
    bool told;

    static CgroupLimits? ReadOfPod() => Files.Exists(FileDescriptor.WorkingDirectory, "resources")
        ? ContainerResources.ToLimits(RuntimeResources.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, "resources"), "resources"), devices: null) : null;

    /// <summary>Makes the pod's own group, if there are limits on all apps together.</summary>
    public void CreateWhole(string uuid)
    {
        if (ofPod is not null && layout.Kind != CgroupKind.None)
        {
            whole = Cgroup.Create(layout, $"{Cgroup.DefaultParent}/{uuid}", ofPod.Controllers | Always);
            Apply(whole, ofPod);
        }
    }

    static void Apply(Cgroup group, CgroupLimits limits)
    {
        foreach (var unset in group.Apply(limits))
        {
            Messages.Error($"warning: {unset}");
        }
    }

    /// <summary>Makes the app's group with its limits. Limits that this machine cannot set are said on standard error, one line each.</summary>
    public AppCgroup? Create(RuntimeConfig config)
    {
        if (layout.Kind == CgroupKind.None || config.Linux?.CgroupsPath is not { } path)
        {
            if (!told)
            {
                told = true;
                Messages.Error($"warning: {(CgroupLayout.Detect().Kind == CgroupKind.None ? "no control groups are mounted on this machine" : "this machine's control groups are not handed over to us")}: the apps run without limits, and without a guard over devices");
            }

            return null;
        }

        var limits = ContainerResources.ToLimits(config.Linux.Resources ?? new RuntimeResources(), DeviceRule.Default);
        var group = Cgroup.Create(layout, path, limits.Controllers | Always | (ofPod?.Controllers ?? CgroupControllers.None));
        groups.Add(group);
        Apply(group, limits);

        // Into a version 2 group one is born, if one has the right to it. Root of a user namespace has not: there the file that we have opened counts
        // (Linux 5.16), at the price of the grace period that moving takes.
        return group.UnifiedDirectory is { } birthplace && !fromUserNamespace ? new AppCgroup([], birthplace, group.OpenKillFile())
            : new AppCgroup(group.OpenJoinFiles(), null, group.OpenKillFile());
    }

    /// <summary>Ends whatever runs in them.</summary>
    public void Kill() => groups.ForEach(group => group.Kill());

    /// <summary>Removes the groups when their processes are gone.</summary>
    public void Remove()
    {
        foreach (var group in whole is null ? groups : [.. groups, whole])
        {
            try
            {
                group.Remove();
            }
            catch (KernelException)
            {
                // Something in it still dies; gc comes by later.
            }
        }

        if (groups.Count > 0)
        {
            var path = groups[0].Path;
            Cgroup.TryRemoveEmpty(layout, path[..path.LastIndexOf('/')]);
        }
    }

    /// <summary>Removes the groups of a pod that are still there, with whatever runs in them.</summary>
    /// <param name="app">Only this app's; null for all.</param>
    public static void Remove(string uuid, string? app = null)
    {
        var layout = CgroupLayout.Detect();
        if (layout.Kind != CgroupKind.None)
        {
            using var group = Cgroup.TryOpen(layout, $"{Cgroup.DefaultParent}/{uuid}{(app is null ? "" : $"/{app}")}");
            group?.Kill();
            group?.Remove();
        }
    }
}
