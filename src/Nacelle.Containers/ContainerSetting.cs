using Nacelle.Linux;

namespace Nacelle.Containers;

/// <summary>What a container finds where it is started: everything its config.json does not say itself.</summary>
/// <remarks>Paths are those of the process that launches the plan, which need not be the one that builds it.</remarks>
public sealed record ContainerSetting
{
    /// <summary>Where the rootfs lies for the process that launches the plan. It must be a directory; it need not be a mount.</summary>
    public required string RootPath { get; init; }

    /// <summary>The rootfs as the process that builds the plan sees it.</summary>
    public required FileDescriptor Root { get; init; }

    /// <summary>Where a bind mount's source lies for the process that launches the plan; unchanged unless set.</summary>
    public Func<string, string> SourcePath { get; init; } = path => path;

    /// <summary>The cgroup.procs files of the groups to join, open for writing.</summary>
    public IReadOnlyList<FileDescriptor> Cgroups { get; init; } = [];

    /// <summary>The version 1 hierarchies that the container shows in its cgroup mount, each by its controllers (<c>cpu,cpuacct</c>); null for version 2.</summary>
    public IReadOnlyList<string>? CgroupHierarchies { get; init; }

    /// <summary>A connected socket that receives the terminal's master side, for a process with a terminal.</summary>
    public FileDescriptor? ConsoleSocket { get; init; }

    /// <summary>Where bind mounts of devices come from when the container's user namespace may not make any; null when it may.</summary>
    public string? DeviceSource { get; init; }
}
