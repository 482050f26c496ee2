namespace Nacelle.Linux;

/// <summary>The words of the OCI runtime specification for what a seccomp profile is made of. See config-linux.md, "Seccomp" (v1.2).</summary>
public static class SeccompNames
{
    public static SeccompAction? ParseAction(string text) => text switch
    {
        "SCMP_ACT_KILL" or "SCMP_ACT_KILL_THREAD" => SeccompAction.KillThread,
        "SCMP_ACT_KILL_PROCESS" => SeccompAction.KillProcess,
        "SCMP_ACT_TRAP" => SeccompAction.Trap,
        "SCMP_ACT_ERRNO" => SeccompAction.Errno,
        "SCMP_ACT_TRACE" => SeccompAction.Trace,
        "SCMP_ACT_ALLOW" => SeccompAction.Allow,
        "SCMP_ACT_LOG" => SeccompAction.Log,
        "SCMP_ACT_NOTIFY" => SeccompAction.Notify,
        _ => null,
    };

    public static SeccompOperator? ParseOperator(string text) => text switch
    {
        "SCMP_CMP_NE" => SeccompOperator.NotEqual,
        "SCMP_CMP_LT" => SeccompOperator.Less,
        "SCMP_CMP_LE" => SeccompOperator.LessOrEqual,
        "SCMP_CMP_EQ" => SeccompOperator.Equal,
        "SCMP_CMP_GE" => SeccompOperator.GreaterOrEqual,
        "SCMP_CMP_GT" => SeccompOperator.Greater,
        "SCMP_CMP_MASKED_EQ" => SeccompOperator.MaskedEqual,
        _ => null,
    };

    /// <summary>Null also for the architectures that this program has no table for: none of their calls can be made on a machine that it runs on.</summary>
    public static SeccompArchitecture? ParseArchitecture(string text) => text switch
    {
        "SCMP_ARCH_X86_64" => SeccompArchitecture.X64,
        "SCMP_ARCH_X86" => SeccompArchitecture.X86,
        "SCMP_ARCH_X32" => SeccompArchitecture.X32,
        "SCMP_ARCH_AARCH64" => SeccompArchitecture.Arm64,
        "SCMP_ARCH_ARM" => SeccompArchitecture.Arm,
        _ => null,
    };

    public static SeccompFlags? ParseFlag(string text) => text switch
    {
        "SECCOMP_FILTER_FLAG_TSYNC" => SeccompFlags.Synchronize,
        "SECCOMP_FILTER_FLAG_LOG" => SeccompFlags.Log,
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW" => SeccompFlags.AllowSpeculation,
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" => SeccompFlags.WaitKillable,
        _ => null,
    };
}
