using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Between the seccomp section of a config.json and the kernel layer's profile.</summary>
/// <remarks>OCI runtime specification 1.2, config-linux.md, "Seccomp".</remarks>
public static class ContainerSeccomp
{
    /// <exception cref="SpecException">An action, operator, flag or architecture that there is not, or more than a filter can do.</exception>
    public static SeccompFilter Compile(RuntimeSeccomp seccomp)
    {
        try
        {
            return SeccompFilter.Compile(ToProfile(seccomp));
        }
        catch (ArgumentException problem)
        {
            throw new SpecException("linux.seccomp", problem.Message);
        }
    }

    /// <summary>The names that there are, for the runtime's features.</summary>
    public static IEnumerable<string> ActionNames => Actions.Select(one => one.Name);

    public static IEnumerable<string> OperatorNames => Operators.Select(one => one.Name);

    public static IEnumerable<string> ArchitectureNames => Architectures.Select(one => one.Name);

    public static IEnumerable<string> FlagNames => Flags.Select(one => one.Name);

    /// <summary>The section that says the same as a profile.</summary>
    public static RuntimeSeccomp FromProfile(SeccompProfile profile) => new()
    {
        DefaultAction = NameOf(profile.DefaultAction),
        DefaultErrnoRet = profile.DefaultAction == SeccompAction.Errno ? profile.DefaultErrno : null,
        Architectures = [.. profile.Architectures.Select(NameOf)],
        Syscalls =
        [
            .. profile.Rules.Select(rule => new RuntimeSystemCalls
            {
                Names = rule.Names,
                Action = NameOf(rule.Action),
                ErrnoRet = rule.Action == SeccompAction.Errno ? rule.Errno : null,
                Args = [.. rule.Conditions.Select(one => new RuntimeSystemCallArgument((uint)one.Argument, one.Value, one.MaskedValue, NameOf(one.Operator)))],
            }),
        ],
    };

    static SeccompProfile ToProfile(RuntimeSeccomp seccomp) => new()
    {
        DefaultAction = Find(Actions, seccomp.DefaultAction, "linux.seccomp.defaultAction"),
        DefaultErrno = seccomp.DefaultErrnoRet ?? (uint)Errno.EPERM,
        Architectures = [.. seccomp.Architectures.Where(IsKnown).Select(name => Find(Architectures, name, "linux.seccomp.architectures"))],
        Flags = seccomp.Flags.Aggregate(SeccompFlags.None, (flags, name) => flags | Find(Flags, name, "linux.seccomp.flags")),
        Rules =
        [
            .. seccomp.Syscalls.Select((rule, i) => new SeccompRule(rule.Names, Find(Actions, rule.Action, $"linux.seccomp.syscalls[{i}].action"))
            {
                Errno = rule.ErrnoRet ?? (uint)Errno.EPERM,
                Conditions =
                [
                    .. rule.Args.Select(one => new SeccompCondition(
                        (int)one.Index, Find(Operators, one.Op, $"linux.seccomp.syscalls[{i}].args"), one.Value, one.ValueTwo)),
                ],
            }),
        ],
    };

    static readonly (string Name, SeccompAction Value)[] Actions =
    [
        ("SCMP_ACT_ALLOW", SeccompAction.Allow), ("SCMP_ACT_ERRNO", SeccompAction.Errno), ("SCMP_ACT_KILL", SeccompAction.KillThread),
        ("SCMP_ACT_KILL_THREAD", SeccompAction.KillThread), ("SCMP_ACT_KILL_PROCESS", SeccompAction.KillProcess), ("SCMP_ACT_TRAP", SeccompAction.Trap),
        ("SCMP_ACT_TRACE", SeccompAction.Trace), ("SCMP_ACT_LOG", SeccompAction.Log), ("SCMP_ACT_NOTIFY", SeccompAction.Notify),
    ];

    static readonly (string Name, SeccompOperator Value)[] Operators =
    [
        ("SCMP_CMP_NE", SeccompOperator.NotEqual), ("SCMP_CMP_LT", SeccompOperator.Less), ("SCMP_CMP_LE", SeccompOperator.LessOrEqual),
        ("SCMP_CMP_EQ", SeccompOperator.Equal), ("SCMP_CMP_GE", SeccompOperator.GreaterOrEqual), ("SCMP_CMP_GT", SeccompOperator.Greater),
        ("SCMP_CMP_MASKED_EQ", SeccompOperator.MaskedEqual),
    ];

    static readonly (string Name, SeccompArchitecture Value)[] Architectures =
    [
        ("SCMP_ARCH_X86_64", SeccompArchitecture.X64), ("SCMP_ARCH_X86", SeccompArchitecture.X86), ("SCMP_ARCH_X32", SeccompArchitecture.X32),
        ("SCMP_ARCH_AARCH64", SeccompArchitecture.Arm64), ("SCMP_ARCH_ARM", SeccompArchitecture.Arm),
    ];

    static readonly (string Name, SeccompFlags Value)[] Flags =
    [
        ("SECCOMP_FILTER_FLAG_TSYNC", SeccompFlags.Synchronize), ("SECCOMP_FILTER_FLAG_LOG", SeccompFlags.Log),
        ("SECCOMP_FILTER_FLAG_SPEC_ALLOW", SeccompFlags.AllowSpeculation), ("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SeccompFlags.WaitKillable),
    ];

    /// <summary>Profiles list architectures of every machine there is; those that this kernel layer has no table for cannot run here either.</summary>
    static bool IsKnown(string architecture) =>
        architecture.StartsWith("SCMP_ARCH_", StringComparison.Ordinal) && Architectures.Any(one => one.Name == architecture);

    static T Find<T>((string Name, T Value)[] table, string name, string path)
    {
        foreach (var (known, value) in table)
        {
            if (known == name)
            {
                return value;
            }
        }

        throw new SpecException(path, $"'{name}' is not known: use one of {string.Join(", ", table.Select(one => one.Name))}");
    }

    static string NameOf(SeccompAction action) => Actions.First(one => one.Value == action && one.Name != "SCMP_ACT_KILL").Name;

    static string NameOf(SeccompOperator comparison) => Operators.First(one => one.Value == comparison).Name;

    static string NameOf(SeccompArchitecture architecture) => Architectures.First(one => one.Value == architecture).Name;
}
