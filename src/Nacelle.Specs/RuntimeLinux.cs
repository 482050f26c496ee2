namespace Nacelle.Specs;

/// <summary>What a container is made of that only Linux has.</summary>
/// <remarks>OCI runtime specification 1.3.0, config-linux.md.</remarks>
public sealed record RuntimeLinux
{
    public IReadOnlyList<RuntimeNamespace> Namespaces { get; init; } = [];

    /// <summary>For the container's own user namespace.</summary>
    public IReadOnlyList<RuntimeIdMapping> UidMappings { get; init; } = [];

    public IReadOnlyList<RuntimeIdMapping> GidMappings { get; init; } = [];

    /// <summary>For the container's own time namespace, by the clock's name: monotonic or boottime. See time_namespaces(7).</summary>
    public IReadOnlyDictionary<string, RuntimeTimeOffset>? TimeOffsets { get; init; }

    /// <summary>Device files beside the customary ones.</summary>
    public IReadOnlyList<RuntimeDevice> Devices { get; init; } = [];

    /// <summary>Network interfaces that move into the container, by their names on the host.</summary>
    public IReadOnlyDictionary<string, RuntimeNetDevice>? NetDevices { get; init; }

    /// <summary>An absolute path starts from the mounts of control groups; how a relative one is read is the runtime's choice.</summary>
    public string? CgroupsPath { get; init; }

    public RuntimeResources? Resources { get; init; }

    public RuntimeIntelRdt? IntelRdt { get; init; }

    public RuntimeMemoryPolicy? MemoryPolicy { get; init; }

    /// <summary>Values by names such as <c>net.ipv4.ip_forward</c>. See sysctl(8).</summary>
    public IReadOnlyDictionary<string, string>? Sysctl { get; init; }

    public RuntimeSeccomp? Seccomp { get; init; }

    /// <summary>shared, slave, private or unbindable, each also with an r in front (for the mounts below it as well). See mount_namespaces(7).</summary>
    public string? RootfsPropagation { get; init; }

    /// <summary>Absolute paths in the container that nobody shall read.</summary>
    public IReadOnlyList<string> MaskedPaths { get; init; } = [];

    /// <summary>Absolute paths in the container that nobody shall write.</summary>
    public IReadOnlyList<string> ReadonlyPaths { get; init; } = [];

    /// <summary>The SELinux context of the container's mounts.</summary>
    public string? MountLabel { get; init; }

    public RuntimePersonality? Personality { get; init; }

    /// <summary>The namespace of that type; null where the container stays in the runtime's.</summary>
    public RuntimeNamespace? FindNamespace(string type)
    {
        for (int i = 0; i < Namespaces.Count; i++)
        {
            if (Namespaces[i].Type == type)
            {
                return Namespaces[i];
            }
        }

        return null;
    }
}

/// <summary>A namespace of the container's own, or with a path one to join. Types: pid, network, mount, ipc, uts, user, cgroup, time.</summary>
public sealed record RuntimeNamespace(string Type, string? Path = null);

/// <summary>How far a clock in the container is ahead of the host's.</summary>
public sealed record RuntimeTimeOffset(long Secs = 0, uint Nanosecs = 0);

public sealed record RuntimeDevice
{
    /// <summary>c, b, u or p.</summary>
    public required string Type { get; init; }

    /// <summary>An absolute path in the container.</summary>
    public required string Path { get; init; }

    /// <summary>Means nothing for type p.</summary>
    public uint Major { get; init; }

    public uint Minor { get; init; }

    public uint? FileMode { get; init; }

    /// <summary>As the container sees it.</summary>
    public uint? Uid { get; init; }

    public uint? Gid { get; init; }
}

/// <param name="Name">What it is called in the container; null keeps its name; <c>%d</c> at the end lets the kernel number it.</param>
public sealed record RuntimeNetDevice(string? Name = null);

/// <param name="Domain">LINUX or LINUX32. See personality(2).</param>
/// <param name="Flags">None is defined.</param>
public sealed record RuntimePersonality(string Domain, IReadOnlyList<string> Flags);

/// <summary>How memory is spread over NUMA nodes. See set_mempolicy(2).</summary>
/// <param name="Mode">A name such as MPOL_INTERLEAVE.</param>
/// <param name="Nodes">A list such as <c>0-3,7</c>.</param>
/// <param name="Flags">Names such as MPOL_F_STATIC_NODES.</param>
public sealed record RuntimeMemoryPolicy(string Mode, string? Nodes, IReadOnlyList<string> Flags);

/// <summary>A class of service of Intel's Resource Director Technology. See the kernel's Documentation/filesystems/resctrl.rst.</summary>
public sealed record RuntimeIntelRdt
{
    /// <summary>The directory in the resctrl file system; null stands for the container's id and <c>/</c> for the file system's root.</summary>
    public string? ClosId { get; init; }

    /// <summary>A line that starts with <c>L3:</c>.</summary>
    public string? L3CacheSchema { get; init; }

    /// <summary>A line that starts with <c>MB:</c>.</summary>
    public string? MemBwSchema { get; init; }

    /// <summary>Lines for the file schemata, after the two above.</summary>
    public IReadOnlyList<string> Schemata { get; init; } = [];

    public bool EnableMonitoring { get; init; }

    /// <summary>From versions 1.1 to 1.2.1 of the specification, as is <see cref="EnableMbm"/>; replaced by <see cref="EnableMonitoring"/>.</summary>
    public bool EnableCmt { get; init; }

    public bool EnableMbm { get; init; }
}
