using System.Buffers.Binary;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The last steps of a container's process: standard streams, limits, identity, confinement, exec.</summary>
static class ContainerProcess
{
    const int PR_CAPBSET_DROP = 24, PR_SET_KEEPCAPS = 8, PR_SET_NO_NEW_PRIVS = 38, PR_CAP_AMBIENT = 47, PR_CAP_AMBIENT_RAISE = 2, PR_CAP_AMBIENT_CLEAR_ALL = 4;
    const int SECCOMP_SET_MODE_FILTER = 1, CLOSE_RANGE_CLOEXEC = 4, SIG_SETMASK = 2;
    const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <param name="terminal">The terminal that becomes all three standard streams; without it they are the plan's own.</param>
    public static void Add(LaunchPlan plan, RuntimeProcess process, RuntimeSeccomp? seccomp, PlanValue? terminal)
    {
        SetOutOfMemoryScore(plan, process);
        foreach (var limit in process.Rlimits)
        {
            var which = ResourceLimits.TryParse(limit.Type, out var known) ? (long)known : throw new SpecException("process.rlimits", $"'{limit.Type}' is no limit");
            plan.Call($"set limit {limit.Type}", SystemCall.prlimit64, 0, which, plan.Words((long)limit.Soft, (long)limit.Hard), 0);
        }

        ConnectStreams(plan, terminal);
        var directoryIsSet = plan.NewCell();
        plan.Call($"enter {process.Cwd} in the container", SystemCall.chdir, plan.Text(process.Cwd)).To(directoryIsSet).Tolerate(Errno.EACCES);
        plan.Call("close descriptors", SystemCall.close_range, 3, uint.MaxValue, CLOSE_RANGE_CLOEXEC).Tolerate(Errno.EINVAL, Errno.ENOSYS);
        var filter = seccomp is null ? default(PlanValue?) : SeccompProgram(plan, seccomp);

        // Without no_new_privs a filter takes CAP_SYS_ADMIN, so it is loaded before that goes; with it, after everything that it need not allow.
        if (!process.NoNewPrivileges)
        {
            LoadFilter(plan, filter);
        }

        BecomeUser(plan, process);
        if (process.NoNewPrivileges)
        {
            plan.Call("set no_new_privs", SystemCall.prctl, PR_SET_NO_NEW_PRIVS, 1);
        }

        // What root may not enter (a file system that knows no root), the user perhaps may.
        plan.Call($"enter {process.Cwd} in the container", SystemCall.chdir, plan.Text(process.Cwd)).Tolerate(Errno.EACCES, Errno.EPERM);
        plan.Call("unblock signals", SystemCall.rt_sigprocmask, SIG_SETMASK, plan.Bytes(stackalloc byte[8]), 0, 8);
        if (process.NoNewPrivileges)
        {
            LoadFilter(plan, filter);
        }

        Execute(plan, process);
    }

    static void SetOutOfMemoryScore(LaunchPlan plan, RuntimeProcess process)
    {
        if (process.OomScoreAdj is { } score)
        {
            var text = score.ToString();
            var file = plan.CallForResult("open /proc/self/oom_score_adj", SystemCall.openat, -100, plan.Text("/proc/self/oom_score_adj"), (long)(OpenFlags.WriteOnly | OpenFlags.CloseOnExec));
            plan.Call($"set the out-of-memory score to {text}", SystemCall.write, file, plan.Text(text), text.Length);
            plan.Close(file);
        }
    }

    /// <summary>Puts the streams in their places by way of high numbers, so that none overwrites another that is still needed.</summary>
    static void ConnectStreams(LaunchPlan plan, PlanValue? terminal)
    {
        const int F_DUPFD_CLOEXEC = 1030;
        Span<PlanValue> sources = [terminal ?? plan.StandardInput, terminal ?? plan.StandardOutput, terminal ?? plan.StandardError];
        Span<PlanValue> copies = [default, default, default];
        for (int i = 0; i < 3; i++)
        {
            copies[i] = plan.CallForResult("connect standard streams", SystemCall.fcntl, sources[i], F_DUPFD_CLOEXEC, 10);
        }

        for (int i = 0; i < 3; i++)
        {
            plan.Call("connect standard streams", SystemCall.dup3, copies[i], i, 0);
        }
    }

