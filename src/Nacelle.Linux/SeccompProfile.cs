namespace Nacelle.Linux;

/// <summary>Which system calls a program may make, as the OCI runtime specification has it. See config-linux.md, "Seccomp" (v1.2).</summary>
public sealed record SeccompProfile
{
    /// <summary>What happens to a call that no rule speaks of.</summary>
    public required SeccompAction DefaultAction { get; init; }

    /// <summary>The error of <see cref="DefaultAction"/> where that is <see cref="SeccompAction.Errno"/>, 0 to 4095.</summary>
    public uint DefaultErrno { get; init; } = (uint)Errno.EPERM;

    /// <summary>The architectures whose calls are let through the rules; any other's end the process. The machine's own always counts.</summary>
    public IReadOnlyList<SeccompArchitecture> Architectures { get; init; } = [];

    public IReadOnlyList<SeccompRule> Rules { get; init; } = [];

    public SeccompFlags Flags { get; init; }
}

/// <summary>What happens to the calls of these names, when all the arguments match.</summary>
/// <remarks>
/// As with runc: of two conditions on one argument either is enough; a rule without conditions wins over
/// rules with conditions for the same call; otherwise the first rule that matches counts; a rule that says what the default says anyway is not looked at.
/// </remarks>
public sealed record SeccompRule(IReadOnlyList<string> Names, SeccompAction Action)
{
    /// <summary>The error for <see cref="SeccompAction.Errno"/>, the message for <see cref="SeccompAction.Trace"/>; 0 to 65535.</summary>
    public uint Errno { get; init; } = (uint)Linux.Errno.EPERM;

    public IReadOnlyList<SeccompCondition> Conditions { get; init; } = [];
}

/// <summary>A condition on one argument of a call.</summary>
/// <param name="Argument">0 to 5.</param>
/// <param name="Value">Compared with; the mask for <see cref="SeccompOperator.MaskedEqual"/>.</param>
/// <param name="MaskedValue">What the masked argument must be for <see cref="SeccompOperator.MaskedEqual"/>.</param>
public readonly record struct SeccompCondition(int Argument, SeccompOperator Operator, ulong Value, ulong MaskedValue = 0);

public enum SeccompOperator
{
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    MaskedEqual,
}

/// <summary>Values of SECCOMP_RET_*; see seccomp(2).</summary>
public enum SeccompAction : uint
{
    KillThread = 0,
    Trap = 0x00030000,
    Errno = 0x00050000,
    Notify = 0x7fc00000,
    Trace = 0x7ff00000,
    Log = 0x7ffc0000,
    Allow = 0x7fff0000,
    KillProcess = 0x80000000,
}

/// <summary>Values of SECCOMP_FILTER_FLAG_*; see seccomp(2).</summary>
[Flags]
public enum SeccompFlags : uint
{
    None = 0,
    Synchronize = 1,
    Log = 2,

    /// <summary>Leaves the speculative store bypass mitigation off.</summary>
    AllowSpeculation = 4,

    /// <summary>seccomp(2) returns a descriptor for <see cref="SeccompAction.Notify"/>.</summary>
    NewListener = 8,
    WaitKillable = 32,
}

public enum SeccompArchitecture
{
    X64,
    X86,
    X32,
    Arm64,
    Arm,
}
