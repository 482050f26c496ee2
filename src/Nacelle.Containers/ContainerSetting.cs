using Nacelle.Linux;

namespace Nacelle.Containers;

/// <summary>What a container finds where it is started: everything its config.json does not say itself.</summary>
/// <remarks>Paths are those of the process that launches the plan, which need not be the one that builds it.</remarks>
public sealed record ContainerSetting
{
    /// <summary>Where the rootfs lies for the process that launches the plan. It must be a directory; it need not be a mount.</summary>
    public required string RootPath { get; init; }

    /// <summary>Where a bind mount's source lies for the process that launches the plan; unchanged unless set.</summary>
    public Func<string, string> SourcePath { get; init; } = path => path;

    /// <summary>Mounts that were made beforehand and are inherited; null where the plan makes all of them itself.</summary>
    public ContainerSources? Sources { get; init; }

    /// <summary>The cgroup.procs files of the groups to join, open for writing.</summary>
    public IReadOnlyList<FileDescriptor> Cgroups { get; init; } = [];

    /// <summary>The version 1 hierarchies that the container shows in its cgroup mount; null for version 2.</summary>
    public IReadOnlyList<CgroupSource>? CgroupHierarchies { get; init; }

    /// <summary>A connected socket that receives the terminal's master side, for a process with a terminal.</summary>
    public FileDescriptor? ConsoleSocket { get; init; }

    /// <summary>Where bind mounts of devices come from when the container's user namespace may not make any; null when it may.</summary>
    public string? DeviceSource { get; init; }

    /// <summary>A /proc that no container can have changed, as the maker has it; null where the launching process makes one of its own.</summary>
    public FileDescriptor? Proc { get; init; }

    /// <summary>How the process tells its maker how far it is, and waits for it; null where nobody is waited for.</summary>
    public ContainerHandshake? Handshake { get; init; }

    /// <summary>How many descriptors from 3 up the program keeps.</summary>
    public int PreservedDescriptors { get; init; }

    /// <summary>What the program finds open from descriptor 3 up, and is told of; excludes <see cref="PreservedDescriptors"/>.</summary>
    public IReadOnlyList<ContainerSocket> Sockets { get; init; } = [];

    /// <summary>The namespace types that the launching process has joined already, by a plan of their own.</summary>
    public Namespaces Joined { get; init; }

    /// <summary>Gives the container a session keyring of its own. See keyrings(7).</summary>
    public string? KeyringName { get; init; }

    /// <summary>How the container's root becomes the process's.</summary>
    public RootEntry RootEntry { get; init; }
}

/// <param name="Name">The controllers: <c>cpu,cpuacct</c>.</param>
/// <param name="Path">The container's group on the host, for a container that shares the host's cgroup namespace.</param>
public sealed record CgroupSource(string Name, string? Path = null);

public enum RootEntry
{
    /// <summary>pivot_root(2).</summary>
    Pivot,

    /// <summary>Moving the mount to / and chroot(2), for roots in an initramfs, which pivot_root refuses: the old root stays below.</summary>
    Move,
}
