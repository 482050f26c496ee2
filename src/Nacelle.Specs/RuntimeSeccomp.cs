namespace Nacelle.Specs;

/// <summary>Which system calls a container may make. See seccomp(2).</summary>
/// <remarks>OCI runtime specification 1.3.0, config-linux.md, "Seccomp".</remarks>
public sealed record RuntimeSeccomp
{
    /// <summary>A name such as SCMP_ACT_ERRNO.</summary>
    public required string DefaultAction { get; init; }

    /// <summary>Null stands for EPERM.</summary>
    public uint? DefaultErrnoRet { get; init; }

    /// <summary>Names such as SCMP_ARCH_X86_64.</summary>
    public IReadOnlyList<string> Architectures { get; init; } = [];

    /// <summary>Names such as SECCOMP_FILTER_FLAG_LOG.</summary>
    public IReadOnlyList<string> Flags { get; init; } = [];

    /// <summary>The socket of who answers SCMP_ACT_NOTIFY.</summary>
    public string? ListenerPath { get; init; }

    /// <summary>What the listener is told, whatever it means.</summary>
    public string? ListenerMetadata { get; init; }

    public IReadOnlyList<RuntimeSystemCalls> Syscalls { get; init; } = [];
}

public sealed record RuntimeSystemCalls
{
    public required IReadOnlyList<string> Names { get; init; }

    public required string Action { get; init; }

    /// <summary>Null stands for EPERM.</summary>
    public uint? ErrnoRet { get; init; }

    /// <summary>All must hold for the action to be taken.</summary>
    public IReadOnlyList<RuntimeSystemCallArgument> Args { get; init; } = [];
}

/// <param name="Index">From 0 to 5.</param>
/// <param name="ValueTwo">What is compared with, where <paramref name="Value"/> is a mask.</param>
/// <param name="Op">A name such as SCMP_CMP_EQ.</param>
public sealed record RuntimeSystemCallArgument(uint Index, ulong Value, ulong ValueTwo, string Op);
