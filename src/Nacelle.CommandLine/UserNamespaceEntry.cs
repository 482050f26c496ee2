using System.Globalization;
using System.Runtime.InteropServices;
using Nacelle.Linux;

namespace Nacelle.CommandLine;

/// <summary>Commands that act as root, for who is not: they run in a user namespace in which he is root, and which has the ranges of users that are his.</summary>
/// <remarks>
/// All commands of a user are in the same one, so that one can enter what another has started. A process that only waits keeps it (it is the runner: a few
/// kilobytes); the file <c>users</c> in the runtime directory says which, and is locked while one is made.
/// </remarks>
static class UserNamespaceEntry
{
    const int PR_SET_PDEATHSIG = 1;

    /// <summary>Runs this program again, there, and waits for it.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="UserException">The user has no ranges, or the machine lets nobody but root have user namespaces.</exception>
    public static int Run(Invocation invocation, IReadOnlyList<string> arguments)
    {
        var data = GlobalFlags.DataDirectory(invocation);
        using var users = Open(invocation, data);
        var plan = new LaunchPlan();
        plan.Call("join the user namespace", SystemCall.setns, plan.Descriptor(users), (long)Namespaces.User);
        plan.Call("become group 0", SystemCall.setresgid, 0, 0, 0);
        plan.Call("become user 0", SystemCall.setresuid, 0, 0, 0);
        plan.Call("set supplementary groups", SystemCall.setgroups, 0, 0);
        plan.Call("end with who waits", SystemCall.prctl, PR_SET_PDEATHSIG, (int)Signal.Terminate);
        plan.Call("exec nacelle", SystemCall.execve, plan.Text("/proc/self/exe"), plan.TextArray([ProgramName.Text, $"--dir={data}", .. arguments]), plan.TextArray(Processes.Environment()));
        var process = Launcher.Start(plan);

        // Whoever sits before us sends Ctrl-C to the command as well.
        Signals.Ignore(Signal.Interrupt);
        Signals.Ignore(Signal.Quit);
        using var terminated = Pass(PosixSignal.SIGTERM, Signal.Terminate, process);
        using var hungUp = Pass(PosixSignal.SIGHUP, Signal.Hangup, process);
        return process.Wait().ShellCode;
    }

    static PosixSignalRegistration Pass(PosixSignal signal, Signal passed, Process process) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        Processes.Kill(process.Id, passed);
    });

    /// <returns>The namespace, made where there is none.</returns>
    static FileDescriptor Open(Invocation invocation, string data)
    {
        uint user = Processes.EffectiveUserId, group = Processes.EffectiveGroupId;
        if (SubordinateIds.TryMap(user, user, "/etc/subuid") is not { } userMap || SubordinateIds.TryMap(user, group, "/etc/subgid") is not { } groupMap)
        {
            throw new UserException($"{invocation.Command.Name}: cannot run as unprivileged user: /etc/subuid and /etc/subgid have no ranges for user {user}");
        }

        var directory = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime ? ProgramName.In(runtime) : data;
        Files.EnsureDirectories(directory, 0x1C0).Dispose();
        using var file = Files.Open($"{directory}/users", OpenFlags.ReadWrite | OpenFlags.Create, 0x180);
        FileLock.Acquire(file, LockKind.Exclusive);
        if (TryOpen(System.Text.Encoding.ASCII.GetString(Files.ReadToEnd(file))) is { } known)
        {
            return known;
        }

        try
        {
            var keeper = UserNamespaces.Keep(userMap, groupMap);
            Files.SetLength(file, 0);
            Files.Seek(file, 0, SeekOrigin.Begin);
            Files.Write(file, System.Text.Encoding.ASCII.GetBytes($"{keeper.Id} {Processes.TryStatus(keeper.Id)?.StartTime}"));
            return Files.Open($"/proc/{keeper.Id}/ns/user", OpenFlags.ReadOnly);
        }
        catch (KernelException problem)
        {
            throw new UserException($"{invocation.Command.Name}: cannot run as unprivileged user: {problem.Message}");
        }
    }

    /// <param name="text">What <c>users</c> says: a process, and when it was started.</param>
    static FileDescriptor? TryOpen(string text)
    {
        if (text.Split(' ') is not [var number, var start] || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int keeper))
        {
            return null;
        }

        var users = Files.TryOpen(FileDescriptor.WorkingDirectory, $"/proc/{keeper}/ns/user", OpenFlags.ReadOnly, out _);
        if (users is not null && $"{Processes.TryStatus(keeper)?.StartTime}" != start)
        {
            users.Dispose();
            users = null;
        }

        return users;
    }
}
