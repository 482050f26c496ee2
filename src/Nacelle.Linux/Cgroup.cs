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

    Cgroup(CgroupLayout layout, CgroupPath path)
    {
        this.layout = layout;
        FullPath = path;
    }

    /// <summary>The directory in one hierarchy.</summary>
    /// <param name="Path">Below the mount point.</param>
    /// <param name="Made">How many directories were made for it now, parents and itself.</param>
    sealed record Part(CgroupControllers Controllers, FileDescriptor Directory, string MountPoint, string Path, int Made);

    /// <summary>The group's path below every mount point: <c>/nacelle/…</c>. Where it is another in each hierarchy, that of the first.</summary>
    public string Path => FullPath.First;

    /// <summary>The path in every hierarchy: with it another process opens the group again.</summary>
    public CgroupPath FullPath { get; }

    /// <summary>The controllers that this group has; what was asked for and is missing here could not be had.</summary>
    public CgroupControllers Controllers { get; private set; }

    /// <summary>Whether the group was made by this object, in one hierarchy at least.</summary>
    public bool IsMade => parts.Exists(part => part.Made > 0);

    /// <summary>How many of the groups above this one were made together with it, at most; <see cref="Remove"/> takes the number, also later.</summary>
    public int ParentsMade => Math.Max(0, parts.Count == 0 ? 0 : parts.Max(part => part.Made) - 1);

    /// <summary>Where the group lies in the file system, in every hierarchy, by the names of the controllers there: <c>cpu,cpuacct</c>; no names in version 2.</summary>
    public IReadOnlyList<(string Controllers, string Directory)> Locations =>
        [.. parts.Select(part => (ControllerNames.Join(part.Controllers), part.MountPoint + part.Path))];

    bool Unified => layout.Kind == CgroupKind.Unified;

    /// <summary>The directory in a pure version 2 tree, for CLONE_INTO_CGROUP; null elsewhere. Stays this object's.</summary>
    public FileDescriptor? UnifiedDirectory => Unified ? parts[0].Directory : null;

    /// <summary>Whether only groups below this one may have processes, as in version 2 once those have controllers: "no internal processes" in cgroups(7).</summary>
    public bool IsDivided => Unified && Files.TryReadText(parts[0].Directory, "cgroup.subtree_control") is { } text && text.Trim().Length > 0;

    /// <summary>
    /// Opens the files into which a process of a single thread writes "0" to join the group, one for every hierarchy; the caller owns them.
    /// </summary>
    public IReadOnlyList<FileDescriptor> OpenJoinFiles() =>
        [.. parts.Select(part => Files.Open(part.Directory, Unified ? "cgroup.procs" : "tasks", OpenFlags.WriteOnly))];

    /// <summary>As <see cref="OpenJoinFiles()"/>, for the groups that a process is in, wherever they are.</summary>
    /// <exception cref="KernelException">ESRCH: no such process; EACCES: not allowed.</exception>
    public static IReadOnlyList<FileDescriptor> OpenJoinFiles(CgroupLayout layout, int process)
    {
        var files = new List<FileDescriptor>();
        foreach (var (_, mountPoint, path) in Places(layout, CgroupPath.Of(layout, $"{process}"), CgroupControllers.All))
        {
            using var directory = Files.Open(mountPoint + path, OpenFlags.Path | OpenFlags.Directory);
            files.Add(Files.Open(directory, layout.Kind == CgroupKind.Unified ? "cgroup.procs" : "tasks", OpenFlags.WriteOnly));
        }

        return files;
    }

    /// <summary>Gives a version 2 group to a user, who may then make groups below it and move processes among them, but not change its limits.</summary>
    /// <remarks>
    /// The files are those of /sys/kernel/cgroup/delegate; see cgroups(7), "Delegation", and config-linux.md of the OCI runtime specification,
    /// "Cgroup ownership". Version 1 groups stay as they are: they cannot be given away safely.
    /// </remarks>
    public void Delegate(uint user)
    {
        if (!Unified)
        {
            return;
        }

        const uint Unchanged = uint.MaxValue;
        var directory = parts[0].Directory;
        var names = Files.TryReadText(FileDescriptor.WorkingDirectory, "/sys/kernel/cgroup/delegate") ?? "cgroup.procs\ncgroup.subtree_control\ncgroup.threads";
        Files.SetOwner(directory, "", user, Unchanged);
        foreach (var name in names.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(name => Files.Exists(directory, name)))
        {
            Files.SetOwner(directory, name, user, Unchanged);
        }
    }

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
}
