using System.Runtime.InteropServices;

namespace Nacelle.Linux;

public enum CgroupKind
{
    /// <summary>No cgroups are mounted.</summary>
    None,

    /// <summary>Version 2 alone.</summary>
    Unified,

    /// <summary>Version 1: a hierarchy for every controller or few.</summary>
    Legacy,

    /// <summary>The controllers are in version 1 hierarchies, and an almost empty version 2 tree stands beside them.</summary>
    Hybrid,
}

/// <summary>Where this machine's control groups are mounted, and with which controllers.</summary>
public sealed unsafe partial class CgroupLayout
{
    const string UsualMount = "/sys/fs/cgroup";

    readonly List<(CgroupControllers Controllers, string MountPoint)> hierarchies = [];

    /// <summary>What lies at a mount point, where that is not the root of its hierarchy: inside a container without a cgroup namespace.</summary>
    Dictionary<string, string> roots = [];

    public CgroupKind Kind =>
        hierarchies.Count > 0 ? (UnifiedMountPoint is null ? CgroupKind.Legacy : CgroupKind.Hybrid)
        : UnifiedMountPoint is null ? CgroupKind.None
        : CgroupKind.Unified;

    /// <summary>Where version 2 is mounted.</summary>
    public string? UnifiedMountPoint { get; private init; }

    /// <summary>The version 1 hierarchies with controllers; several controllers may share one.</summary>
    public IReadOnlyList<(CgroupControllers Controllers, string MountPoint)> Hierarchies => hierarchies;

    /// <summary>Looks at the mounts of this process. Costs one call where version 2 is mounted alone at the usual place.</summary>
    public static CgroupLayout Detect()
    {
        const long CGROUP2_SUPER_MAGIC = 0x63677270;
        long* status = stackalloc long[32];
        // SAFETY: struct statfs is 120 bytes on 64-bit machines, its first field the type; 256 bytes were allocated.
        if (statfs(UsualMount, status) == 0 && status[0] == CGROUP2_SUPER_MAGIC)
        {
            return new CgroupLayout { UnifiedMountPoint = UsualMount };
        }

        return Parse(Files.TryReadText(FileDescriptor.WorkingDirectory, "/proc/self/mountinfo") ?? "");
    }

    /// <summary>As <see cref="Detect"/>; none where groups are there and not ours to make: root of a user namespace has only those that were handed over to him.</summary>
    public static CgroupLayout DetectOwn()
    {
        var layout = Detect();
        return UserNamespaces.IsInitial || layout.MountPoints.All(path => Files.TryStatus(FileDescriptor.WorkingDirectory, path, out _)?.Owner == Processes.EffectiveUserId) ? layout : new CgroupLayout();
    }

    IEnumerable<string> MountPoints => UnifiedMountPoint is null ? hierarchies.Select(one => one.MountPoint) : hierarchies.Select(one => one.MountPoint).Append(UnifiedMountPoint);

    /// <summary>Reads a table as /proc/PID/mountinfo has it; see proc_pid_mountinfo(5).</summary>
    public static CgroupLayout Parse(string mountInfo)
    {
        string? unified = null;
        var found = new List<(CgroupControllers Controllers, string MountPoint)>();
        var roots = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in mountInfo.AsSpan().EnumerateLines())
        {
            // 36 35 98:0 /root /mount/point options fields… - type source super-options
            int dash = line.IndexOf(" - cgroup", StringComparison.Ordinal);
            if (dash < 0)
            {
                continue;
            }

            var fields = line[..dash].ToString().Split(' ');
            var fileSystem = line[(dash + 3)..].ToString().Split(' ');
            if (fields.Length < 6 || fileSystem.Length < 3)
            {
                continue;
            }

            string mountPoint = fields[4].Replace("\\040", " ", StringComparison.Ordinal);
            if (fields[3] != "/")
            {
                roots.TryAdd(mountPoint, fields[3]);
            }

            if (fileSystem[0] == "cgroup2")
            {
                unified ??= mountPoint;
                continue;
            }

            var controllers = CgroupControllers.None;
            foreach (var option in fileSystem[2].Split(','))
            {
                controllers |= ControllerNames.ParseLegacy(option);
            }

            // A hierarchy is often mounted twice; its first mount will do.
            if (controllers != CgroupControllers.None && !found.Exists(other => (other.Controllers & controllers) != 0))
            {
                found.Add((controllers, mountPoint));
            }
        }

        var layout = new CgroupLayout { UnifiedMountPoint = unified, roots = roots };
        layout.hierarchies.AddRange(found);
        return layout;
    }

    /// <summary>The version 1 hierarchies that hold any of these controllers, each by the names of all its controllers: <c>cpu,cpuacct</c>.</summary>
    public IReadOnlyList<string> HierarchyNames(CgroupControllers controllers) =>
        [.. hierarchies.Where(one => (one.Controllers & controllers) != 0).Select(one => ControllerNames.Join(one.Controllers))];

    /// <summary>Reads what /proc/PID/cgroup has for the hierarchies that are mounted; see cgroups(7).</summary>
    internal (CgroupControllers Controllers, string Path)[] ParseMembership(string text)
    {
        var found = new List<(CgroupControllers, string)>();
        foreach (var line in text.Split('\n'))
        {
            // ID:controllers:path; the path may have colons of its own.
            var fields = line.Split(':', 3);
            if (fields.Length < 3)
            {
                continue;
            }

            var controllers = CgroupPath.ParseNames(fields[1]);
            string? mountPoint = Kind == CgroupKind.Unified
                ? (fields[0] == "0" ? UnifiedMountPoint : null)
                : hierarchies.Find(hierarchy => (hierarchy.Controllers & controllers) != 0).MountPoint;
            if (mountPoint is not null)
            {
                found.Add((controllers, BelowMount(mountPoint, fields[2])));
            }
        }

        return [.. found];
    }

    string BelowMount(string mountPoint, string path) =>
        !roots.TryGetValue(mountPoint, out var root) || !path.StartsWith(root, StringComparison.Ordinal) ? path
        : path.Length == root.Length ? "/"
        : path[root.Length] == '/' ? path[root.Length..]
        : path;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statfs(string path, long* status);
}
