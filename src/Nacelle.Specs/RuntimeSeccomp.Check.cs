using System.Text;

namespace Nacelle.Specs;

static partial class RuntimeConfigCheck
{
    const string Notify = "SCMP_ACT_NOTIFY";

    static void Seccomp(string at, RuntimeSeccomp seccomp)
    {
        Action(at, ".defaultAction", seccomp.DefaultAction, ".defaultErrnoRet", seccomp.DefaultErrnoRet);
        AllOf(at, ".architectures", seccomp.Architectures, "an architecture", RuntimeNames.SeccompArchitectures);
        AllOf(at, ".flags", seccomp.Flags, "a flag of seccomp", RuntimeNames.SeccompFlags);
        if (seccomp.DefaultAction == Notify)
        {
            throw new SpecException($"{at}.defaultAction", $"{Notify} would have the listener answer for calls that start the container");
        }

        bool notifies = false;
        for (int i = 0; i < seccomp.Syscalls.Count; i++)
        {
            var rule = seccomp.Syscalls[i];
            SystemCalls($"{at}.syscalls[{i}]", rule);
            notifies |= rule.Action == Notify;
        }

        Listener(at, seccomp, notifies);
    }

    static void SystemCalls(string at, RuntimeSystemCalls rule)
    {
        Action(at, ".action", rule.Action, ".errnoRet", rule.ErrnoRet);
        if (rule.Names.Count == 0)
        {
            throw new SpecException($"{at}.names", "is empty: name one system call at least");
        }

        for (int i = 0; i < rule.Args.Count; i++)
        {
            OneOf(at, $".args[{i}].op", rule.Args[i].Op, "an operator", RuntimeNames.SeccompOperators);
            Within(at, $".args[{i}].index", rule.Args[i].Index, 0, 5);
        }
    }

    static void Action(string at, string member, string action, string errnoMember, uint? errno)
    {
        OneOf(at, member, action, "an action", RuntimeNames.SeccompActions);
        if (errno is null)
        {
            return;
        }

        switch (action)
        {
            case "SCMP_ACT_ERRNO":
                Within(at, errnoMember, errno, 0, 4095); // MAX_ERRNO; seccomp(2)
                break;
            case "SCMP_ACT_TRACE":
                Within(at, errnoMember, errno, 0, ushort.MaxValue); // SECCOMP_RET_DATA
                break;
            default:
                throw new SpecException(at + errnoMember, $"{action} returns no error number: leave it out");
        }
    }

    static void Listener(string at, RuntimeSeccomp seccomp, bool notifies)
    {
        const int LongestSocket = 107; // sun_path of unix(7), and its NUL
        if (seccomp.ListenerMetadata is not null && seccomp.ListenerPath is null)
        {
            throw new SpecException($"{at}.listenerMetadata", "has nobody to be told to: there is no listenerPath");
        }

        if (!notifies)
        {
            if (Contains(seccomp.Flags, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"))
            {
                throw new SpecException($"{at}.flags", $"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV goes with {Notify} only");
            }

            return;
        }

        if (seccomp.ListenerPath is not { } path)
        {
            throw new SpecException($"{at}.listenerPath", $"is missing: {Notify} needs a listener");
        }

        AbsolutePath(at, ".listenerPath", path);
        if (Encoding.UTF8.GetByteCount(path) > LongestSocket)
        {
            throw new SpecException($"{at}.listenerPath", $"'{Short(path)}' is too long for a socket: at most {LongestSocket} bytes");
        }
    }
}
