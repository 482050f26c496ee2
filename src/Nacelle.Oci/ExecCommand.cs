using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

/// <summary>Runs a further process in a container, under every restriction that the container has.</summary>
static class ExecCommand
{
    public static readonly Command Definition = new(
        "exec", "[OPTIONS] ID [COMMAND…]", "run a further process in a running container", ExecOptions.All, Run, ErrorCode: 255);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        var options = ExecOptions.Take(arguments);
        using var container = new ContainerStore(globals.Root).Open(options.Id);
        using var target = container.TryOpenProcess() ?? throw new UserException($"cannot exec in container {options.Id}, which is {container.Status}");
        using var group = container.OpenCgroup();
        if (!options.IgnorePaused && group is { IsFrozen: true })
        {
            throw new UserException($"cannot exec in container {options.Id}, which is paused");
        }

        var process = options.Process(container.Config);
        process.Check(options.ProcessFile ?? "exec");
        bool relays = process.Terminal && !options.Detach && options.ConsoleSocket is null;
        if (relays)
        {
            process = process with { ConsoleSize = TerminalRelay.CallersSize() };
        }

        using var terminal = relays ? new TerminalChannel() : null;
        using var console = terminal is null ? ConsoleSocket.Connect(options.ConsoleSocket, process) : null;
        var started = Start(options, container, process, target, group, terminal?.Inside ?? console);
        if (options.PidFile is { } file)
        {
            PidFile.Write(file, started.Id);
        }

        terminal?.Started();
        return options.Detach ? 0 : ProcessRelay.Until(started, terminal?.Outside).ShellCode;
    }

    static Process Start(ExecOptions options, Container container, RuntimeProcess process, FileDescriptor target, Cgroup? group, FileDescriptor? console)
    {
        var inherited = InheritedDescriptors.Find(options.PreservedDescriptors, pid: 1);
        using var below = group is null ? null
            : options.Cgroup is { } path ? OpenBelow(group, path)
            : group.IsDivided ? Cgroup.TryOpenOf(CgroupLayout.Detect(), container.Record.Pid) // the container has moved its own processes further down
            : null;
        var joined = below ?? group;
        var birthplace = joined?.UnifiedDirectory;
        var setting = JoinedContainer.Setting(container) with { ConsoleSocket = console, PreservedDescriptors = inherited.Count };
        var joinFiles = birthplace is null ? joined?.OpenJoinFiles() ?? [] : [];
        var seccomp = container.Config.Linux?.Seccomp;
        var adapted = inherited.AddTo(process);
        if (seccomp?.ListenerPath is null)
        {
            using var launch = Launch.Begin(
                [new PlanImage(ContainerJoin.Namespaces(target, joinFiles, setting, process.ExecCpuAffinity))],
                [new PlanImage(ContainerJoin.Process(adapted, seccomp, setting))],
                cgroup: birthplace,
                untilExecuted: true);
            PrepareToRelay(options);
            return launch.Started();
        }

        using var birth = ContainerBirth.Join(
            setting, all => ContainerJoin.Namespaces(target, joinFiles, all, process.ExecCpuAffinity), all => ContainerJoin.Process(adapted, seccomp, all), birthplace);
        PrepareToRelay(options);
        birth.UntilReady(maps: null, whenMounted: null, listener => SeccompListener.Send(container.Config, container.State(RuntimeStatus.Running), birth.Process.Id, listener));
        birth.Release();
        birth.UntilExecuted();
        return birth.Process;
    }

    static void PrepareToRelay(ExecOptions options)
    {
        if (!options.Detach)
        {
            Signals.BlockOnAllThreads();
        }
    }

    static Cgroup OpenBelow(Cgroup group, string path) =>
        group.TryOpenBelow(path) ?? throw new UserException($"there is no control group {path} below the container's");
}
