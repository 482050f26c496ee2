using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>Where a container's control group is going to be; nothing is made yet.</summary>
/// <param name="Path">Below the mounts of control groups; null for a container that stays in its caller's.</param>
/// <param name="Unit">The systemd unit that it belongs to, or null.</param>
sealed record GroupPlace(CgroupLayout Layout, string? Path, string? Unit);

/// <summary>A container's control group while it is created.</summary>
sealed class ContainerGroup : IDisposable
{
    /// <summary>What every container is counted by, and stopped with.</summary>
    const CgroupControllers Always = CgroupControllers.Memory | CgroupControllers.Cpu | CgroupControllers.CpuAccounting | CgroupControllers.Pids
        | CgroupControllers.Devices | CgroupControllers.Freezer;

    readonly Cgroup? group;
    readonly CgroupLayout layout;

    ContainerGroup(CgroupLayout layout, Cgroup? group, IReadOnlyList<FileDescriptor> joinFiles)
    {
        this.layout = layout;
        this.group = group;
        JoinFiles = joinFiles;
    }

    /// <summary>See <see cref="ContainerSetting.Cgroups"/>.</summary>
    public IReadOnlyList<FileDescriptor> JoinFiles { get; }

    /// <summary>The directory of version 2 that the process is born in, or null.</summary>
    public FileDescriptor? Birthplace => group?.UnifiedDirectory;

    /// <summary>See <see cref="ContainerSetting.CgroupHierarchies"/>.</summary>
    public IReadOnlyList<CgroupSource>? Hierarchies(RuntimeConfig config)
    {
        if (layout.Kind is CgroupKind.Unified or CgroupKind.None || group is null)
        {
            return layout.Kind == CgroupKind.Unified ? null : [];
        }

        bool isNamespaced = (ContainerNamespaces.Own(config) & Namespaces.Cgroup) != 0;
        return [.. group.Locations.Select(one => new CgroupSource(one.Controllers, isNamespaced ? null : one.Directory))];
    }

    public static GroupPlace Plan(RuntimeConfig config, string id, CgroupManager manager)
    {
        var layout = CgroupLayout.Detect();
        if (manager == CgroupManager.None || layout.Kind == CgroupKind.None)
        {
            return new(layout, null, null);
        }

        try
        {
            return new(layout, CgroupPath.Resolve(layout, config.Linux?.CgroupsPath is { Length: > 0 } path ? path : id).ToString(), null);
        }
        catch (ArgumentException problem)
        {
            throw new SpecException("linux.cgroupsPath", problem.Message);
        }
    }

    /// <summary>Makes the group, or takes an unused one, and sets its limits.</summary>
    /// <exception cref="SpecException">A limit cannot be set here.</exception>
    public static ContainerGroup Create(GroupPlace place, RuntimeConfig config)
    {
        var layout = place.Layout;
        var resources = config.Linux?.Resources ?? new RuntimeResources();
        bool initial = UserNamespaces.IsInitial && Processes.IsRoot;
        var limits = ContainerResources.ToLimits(resources, initial ? DeviceRule.Default : null);
        if (place.Path is null)
        {
            return limits.Controllers == CgroupControllers.None || limits.Controllers == CgroupControllers.Devices ? new(layout, null, [])
                : throw new SpecException("linux.resources", "there are no control groups here that could limit anything");
        }

        Cgroup group;
        try
        {
            group = Cgroup.OpenOrCreate(layout, CgroupPath.Parse(place.Path), limits.Controllers | Always);
        }
        catch (KernelException problem) when (!initial && limits.Controllers == CgroupControllers.None && problem.Errno is Errno.EACCES or Errno.EPERM or Errno.EROFS)
        {
            return new(layout, null, []); // who may make no groups, and asks for no limits, does without
        }

        try
        {
            group.RequireUnused();
            if (group.Apply(limits) is [var unset, ..])
            {
                throw new SpecException("linux.resources", unset.ToString());
            }

            return new(layout, group, group.UnifiedDirectory is null ? group.OpenJoinFiles() : []);
        }
        catch
        {
            Remove(group);
            group.Dispose();
            throw;
        }
    }

    /// <summary>False for a container that stays in its caller's group.</summary>
    public bool IsUsed => group is not null;

    /// <summary>See <see cref="ContainerRecord.CgroupsMade"/>.</summary>
    public int Made => group is { IsMade: true } ? 1 + group.ParentsMade : 0;

    public void Remove() => Remove(group);

    static void Remove(Cgroup? group)
    {
        if (group is { IsMade: true })
        {
            group.Remove(group.ParentsMade);
        }
    }

    public void Dispose()
    {
        foreach (var file in JoinFiles)
        {
            file.Dispose();
        }

        group?.Dispose();
    }
}
