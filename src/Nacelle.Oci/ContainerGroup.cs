using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;
using Nacelle.Systemd;

namespace Nacelle.Oci;

/// <summary>Where a container's control group is going to be; nothing is made yet.</summary>
/// <param name="Path">Below the mounts of control groups; null for a container that stays in its caller's group, or whose group systemd makes.</param>
/// <param name="Unit">The systemd unit that it belongs to, or null.</param>
sealed record GroupPlace(CgroupLayout Layout, CgroupPath? Path, SystemdUnit? Unit)
{
    /// <exception cref="SpecException">linux.cgroupsPath has not the form that the manager wants.</exception>
    public static GroupPlace Plan(RuntimeConfig config, string id, CgroupManager manager)
    {
        var layout = CgroupLayout.Detect();
        var path = config.Linux?.CgroupsPath;
        try
        {
            return manager == CgroupManager.None || layout.Kind == CgroupKind.None ? new(layout, null, null)
                : manager == CgroupManager.Systemd ? new(layout, null, SystemdUnit.Parse(path, id, ContainerUnit.Instance))
                : new(layout, CgroupPath.Resolve(layout, path is { Length: > 0 } ? path : id), null);
        }
        catch (ArgumentException problem)
        {
            throw new SpecException("linux.cgroupsPath", problem.Message);
        }
    }
}

/// <summary>A container's control group while it is created.</summary>
sealed class ContainerGroup : IDisposable
{
    /// <summary>What every container is counted by, and stopped with.</summary>
    const CgroupControllers Always = CgroupControllers.Memory | CgroupControllers.Cpu | CgroupControllers.CpuAccounting | CgroupControllers.Pids
        | CgroupControllers.Devices | CgroupControllers.Freezer;

    readonly GroupPlace place;
    readonly RuntimeConfig config;
    readonly CgroupLimits limits;
    Cgroup? group;

    ContainerGroup(GroupPlace place, RuntimeConfig config)
    {
        this.place = place;
        this.config = config;
        limits = ContainerResources.ToLimits(config.Linux?.Resources ?? new RuntimeResources(), IsPrivileged ? DeviceRule.Default : null);
    }

    static bool IsPrivileged => Processes.IsRoot && UserNamespaces.IsInitial;

    /// <summary>See <see cref="ContainerSetting.Cgroups"/>.</summary>
    public IReadOnlyList<FileDescriptor> JoinFiles { get; private set; } = [];

    /// <summary>The directory of version 2 that the process is born in, or null.</summary>
    public FileDescriptor? Birthplace => group?.UnifiedDirectory;

    /// <summary>See <see cref="ContainerRecord.Cgroup"/>.</summary>
    public string? Path => group?.FullPath.ToString();

    /// <summary>See <see cref="ContainerRecord.CgroupsMade"/>.</summary>
    public int Made => group is { IsMade: true } ? 1 + group.ParentsMade : 0;

    /// <summary>Whether a process was killed because the memory that the group may have was used up.</summary>
    public bool HasRunOutOfMemory => group?.ReadStatistics().OutOfMemoryKills > 0;

    /// <summary>See <see cref="ContainerSetting.CgroupHierarchies"/>.</summary>
    public IReadOnlyList<CgroupSource>? Hierarchies
    {
        get
        {
            if (place.Layout.Kind is CgroupKind.Unified or CgroupKind.None)
            {
                return place.Layout.Kind == CgroupKind.Unified ? null : [];
            }

            // A container that shares the host's view is shown its own group only; one that systemd is going to make is not known yet.
            return (ContainerNamespaces.Own(config) & Namespaces.Cgroup) != 0
                ? [.. place.Layout.HierarchyNames(limits.Controllers | Always).Select(name => new CgroupSource(name))]
                : [.. (group?.Locations ?? []).Select(one => new CgroupSource(one.Controllers, one.Directory))];
        }
    }

    /// <summary>Makes the group, or takes an unused one, and sets its limits; one of systemd's is made when there is a process to put in it.</summary>
    /// <exception cref="SpecException">A limit cannot be set here.</exception>
    public static ContainerGroup Create(GroupPlace place, RuntimeConfig config)
    {
        var made = new ContainerGroup(place, config);
        if (place.Unit is not null)
        {
            return made;
        }

        if (place.Path is null)
        {
            return (made.limits.Controllers & ~CgroupControllers.Devices) == CgroupControllers.None ? made
                : throw new SpecException("linux.resources", "there are no control groups here that could limit anything");
        }

        try
        {
            made.Open(place.Path);
            made.group!.RequireUnused();
            made.SetLimits();
            made.GiveAway();
            made.JoinFiles = made.Birthplace is null ? made.group.OpenJoinFiles() : [];
        }
        catch (KernelException problem) when (made.group is null && !IsPrivileged && made.limits.Controllers == CgroupControllers.None
            && problem.Errno is Errno.EACCES or Errno.EPERM or Errno.EROFS)
        {
            // Who may make no groups, and asks for no limits, does without.
        }
        catch
        {
            made.Remove();
            made.Dispose();
            throw;
        }

        return made;
    }

    /// <summary>Has systemd make the group, with the process in it, and sets all limits there, as systemd does not know them all.</summary>
    public void Adopt(int process)
    {
        if (place.Unit is not { } unit)
        {
            return;
        }

        using var manager = SystemdManager.Open(ContainerUnit.Instance);
        Open(new CgroupPath(SystemdScope.Start(manager, unit, process, limits, place.Layout, config.Annotations ?? new Dictionary<string, string>())));
        SetLimits();
        GiveAway();
        if (Birthplace is null)
        {
            group!.Add(process);
        }
    }

    void Open(CgroupPath path) => group = Cgroup.OpenOrCreate(place.Layout, path, limits.Controllers | Always);

    void SetLimits()
    {
        if (group!.Apply(limits) is [var unset, ..])
        {
            throw new SpecException("linux.resources", unset.ToString());
        }
    }

    /// <summary>Makes the group the container's user's, who may divide it further, where that user sees nothing above it and may write to it.</summary>
    /// <remarks>OCI runtime specification 1.3.0, config-linux.md, "Cgroup ownership". The groups of who is not root are the container's root's already.</remarks>
    void GiveAway()
    {
        bool isTop = config.Linux?.Namespaces.Any(one => one.Type == "cgroup" && one.Path is null) ?? false;
        bool isWritable = config.Mounts.Any(mount => mount.Type is "cgroup" or "cgroup2" && (MountOptions.Parse(mount.Options, mount.Type).Set & MountAttributes.ReadOnly) == 0);
        var user = config.Process?.User.Uid ?? 0;
        if (IsPrivileged && isTop && isWritable && (HasUsers ? IdRanges.Outside(config.Linux!.UidMappings, user) : user) is { } owner and not 0)
        {
            group!.Delegate(owner);
        }
    }

    bool HasUsers => (ContainerNamespaces.Own(config) & Namespaces.User) != 0;

    /// <summary>Takes away what was made, when the creation fails.</summary>
    public void Remove()
    {
        if (place.Unit is { } unit && group is not null)
        {
            ContainerUnit.Stop(unit.Name);
        }

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
