namespace Nacelle.Specs;

/// <summary>What a runtime can do, whatever the machine allows. Null stands for "unknown", which is not the same as "nothing" or "no".</summary>
/// <remarks>OCI runtime specification 1.3.0, features.md and features-linux.md.</remarks>
public sealed record RuntimeFeatures
{
    public string OciVersionMin { get; init; } = "1.0.0";

    public string OciVersionMax { get; init; } = RuntimeConfig.CurrentVersion;

    public IReadOnlyList<string>? Hooks { get; init; } = RuntimeNames.Hooks;

    /// <summary>Options of mounts, without those that a file system takes itself.</summary>
    public IReadOnlyList<string>? MountOptions { get; init; }

    public LinuxFeatures? Linux { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>Annotations of a config.json that change what the runtime does; a '.' at the end makes one a prefix.</summary>
    public IReadOnlyList<string>? PotentiallyUnsafeConfigAnnotations { get; init; }

    /// <param name="indented">For people.</param>
    public byte[] ToJson(bool indented = false) => SpecWriter.Write(this, RuntimeFeaturesWriter.Write, indented);
}

public sealed record LinuxFeatures
{
    public IReadOnlyList<string>? Namespaces { get; init; } = RuntimeNames.Namespaces;

    public IReadOnlyList<string>? Capabilities { get; init; }

    public CgroupFeatures? Cgroup { get; init; }

    public SeccompFeatures? Seccomp { get; init; }

    public bool? Apparmor { get; init; }

    public bool? Selinux { get; init; }

    public IntelRdtFeatures? IntelRdt { get; init; }

    public MemoryPolicyFeatures? MemoryPolicy { get; init; }

    /// <summary>Whether a mount's uidMappings and gidMappings are taken.</summary>
    public bool? IdMappedMounts { get; init; }

    public bool? NetDevices { get; init; }
}

public sealed record CgroupFeatures(bool? V1 = null, bool? V2 = null, bool? Systemd = null, bool? SystemdUser = null, bool? Rdma = null);

public sealed record SeccompFeatures
{
    public bool? Enabled { get; init; } = true;

    public IReadOnlyList<string>? Actions { get; init; } = RuntimeNames.SeccompActions;

    public IReadOnlyList<string>? Operators { get; init; } = RuntimeNames.SeccompOperators;

    public IReadOnlyList<string>? Archs { get; init; }

    public IReadOnlyList<string>? KnownFlags { get; init; } = RuntimeNames.SeccompFlags;

    /// <summary>Those of them that this kernel takes.</summary>
    public IReadOnlyList<string>? SupportedFlags { get; init; }
}

public sealed record IntelRdtFeatures(bool? Enabled = null, bool? Schemata = null, bool? Monitoring = null);

public sealed record MemoryPolicyFeatures
{
    public IReadOnlyList<string>? Modes { get; init; } = RuntimeNames.MemoryPolicyModes;

    public IReadOnlyList<string>? Flags { get; init; } = RuntimeNames.MemoryPolicyFlags;
}
