namespace Nacelle.Linux;

/// <summary>
/// A control group: processes that are limited, counted, stopped and killed together. One object stands for one directory in the tree of version 2,
/// or for directories of one name in several hierarchies of version 1. See cgroups(7).
/// </summary>
/// <remarks>
/// Where hierarchies of version 1 hold the controllers, the empty version 2 tree beside them is not used: its one gift is
/// cgroup.kill, and moving a process into it waits for a grace period of all processors (11 ms and more), as cgroup.procs does in any version.
/// A process gets in without that wait in two ways: born there (CLONE_INTO_CGROUP with <see cref="UnifiedDirectory"/>), or in version 1
/// as a process of one thread that writes "0" into "tasks" (Linux 5.13), which <see cref="OpenJoinFiles"/> opens.
/// </remarks>
public sealed partial class Cgroup : IDisposable
{
    /// <summary>What apps are put below when nothing else is said.</summary>
    public const string DefaultParent = "/nacelle";

    readonly List<Part> parts = [];
    readonly CgroupLayout layout;

    /// <summary>Why controllers are missing, where that was found out when the group was made.</summary>
    string missingReason = "";

    /// <summary>Whether the group may already have a device program, from an earlier call or another process.</summary>
    bool mayHaveDeviceProgram;

    Cgroup(CgroupLayout layout, string path)
    {
        this.layout = layout;
        Path = path;
    }

    /// <summary>The directory in one hierarchy.</summary>
    sealed record Part(CgroupControllers Controllers, FileDescriptor Directory, string MountPoint);

    /// <summary>The group's path below every mount point: <c>/nacelle/…</c>.</summary>
    public string Path { get; }

    /// <summary>The controllers that this group has; what was asked for and is missing here could not be had.</summary>
    public CgroupControllers Controllers { get; private set; }

    bool Unified => layout.Kind == CgroupKind.Unified;

    /// <summary>The directory in a pure version 2 tree, for CLONE_INTO_CGROUP; null elsewhere. Stays this object's.</summary>
    public FileDescriptor? UnifiedDirectory => Unified ? parts[0].Directory : null;

    /// <summary>Makes a new group, with parents where they are missing.</summary>
    /// <param name="layout">From <see cref="CgroupLayout.Detect"/>.</param>
    /// <param name="path">Absolute, from the root of every hierarchy; the last name must be new.</param>
    /// <param name="controllers">What will be limited or counted. Controllers that the machine lacks are left out: see <see cref="Controllers"/>.</param>
    /// <exception cref="KernelException">EEXIST: there is such a group; EROFS, EACCES, EPERM: not allowed here; ENOENT: no cgroups are mounted.</exception>
    public static Cgroup Create(CgroupLayout layout, string path, CgroupControllers controllers)
    {
        CheckPath(path);
        if (layout.Kind == CgroupKind.None)
        {
            throw new KernelException($"create cgroup {path}: find where cgroups are mounted", Errno.ENOENT);
        }

        var group = new Cgroup(layout, path);
        try
        {
            foreach (var (here, mountPoint) in Places(layout, controllers))
            {
                group.parts.Add(MakePart(here, mountPoint, path));
            }

            group.Controllers = group.Unified ? group.EnableControllers(controllers) : group.parts.Aggregate(CgroupControllers.None, (all, part) => all | part.Controllers);
            return group;
        }
        catch
        {
            group.RemoveMade();
            throw;
        }
    }

    /// <summary>Opens a group that was made earlier, in all the hierarchies where it is; null where there is none of that path.</summary>
    public static Cgroup? TryOpen(CgroupLayout layout, string path)
    {
        CheckPath(path);
        var group = new Cgroup(layout, path) { mayHaveDeviceProgram = true };
        foreach (var (here, mountPoint) in Places(layout, (CgroupControllers)~0))
        {
            using var root = Files.Open(mountPoint, OpenFlags.Path | OpenFlags.Directory);
            if (Files.TryOpen(root, path[1..], OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, out _) is { } directory)
            {
                group.parts.Add(new Part(here, directory, mountPoint));
                group.Controllers |= group.Unified ? ReadControllers(directory) : here;
            }
        }

        return group.parts.Count > 0 ? group : null;
    }

