using Nacelle.Containers;
using Nacelle.Linux;

namespace Nacelle.Flavors;

/// <summary>The flavor <c>systemd</c>'s <c>enter</c>: a command in all namespaces and under every restriction of an app, from the same config.json as its unit.</summary>
static class SystemdEnter
{
    public static int Enter(string[] arguments)
    {
        var (app, command) = EnterArguments.Parse(arguments);
        bool terminal = Terminal.IsTerminal(FileDescriptor.StandardInput) && Terminal.IsTerminal(FileDescriptor.StandardOutput);
        var process = PodDirectory.ReadBundle(app).Process! with { Args = command };
        if (terminal)
        {
            Signals.BlockOnAllThreads();
            var size = Terminal.GetSize(FileDescriptor.StandardInput);
            process = process with { Terminal = true, ConsoleSize = new Specs.RuntimeConsoleSize(size.Rows, size.Columns) };
        }

        int init = InitOf(arguments);
        var (target, pid) = FindApp(init, app);
        using var held = target;
        var (inside, outside) = Sockets.CreatePair("terminal");
        var setting = new JoinSetting { ConsoleSocket = terminal ? inside : null };
        var outer = ContainerJoin.Namespaces(target, OpenGroups(pid), setting);
        var inner = ContainerJoin.Process(process, PodDirectory.ReadBundle(app).Linux?.Seccomp, setting);
        var entered = Launcher.StartInside(new PlanImage(outer), new PlanImage(inner));
        inside.Dispose();
        using (outside)
        {
            if (terminal)
            {
                return ProcessRelay.Until(entered, outside).ShellCode;
            }

            Signals.Ignore(Signal.Interrupt);
            Signals.Ignore(Signal.Quit);
            return entered.Wait().ShellCode;
        }
    }

    /// <summary>The app's groups. A host that is itself a container may see them and not write to them: nobody moves there then.</summary>
    static IReadOnlyList<FileDescriptor> OpenGroups(int pid)
    {
        try
        {
            return Cgroup.OpenJoinFiles(CgroupLayout.Detect(), pid);
        }
        catch (KernelException problem) when (problem.Errno == Errno.EROFS)
        {
            return [];
        }
    }

    static int InitOf(string[] arguments) =>
        arguments.FirstOrDefault(one => one.StartsWith("--pid=", StringComparison.Ordinal)) is { } text && int.TryParse(text["--pid=".Length..], out int pid) ? pid
            : throw new FlavorException("stage1's enter was not told where the pod's PID 1 is");

    /// <summary>The app's first process: a child of the pod's systemd in the group of the app's unit.</summary>
    static (FileDescriptor Process, int Id) FindApp(int init, string app)
    {
        var children = Files.TryReadText(FileDescriptor.WorkingDirectory, $"/proc/{init}/task/{init}/children") ?? "";
        foreach (var child in children.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int pid = int.Parse(child, System.Globalization.CultureInfo.InvariantCulture);
            var process = Processes.TryOpen(pid);
            if (process is not null
                && (Files.TryReadText(FileDescriptor.WorkingDirectory, $"/proc/{pid}/cgroup") ?? "").Split('\n').Any(line => line.EndsWith($"/{app}.service", StringComparison.Ordinal)))
            {
                return (process, pid);
            }

            process?.Dispose();
        }

        throw new FlavorException($"app {app} is not running");
    }
}
