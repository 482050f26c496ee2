using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The last steps of a container's process: standard streams, limits, identity, confinement, exec.</summary>
static class ContainerProcess
{
    const int PR_SET_NO_NEW_PRIVS = 38, SIG_SETMASK = 2;
    const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public static void Add(LaunchPlan plan, RuntimeProcess process, ProcessSetting setting)
    {
        if (process.Args.Count == 0 || process.Args[0].Length == 0)
        {
            throw new SpecException("process.args", "there is no program to run");
        }

        JoinKeyring(plan, setting.KeyringName);
        for (int i = 0; i < process.Rlimits.Count; i++)
        {
            var limit = process.Rlimits[i];
            var which = ResourceLimits.TryParse(limit.Type, out var known) && known.Name() == limit.Type ? (long)known
                : throw new SpecException($"process.rlimits[{i}].type", $"'{limit.Type}' is not a limit of getrlimit(2), such as RLIMIT_NOFILE");
            plan.Call($"set limit {limit.Type}", SystemCall.prlimit64, 0, which, plan.Words((long)limit.Soft, (long)limit.Hard), 0);
        }

        ContainerScheduling.Add(plan, process, setting);
        ConnectStreams(plan, setting.Terminal);
        ContainerSockets.Connect(plan, setting.Sockets);
        CloseDescriptors(plan, setting);
        var entered = EnterWorkingDirectory(plan, process.Cwd);
        entered.Tolerate(Errno.EACCES);
        FindProgram(plan, process, setting.Program ?? process.Args[0]);
        var filter = setting.Seccomp is null ? null : SeccompProgram.Of(plan, setting.Seccomp);

        // Without no_new_privs a filter takes CAP_SYS_ADMIN, so it is loaded before that goes; with it, after everything that it need not allow.
        bool loadsLast = process.NoNewPrivileges && filter is { Listens: false };
        if (!process.NoNewPrivileges)
        {
            filter?.Load(plan, setting.Handshake);
        }

        ContainerIdentity.Become(plan, process, setting.Grantable);
        if (process.NoNewPrivileges)
        {
            plan.Call("set no_new_privs", SystemCall.prctl, PR_SET_NO_NEW_PRIVS, 1);
        }

        // What root may not enter (a file system that knows no root), the user perhaps may.
        EnterWorkingDirectory(plan, process.Cwd).Tolerate(Errno.EPERM);
        plan.Call("unblock signals", SystemCall.rt_sigprocmask, SIG_SETMASK, plan.Bytes(stackalloc byte[8]), 0, 8);
        if (process.NoNewPrivileges && !loadsLast)
        {
            filter?.Load(plan, setting.Handshake);
        }

        setting.Handshake?.Say(plan, ContainerHandshake.Ready, "report to the container's maker");
        setting.Handshake?.WaitForStart(plan);
        var environment = plan.Words([.. process.Env.Select(plan.Text), .. ContainerSockets.Environment(plan, setting.Sockets), 0]);
        if (loadsLast)
        {
            filter?.Load(plan, setting.Handshake);
        }

        Execute(plan, process, setting.Program ?? process.Args[0], environment);
    }

    static void JoinKeyring(LaunchPlan plan, string? name)
    {
        const int KEYCTL_JOIN_SESSION_KEYRING = 1;
        if (name is not null)
        {
            plan.Call($"join session keyring {name}", SystemCall.keyctl, KEYCTL_JOIN_SESSION_KEYRING, plan.Text(name)).Tolerate(Errno.ENOSYS, Errno.EPERM);
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

    /// <summary>Closes everything but the streams, what the program is to keep, and the handshake, which the exec closes.</summary>
    /// <remarks>
    /// CVE-2016-9962, CVE-2024-21626: a descriptor of the host's that is still open when the working directory or the program is looked up, or that others in
    /// the container can find in /proc while this process waits, leads out. So they are closed now and not by the exec.
    /// </remarks>
    static void CloseDescriptors(LaunchPlan plan, ProcessSetting setting)
    {
        plan.CloseAllBut(3 + Math.Max(setting.PreservedDescriptors, setting.Sockets.Count), setting.Handshake?.Numbers ?? []);
    }

    /// <summary>CVE-2024-21626: no magic link of /proc may lead to a directory outside.</summary>
    public static LaunchPlan.Step EnterWorkingDirectory(LaunchPlan plan, string path)
    {
        var operation = $"enter {path} in the container";
        var root = plan.CallForResult(operation, SystemCall.openat, -100, plan.Text("/"), (long)(OpenFlags.Path | OpenFlags.CloseOnExec));
        var directory = plan.NewCell();
        var opening = plan.OpenInside(operation, root, path, OpenFlags.Path | OpenFlags.Directory).To(directory);
        plan.Call(operation, SystemCall.fchdir, directory).Tolerate(Errno.EACCES);
        plan.Close(directory);
        opening.Tolerate(Errno.EACCES).SkipToHereOnFailure();
        plan.Close(root);
        return opening;
    }

    /// <summary>Makes sure that there is a program before its start is waited for, and before a filter may forbid looking.</summary>
    static void FindProgram(LaunchPlan plan, RuntimeProcess process, string program)
    {
        const int X_OK = 1, AT_EACCESS = 0x200;
        var candidates = Candidates(program, process.Env);
        var looks = new LaunchPlan.Step[candidates.Count];
        for (int i = 0; i < looks.Length; i++)
        {
            looks[i] = plan.Call($"exec {program}", SystemCall.faccessat2, -100, plan.Text(candidates[i]), X_OK, AT_EACCESS).Tolerate(Errno.ENOSYS, Errno.EPERM);
            if (i < looks.Length - 1)
            {
                looks[i].Tolerate(Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES);
            }
            else if (process.User.Uid != 0)
            {
                looks[i].Tolerate(Errno.EACCES); // where root may not look, the user perhaps may
            }
        }

        foreach (var look in looks)
        {
            look.SkipToHereOnSuccess();
        }
    }

    /// <summary>One exec for each place where the program may lie, in the order of PATH.</summary>
    public static void Execute(LaunchPlan plan, RuntimeProcess process, string program, PlanValue environment)
    {
        var arguments = plan.TextArray(process.Args);
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