    /// <summary>
    /// Opens the files into which a process of a single thread writes "0" to join the group, one for every hierarchy; the caller owns them.
    /// </summary>
    public IReadOnlyList<FileDescriptor> OpenJoinFiles() =>
        [.. parts.Select(part => Files.Open(part.Directory, Unified ? "cgroup.procs" : "tasks", OpenFlags.WriteOnly))];

    /// <summary>Moves a process with all its threads into the group. Slow: see the remarks above.</summary>
    /// <exception cref="KernelException">ESRCH: no such process; EBUSY: the group has subgroups with controllers; EAGAIN: the pids limit is reached.</exception>
    public void Add(int process)
    {
        foreach (var part in parts)
        {
            Files.WriteExisting(part.Directory, "cgroup.procs", $"{process}");
        }
    }

    public void Dispose()
    {
        foreach (var part in parts)
        {
            part.Directory.Dispose();
        }

        parts.Clear();
    }

    public override string ToString() => $"cgroup {Path}";

    /// <summary>The hierarchies in which a group with these controllers has a directory.</summary>
    static IEnumerable<(CgroupControllers Controllers, string MountPoint)> Places(CgroupLayout layout, CgroupControllers controllers) => layout.Kind switch
    {
        CgroupKind.Unified => [(CgroupControllers.None, layout.UnifiedMountPoint!)],
        _ => layout.Hierarchies.Where(hierarchy => (hierarchy.Controllers & controllers) != 0),
    };

    static Part MakePart(CgroupControllers controllers, string mountPoint, string path)
    {
        using var root = Files.Open(mountPoint, OpenFlags.Path | OpenFlags.Directory);
        string name = path[1..];

        // Whoever removes empty parents may do so between two of these steps; then they are made again.
        for (int round = 0; ; round++)
        {
            try
            {
                Files.MakeDirectory(root, name);
                break;
            }
            catch (KernelException failure) when (failure.Errno == Errno.ENOENT && round < 10)
            {
                MakeParents(root, name, controllers);
            }
        }

        try
        {
            InheritCpuSet(root, name, controllers);
            return new Part(controllers, Files.Open(root, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow), mountPoint);
        }
        catch
        {
            Files.TryUnlink(root, name, directory: true);
            throw;
        }
    }

    static void MakeParents(FileDescriptor root, string name, CgroupControllers controllers)
    {
        for (int slash = name.IndexOf('/'); slash > 0; slash = name.IndexOf('/', slash + 1))
        {
            try
            {
                if (Files.EnsureDirectory(root, name[..slash]))
                {
                    InheritCpuSet(root, name[..slash], controllers);
                }
            }
            catch (KernelException failure) when (failure.Errno == Errno.ENOENT)
            {
                return;
            }
        }
    }

    /// <summary>A new cpuset of version 1 has no processors and takes no process until it has some: it gets its parent's.</summary>
    static void InheritCpuSet(FileDescriptor root, string name, CgroupControllers controllers)
    {
        if ((controllers & CgroupControllers.CpuSet) == 0)
        {
            return;
        }

        int slash = name.LastIndexOf('/');
        string parent = slash < 0 ? "" : name[..(slash + 1)];
        foreach (var file in (ReadOnlySpan<string>)["cpuset.cpus", "cpuset.mems"])
        {
            if (string.IsNullOrWhiteSpace(Files.TryReadText(root, $"{name}/{file}")))
            {
                Files.WriteExisting(root, $"{name}/{file}", (Files.TryReadText(root, parent + file) ?? "").Trim());
            }
        }
    }

    static void CheckPath(string path)
    {
        if (path.Length < 2 || path[0] != '/' || path.Split('/').Skip(1).Any(name => name is "" or "." or ".." || name.Contains('\n')))
        {
            throw new ArgumentException($"'{path}' is not the path of a cgroup: it starts with '/' and has neither empty names nor dots for names");
        }
    }
}
