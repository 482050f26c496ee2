namespace Nacelle.Specs;

/// <summary>The program that a container runs, and as what.</summary>
/// <remarks>OCI runtime specification 1.3.0, config.md, "Process".</remarks>
public sealed record RuntimeProcess
{
    public bool Terminal { get; init; }

    /// <summary>Means something only with a terminal.</summary>
    public RuntimeConsoleSize? ConsoleSize { get; init; }

    /// <summary>An absolute path in the container.</summary>
    public required string Cwd { get; init; }

    /// <summary>In the form NAME=VALUE.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];

    /// <summary>The program, which is looked for in PATH where it has no slash, and what it is called with.</summary>
    public IReadOnlyList<string> Args { get; init; } = [];

    public RuntimeUser User { get; init; } = new();

    public RuntimeCapabilities? Capabilities { get; init; }

    public IReadOnlyList<RuntimeResourceLimit> Rlimits { get; init; } = [];

    public bool NoNewPrivileges { get; init; }

    public string? ApparmorProfile { get; init; }

    public string? SelinuxLabel { get; init; }

    /// <summary>From -1000 to 1000; null leaves the caller's.</summary>
    public int? OomScoreAdj { get; init; }

    public RuntimeScheduler? Scheduler { get; init; }

    public RuntimeIoPriority? IoPriority { get; init; }

    /// <summary>For processes that join the container later; not for its first one.</summary>
    public RuntimeCpuAffinity? ExecCpuAffinity { get; init; }

    /// <summary>Reads a process alone, as <c>exec --process</c> takes it.</summary>
    /// <param name="source">Where the text comes from, for messages.</param>
    /// <exception cref="SpecException">Not JSON, or not of the specification's shape; says where.</exception>
    public static RuntimeProcess Parse(ReadOnlySpan<byte> json, string source) =>
        SpecNode.Parse(json, source, RuntimeConfigReader.ReadProcess);

    /// <summary>As <see cref="RuntimeConfig.Check"/>, for a process alone.</summary>
    /// <exception cref="SpecException">The first rule that is broken.</exception>
    public void Check(string source) => RuntimeConfigCheck.In(source, this, process => RuntimeConfigCheck.Process(process, ""));

    public byte[] ToJson() => SpecWriter.Write(this, RuntimeConfigWriter.WriteProcess);
}

/// <summary>In characters.</summary>
public sealed record RuntimeConsoleSize(uint Height, uint Width);

/// <summary>Numbers as the container sees them.</summary>
public sealed record RuntimeUser
{
    public uint Uid { get; init; }

    public uint Gid { get; init; }

    /// <summary>Null leaves the caller's.</summary>
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
