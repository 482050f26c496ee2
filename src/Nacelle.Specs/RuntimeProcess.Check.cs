namespace Nacelle.Specs;

static partial class RuntimeConfigCheck
{
    /// <param name="at">The path of its members, up to their names.</param>
    public static void Process(RuntimeProcess process, string at)
    {
        AbsolutePath(at, "cwd", process.Cwd);
        if (process.Args.Count == 0)
        {
            throw new SpecException(at + "args", "is empty: it names the program to run");
        }

        NotEmpty(at, "args[0]", process.Args[0]);
        Texts(at, "args", process.Args);
        Environment(at, process.Env);
        ResourceLimits(at, process.Rlimits);
        Text(at, "apparmorProfile", process.ApparmorProfile);
        Text(at, "selinuxLabel", process.SelinuxLabel);
        Within(at, "oomScoreAdj", process.OomScoreAdj, -1000, 1000);
        User(at, process.User);
        if (process is { Terminal: true, ConsoleSize: { } size })
        {
            Within(at, "consoleSize.height", size.Height, 0, ushort.MaxValue); // struct winsize of ioctl_tty(2)
            Within(at, "consoleSize.width", size.Width, 0, ushort.MaxValue);
        }

        if (process.Scheduler is { } scheduler)
        {
            Scheduler(at + "scheduler", scheduler);
        }

        if (process.IoPriority is { } priority)
        {
            OneOf(at, "ioPriority.class", priority.Class, "an I/O class", RuntimeNames.IoPriorityClasses);
            Within(at, "ioPriority.priority", priority.Priority, 0, 7);
        }

        NumberList(at, "execCPUAffinity.initial", process.ExecCpuAffinity?.Initial);
        NumberList(at, "execCPUAffinity.final", process.ExecCpuAffinity?.Final);
    }

    /// <summary>As strict as runc: an entry without a name or a '=' is no variable, and what a program would make of it is anybody's guess.</summary>
    static void Environment(string at, IReadOnlyList<string> variables)
    {
        Texts(at, "env", variables);
        for (int i = 0; i < variables.Count; i++)
        {
            if (variables[i].IndexOf('=', StringComparison.Ordinal) <= 0)
            {
                throw new SpecException($"{at}env[{i}]", $"'{Short(variables[i])}' is not a variable: write NAME=VALUE");
            }
        }
    }

    static void ResourceLimits(string at, IReadOnlyList<RuntimeResourceLimit> limits)
    {
        var seen = new HashSet<string>(limits.Count, StringComparer.Ordinal);
        for (int i = 0; i < limits.Count; i++)
        {
            var limit = limits[i];
            if (!seen.Add(limit.Type))
            {
                throw new SpecException($"{at}rlimits[{i}].type", $"'{Short(limit.Type)}' is there twice");
            }

            if (limit.Soft > limit.Hard)
            {
                throw new SpecException($"{at}rlimits[{i}].soft", $"{limit.Soft} is above the hard limit, {limit.Hard}");
            }
        }
    }

    static void User(string at, RuntimeUser user)
    {
        Id(at, "user.uid", user.Uid);
        Id(at, "user.gid", user.Gid);
        for (int i = 0; i < user.AdditionalGids.Count; i++)
        {
            if (user.AdditionalGids[i] == uint.MaxValue)
            {
                Id(at, $"user.additionalGids[{i}]", user.AdditionalGids[i]);
            }
        }
    }

    static void Id(string at, string member, uint id)
    {
        if (id == uint.MaxValue)
        {
            throw new SpecException(at + member, $"{id} is nobody's number: to the kernel it says to change nothing");
        }
    }

    /// <summary>See sched_setattr(2) and sched(7).</summary>
    static void Scheduler(string at, RuntimeScheduler scheduler)
    {
        const int LeastTime = 1024; // nanoseconds; sched_setattr(2), EINVAL
        OneOf(at, ".policy", scheduler.Policy, "a scheduling policy", RuntimeNames.SchedulerPolicies);
        AllOf(at, ".flags", scheduler.Flags, "a scheduling flag", RuntimeNames.SchedulerFlags);
        Within(at, ".nice", scheduler.Nice, -20, 19);
        switch (scheduler.Policy)
        {
            case "SCHED_ISO":
                throw new SpecException($"{at}.policy", "Linux reserves the number of SCHED_ISO, but has no such policy");
            case "SCHED_FIFO" or "SCHED_RR":
                Within(at, ".priority", scheduler.Priority, 1, 99);
                break;
            default:
                Within(at, ".priority", scheduler.Priority, 0, 0);
                break;
        }

        if (scheduler.Policy != "SCHED_DEADLINE")
        {
            if ((scheduler.Runtime | scheduler.Deadline | scheduler.Period) != 0)
            {
                throw new SpecException(at, $"runtime, deadline and period belong to SCHED_DEADLINE, not to {scheduler.Policy}");
            }

            return;
        }

        ulong period = scheduler.Period == 0 ? scheduler.Deadline : scheduler.Period;
        if (scheduler.Runtime < LeastTime || scheduler.Runtime > scheduler.Deadline || scheduler.Deadline > period || period > long.MaxValue)
        {
            throw new SpecException(at, $"SCHED_DEADLINE wants {LeastTime} <= runtime <= deadline <= period, in nanoseconds");
        }
    }
}
