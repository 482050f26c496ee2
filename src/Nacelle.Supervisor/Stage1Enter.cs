using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Supervisor;

/// <summary>Stage1's <c>enter</c>: runs a command in a running app, in all its namespaces and under every restriction that the app has.</summary>
/// <remarks>rkt's CVE-2019-10144, -10145 and -10147 were processes that entered a pod without its limits; here both are made from one config.json.</remarks>
static class Stage1Enter
{
    public static int Enter(string[] arguments)
    {
        var (app, command) = Parse(arguments);
        var bundle = $"stage1/rootfs/opt/stage2/{app}";
        var config = RuntimeConfig.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, $"{bundle}/config.json"), $"{bundle}/config.json");
        bool terminal = Terminal.IsTerminal(FileDescriptor.StandardInput) && Terminal.IsTerminal(FileDescriptor.StandardOutput);
        if (terminal && !Signals.IsBlocked(Signal.Terminate))
        {
            Signals.BlockAll(); // the relay takes them from a descriptor, so all threads must leave them alone: start over with the mask
            throw Processes.Execute("/proc/self/exe", ["enter", .. arguments], Processes.Environment());
        }

        var (opened, number) = PodProcess.OpenApp(app);
        using var target = opened;
        var (inside, outside) = Sockets.CreatePair("terminal");
        var layout = CgroupLayout.Detect();
        using var group = config.Linux?.CgroupsPath is { } path && layout.Kind != CgroupKind.None ? Cgroup.TryOpen(layout, path) : null;
        var process = config.Process! with { Args = command, Cwd = config.Process.Cwd };
        if (terminal)
        {
            var size = Terminal.GetSize(FileDescriptor.StandardInput);
            process = process with { Terminal = true, ConsoleSize = new RuntimeConsoleSize(size.Rows, size.Columns), Env = WithTerm(process.Env) };
        }

        var setting = new JoinSetting { ConsoleSocket = terminal ? inside : null, Own = OwnNamespaces(number) };
        var outer = ContainerJoin.Namespaces(target, group?.OpenJoinFiles() ?? [], setting);
        var inner = ContainerJoin.Process(process, config.Linux?.Seccomp, setting);
        var entered = Launcher.StartInside(new PlanImage(outer), new PlanImage(inner));
        inside.Dispose();
        using var relay = outside;
        if (terminal)
        {
            return ProcessRelay.Until(entered, outside).ShellCode;
        }

        // Whoever sits before us sends Ctrl-C to the command as well; this process only waits for it.
        Signals.Ignore(Signal.Interrupt);
        Signals.Ignore(Signal.Quit);
        return entered.Wait().ShellCode;
    }

    /// <summary>Those that are not ours as well: root of a user namespace may not join what he shares with the machine.</summary>
    static Namespaces OwnNamespaces(int process)
    {
        var own = Namespaces.None;
        foreach (var (kind, name) in (ReadOnlySpan<(Namespaces, string)>)
            [
                (Namespaces.Mount, "mnt"), (Namespaces.Pid, "pid"), (Namespaces.Ipc, "ipc"), (Namespaces.Uts, "uts"), (Namespaces.Network, "net"), (Namespaces.Cgroup, "cgroup"), (Namespaces.Time, "time"),
            ])
        {
            using var theirs = Files.TryOpen(FileDescriptor.WorkingDirectory, $"/proc/{process}/ns/{name}", OpenFlags.ReadOnly, out _);
            using var ours = Files.TryOpen(FileDescriptor.WorkingDirectory, $"/proc/self/ns/{name}", OpenFlags.ReadOnly, out _);
            own |= theirs is not null && ours is not null && Files.Status(theirs).Inode != Files.Status(ours).Inode ? kind : Namespaces.None;
        }

        return own;
    }

    static IReadOnlyList<string> WithTerm(IReadOnlyList<string> environment) =>
        environment.Any(variable => variable.StartsWith("TERM=", StringComparison.Ordinal)) ? environment
        : [.. environment, $"TERM={Environment.GetEnvironmentVariable("TERM") ?? "xterm"}"];

    static (string App, string[] Command) Parse(string[] arguments)
    {
        int end = Array.IndexOf(arguments, "--");
        var app = arguments.Take(end < 0 ? arguments.Length : end).FirstOrDefault(one => one.StartsWith("--appname=", StringComparison.Ordinal));
        return app is not null && end >= 0 && end + 1 < arguments.Length
            ? (app["--appname=".Length..], arguments[(end + 1)..])
            : throw new Stage1Exception("stage1's enter takes --appname=NAME -- COMMAND");
    }
}
