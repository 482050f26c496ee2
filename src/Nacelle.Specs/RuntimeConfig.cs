namespace Nacelle.Specs;

/// <summary>A bundle's config.json: how one container is made from its rootfs.</summary>
/// <remarks>OCI runtime specification 1.2, config.md and config-linux.md. Sections have the specification's names.</remarks>
public sealed record RuntimeConfig
{
    public const string CurrentVersion = "1.2.0";

    public required string OciVersion { get; init; }

    public RuntimeProcess? Process { get; init; }

    public RuntimeRoot? Root { get; init; }

    public string? Hostname { get; init; }

    public IReadOnlyList<RuntimeMount> Mounts { get; init; } = [];

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public RuntimeLinux? Linux { get; init; }

    /// <param name="source">Where the text comes from, for messages.</param>
    /// <exception cref="SpecException">Not JSON, or not of the specification's shape; says where.</exception>
    public static RuntimeConfig Parse(ReadOnlySpan<byte> json, string source) =>
        SpecNode.Parse(json, source, RuntimeConfigReader.Read);

    public byte[] ToJson() => SpecWriter.Write(this, RuntimeConfigWriter.Write);
}

public sealed record RuntimeProcess
{
    public bool Terminal { get; init; }

    public RuntimeConsoleSize? ConsoleSize { get; init; }

    public required string Cwd { get; init; }

    public IReadOnlyList<string> Env { get; init; } = [];

    public IReadOnlyList<string> Args { get; init; } = [];

    public RuntimeUser User { get; init; } = new();

    public RuntimeCapabilities? Capabilities { get; init; }

    public IReadOnlyList<RuntimeResourceLimit> Rlimits { get; init; } = [];

    public bool NoNewPrivileges { get; init; }

    /// <summary>From -1000 to 1000; null leaves the caller's.</summary>
    public int? OomScoreAdj { get; init; }
}

public sealed record RuntimeConsoleSize(uint Height, uint Width);

public sealed record RuntimeUser
{
    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public uint? Umask { get; init; }

    public IReadOnlyList<uint> AdditionalGids { get; init; } = [];
}

/// <summary>Names such as CAP_CHOWN, in the kernel's five sets. See capabilities(7).</summary>
public sealed record RuntimeCapabilities
{
    public IReadOnlyList<string> Bounding { get; init; } = [];

    public IReadOnlyList<string> Effective { get; init; } = [];

    public IReadOnlyList<string> Inheritable { get; init; } = [];

    public IReadOnlyList<string> Permitted { get; init; } = [];

    public IReadOnlyList<string> Ambient { get; init; } = [];
}

/// <summary>A limit such as RLIMIT_NOFILE. See getrlimit(2).</summary>
public sealed record RuntimeResourceLimit(string Type, ulong Soft, ulong Hard);

public sealed record RuntimeRoot(string Path, bool Readonly = false);

public sealed record RuntimeMount
{
    /// <summary>An absolute path in the container.</summary>
    public required string Destination { get; init; }

    /// <summary>A file system type, or "bind".</summary>
    public string? Type { get; init; }

    public string? Source { get; init; }

    public IReadOnlyList<string> Options { get; init; } = [];
}

public sealed record RuntimeLinux
{
    public IReadOnlyList<RuntimeNamespace> Namespaces { get; init; } = [];

    public IReadOnlyList<RuntimeIdMapping> UidMappings { get; init; } = [];

    public IReadOnlyList<RuntimeIdMapping> GidMappings { get; init; } = [];

    public IReadOnlyList<RuntimeDevice> Devices { get; init; } = [];

    public string? CgroupsPath { get; init; }

    public RuntimeResources? Resources { get; init; }

    public RuntimeSeccomp? Seccomp { get; init; }

    public IReadOnlyDictionary<string, string>? Sysctl { get; init; }

    public IReadOnlyList<string> MaskedPaths { get; init; } = [];

    public IReadOnlyList<string> ReadonlyPaths { get; init; } = [];
}

/// <summary>A namespace of the container's own, or with a path one to join. Types: pid, network, mount, ipc, uts, user, cgroup, time.</summary>
public sealed record RuntimeNamespace(string Type, string? Path = null);

public sealed record RuntimeIdMapping(uint ContainerId, uint HostId, uint Size);

public sealed record RuntimeDevice
{
    /// <summary>c, b, u or p.</summary>
    public required string Type { get; init; }

    public required string Path { get; init; }

    public uint Major { get; init; }

    public uint Minor { get; init; }

    public uint? FileMode { get; init; }

    public uint? Uid { get; init; }

    public uint? Gid { get; init; }
}

public sealed record RuntimeResources
{
    public IReadOnlyList<RuntimeDeviceRule> Devices { get; init; } = [];

    public RuntimeMemory? Memory { get; init; }

    public RuntimeCpu? Cpu { get; init; }

    public RuntimePids? Pids { get; init; }
}

public sealed record RuntimeDeviceRule
{
    public bool Allow { get; init; }

    /// <summary>a (all), c or b.</summary>
    public string? Type { get; init; }

    /// <summary>Null stands for any.</summary>
    public long? Major { get; init; }

    public long? Minor { get; init; }

    /// <summary>Of r, w and m.</summary>
    public string? Access { get; init; }
}

/// <summary>In bytes; -1 is no limit.</summary>
public sealed record RuntimeMemory
{
    public long? Limit { get; init; }

    public long? Reservation { get; init; }

    public long? Swap { get; init; }
}

/// <summary>Shares are relative; quota and period in microseconds.</summary>
public sealed record RuntimeCpu
{
    public ulong? Shares { get; init; }

    public long? Quota { get; init; }

    public ulong? Period { get; init; }

    public string? Cpus { get; init; }

    public string? Mems { get; init; }
}

public sealed record RuntimePids(long Limit);

public sealed record RuntimeSeccomp
{
    public required string DefaultAction { get; init; }

    public uint? DefaultErrnoRet { get; init; }

    public IReadOnlyList<string> Architectures { get; init; } = [];

    public IReadOnlyList<string> Flags { get; init; } = [];

    public IReadOnlyList<RuntimeSystemCalls> Syscalls { get; init; } = [];
}

public sealed record RuntimeSystemCalls
{
    public required IReadOnlyList<string> Names { get; init; }

    public required string Action { get; init; }

    public uint? ErrnoRet { get; init; }

    public IReadOnlyList<RuntimeSystemCallArgument> Args { get; init; } = [];
}

public sealed record RuntimeSystemCallArgument(uint Index, ulong Value, ulong ValueTwo, string Op);
