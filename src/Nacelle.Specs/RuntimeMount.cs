namespace Nacelle.Specs;

/// <summary>What is mounted where in the container.</summary>
/// <remarks>OCI runtime specification 1.3.0, config.md, "Mounts".</remarks>
public sealed record RuntimeMount
{
    /// <summary>A path in the container; a relative one starts from its root.</summary>
    public required string Destination { get; init; }

    /// <summary>A file system type; for a bind mount, which <c>bind</c> or <c>rbind</c> among the options marks, it means nothing.</summary>
    public string? Type { get; init; }

    /// <summary>A device or any name; for a bind mount a path on the host, and a relative one starts from the bundle.</summary>
    public string? Source { get; init; }

    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>The owners that files show in the container, by those in their file system. See mount_setattr(2), MOUNT_ATTR_IDMAP.</summary>
    public IReadOnlyList<RuntimeIdMapping> UidMappings { get; init; } = [];

    public IReadOnlyList<RuntimeIdMapping> GidMappings { get; init; } = [];
}

/// <summary>Maps <paramref name="Size"/> consecutive ids. See user_namespaces(7).</summary>
public sealed record RuntimeIdMapping(uint ContainerId, uint HostId, uint Size);
