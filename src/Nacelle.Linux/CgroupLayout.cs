using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Kinds of limits and accounts, each kept by one part of the kernel. See cgroups(7).</summary>
[Flags]
public enum CgroupControllers
{
    None = 0,
    Memory = 1,
    Cpu = 2,
    CpuAccounting = 4,
    CpuSet = 8,
    Pids = 16,

    /// <summary>Access to device nodes: a hierarchy in v1; in v2 a program attached to the group.</summary>
    Devices = 32,

    /// <summary>Stopping all processes at once: a hierarchy in v1; every group can in v2.</summary>
    Freezer = 64,
    BlockIo = 128,
    HugePages = 256,
}

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

    // In the order of the flags. "hugetlb" and "blkio" are the names of version 1; version 2 says "io".
    static readonly string[] LegacyNames = ["memory", "cpu", "cpuacct", "cpuset", "pids", "devices", "freezer", "blkio", "hugetlb"];

    readonly List<(CgroupControllers Controllers, string MountPoint)> hierarchies = [];

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

    /// <summary>Reads a table as /proc/PID/mountinfo has it; see proc_pid_mountinfo(5).</summary>
    public static CgroupLayout Parse(string mountInfo)
    {
        string? unified = null;
        var found = new List<(CgroupControllers Controllers, string MountPoint)>();
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
            if (fileSystem[0] == "cgroup2")
            {
                unified ??= mountPoint;
                continue;
            }

            var controllers = CgroupControllers.None;
            foreach (var option in fileSystem[2].Split(','))
            {
                controllers |= Parse(option, LegacyNames);
            }

            // A hierarchy is often mounted twice; its first mount will do.
            if (controllers != CgroupControllers.None && !found.Exists(other => (other.Controllers & controllers) != 0))
            {
                found.Add((controllers, mountPoint));
            }
        }

        var layout = new CgroupLayout { UnifiedMountPoint = unified };
        layout.hierarchies.AddRange(found);
        return layout;
    }

    /// <summary>The version 1 hierarchies that hold any of these controllers, each by the names of all its controllers: <c>cpu,cpuacct</c>.</summary>
    public IReadOnlyList<string> HierarchyNames(CgroupControllers controllers) =>
        [.. hierarchies.Where(one => (one.Controllers & controllers) != 0).Select(one => NamesOf(one.Controllers))];

    static string NamesOf(CgroupControllers controllers) => string.Join(',', LegacyNames.Where((_, i) => ((int)controllers >> i & 1) != 0));

    /// <summary>The name in the running version's own words, for messages.</summary>
    internal static string Name(CgroupControllers controller, bool unified) =>
        unified && controller == CgroupControllers.BlockIo ? "io" : LegacyNames[System.Numerics.BitOperations.TrailingZeroCount((uint)controller)];

    /// <summary>Reads a list like that of cgroup.controllers.</summary>
    internal static CgroupControllers ParseUnified(string names)
    {
        var controllers = CgroupControllers.None;
        foreach (var name in names.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            controllers |= name == "io" ? CgroupControllers.BlockIo : Parse(name, LegacyNames);
        }

        return controllers;
    }

    static CgroupControllers Parse(string name, string[] names) =>
        Array.IndexOf(names, name) is var index and >= 0 ? (CgroupControllers)(1 << index) : CgroupControllers.None;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statfs(string path, long* status);
}