    static void BecomeUser(LaunchPlan plan, RuntimeProcess process)
    {
        var capabilities = process.Capabilities ?? new RuntimeCapabilities();
        foreach (var capability in CapabilitySet.All().Except(SetOf(capabilities.Bounding)).Members())
        {
            plan.Call("drop a capability from the bounding set", SystemCall.prctl, PR_CAPBSET_DROP, (long)capability, 0, 0, 0);
        }

        var user = process.User;
        var groups = new byte[user.AdditionalGids.Count * 4];
        for (int i = 0; i < user.AdditionalGids.Count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(groups.AsSpan(i * 4), user.AdditionalGids[i]);
        }

        plan.Call("keep capabilities", SystemCall.prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
        plan.Call("set supplementary groups", SystemCall.setgroups, user.AdditionalGids.Count, plan.Bytes(groups));
        plan.Call($"become group {user.Gid}", SystemCall.setresgid, user.Gid, user.Gid, user.Gid);
        plan.Call($"become user {user.Uid}", SystemCall.setresuid, user.Uid, user.Uid, user.Uid);
        SetCapabilities(plan, capabilities);
    }

    static void SetCapabilities(LaunchPlan plan, RuntimeCapabilities capabilities)
    {
        ulong effective = SetOf(capabilities.Effective).Bits;
        ulong permitted = SetOf(capabilities.Permitted).Bits;
        ulong inheritable = SetOf(capabilities.Inheritable).Bits;
        Span<byte> header = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0x20080522); // _LINUX_CAPABILITY_VERSION_3, capget(2)
        Span<byte> sets = stackalloc byte[24];
        for (int half = 0; half < 2; half++)
        {
            var at = sets[(half * 12)..];
            BinaryPrimitives.WriteUInt32LittleEndian(at, (uint)(effective >> (half * 32)));
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], (uint)(permitted >> (half * 32)));
            BinaryPrimitives.WriteUInt32LittleEndian(at[8..], (uint)(inheritable >> (half * 32)));
        }

        plan.Call("set capabilities", SystemCall.capset, plan.Bytes(header), plan.Bytes(sets));
        plan.Call("clear ambient capabilities", SystemCall.prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        foreach (var capability in SetOf(capabilities.Ambient).Members())
        {
            plan.Call($"raise ambient {capability.Name()}", SystemCall.prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (long)capability, 0, 0);
        }
    }

    static CapabilitySet SetOf(IReadOnlyList<string> names)
    {
        var set = CapabilitySet.Empty;
        foreach (var name in names)
        {
            set = CapabilityNames.TryParse(name, out var capability)
                ? set.With(capability)
                : throw new SpecException("process.capabilities", $"'{name}' is no capability");
        }

        return set.Intersect(CapabilitySet.All());
    }

    static PlanValue SeccompProgram(LaunchPlan plan, RuntimeSeccomp seccomp)
    {
        var program = ContainerSeccomp.Compile(seccomp);
        const int InstructionSize = 8;
        return plan.Words(program.Length / InstructionSize, plan.Bytes(program)); // struct sock_fprog: a 16-bit length, padding, a pointer
    }

    static void LoadFilter(LaunchPlan plan, PlanValue? filter)
    {
        if (filter is { } program)
        {
            plan.Call("load the seccomp filter", SystemCall.seccomp, SECCOMP_SET_MODE_FILTER, 0, program);
        }
    }

    /// <summary>One exec for each place where the program may lie, in the order of PATH.</summary>
    static void Execute(LaunchPlan plan, RuntimeProcess process)
    {
        if (process.Args.Count == 0 || process.Args[0].Length == 0)
        {
            throw new SpecException("process.args", "there is no program to run");
        }

        var program = process.Args[0];
        var arguments = plan.TextArray(process.Args);
        var environment = plan.TextArray(process.Env);
        var candidates = Candidates(program, process.Env);
        for (int i = 0; i < candidates.Count; i++)
        {
            var step = plan.Call($"exec {program}", SystemCall.execve, plan.Text(candidates[i]), arguments, environment);
            if (i < candidates.Count - 1)
            {
                step.Tolerate(Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES);
            }
        }
    }

    /// <summary>The paths that a program's name may stand for in the container.</summary>
    public static IReadOnlyList<string> Candidates(string program, IReadOnlyList<string> environment)
    {
        if (program.Contains('/'))
        {
            return [program];
        }

        var path = environment.LastOrDefault(variable => variable.StartsWith("PATH=", StringComparison.Ordinal))?[5..] ?? DefaultPath;
        return path.Split(':').Select(directory => $"{(directory.Length == 0 ? "." : directory)}/{program}").ToList();
    }
}
