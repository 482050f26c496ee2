using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Supervisor;

/// <summary>Turns an app of the pod directory into an order for the pod's PID 1, in two steps: what has to be there first, then the plans.</summary>
/// <param name="mounts">Takes what the app mounts from the host.</param>
sealed class AppPlanning(Stage1Options options, PodCgroups groups, PodMounts mounts)
{
    /// <summary>What of an app has to be there before its plans are built: its control group, and what it mounts from the host.</summary>
    /// <param name="terminal">The pod's own terminal is the app's.</param>
    /// <param name="sockets">That it finds open.</param>
    public PlannedApp Prepare(PodApp app, bool terminal, IReadOnlyList<ContainerSocket> sockets)
    {
        var annotations = AppAnnotations.Of(app);
        var streams = annotations.Streams(options.Interactive);
        var bundle = $"stage1/rootfs/opt/stage2/{app.Name}/config.json";
        var notify = annotations.SupportsNotify ? PodNotifications.Bind(app.Name.ToString()) : null;
        var config = Stage1Bundle.Adapt(
            RuntimeConfig.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, bundle), bundle), options, terminal || streams.Terminal, notify?.Description);
        foreach (var mount in config.Mounts)
        {
            if (mount is { Type: "bind", Source: { } source })
            {
                mounts.SourceInside(source);
            }
        }

        return new PlannedApp(app, annotations, streams, config, groups.Create(config), streams.Terminal ? Sockets.CreatePair("terminal") : null, notify, sockets);
    }

    /// <param name="console">Where the pod's own terminal is to be sent, if it is the app's.</param>
    public AppOrder Order(PlannedApp planned, FileDescriptor? console)
    {
        var setting = new ContainerSetting
        {
            RootPath = $"/opt/stage2/{planned.App.Name}/rootfs",
            SourcePath = mounts.SourceInside,
            Cgroups = planned.Group?.JoinFiles ?? [],
            CgroupHierarchies = groups.Hierarchies?.Select(name => new CgroupSource(name)).ToList(),
            ConsoleSocket = planned.Terminal?.Inner ?? console,
            Sockets = planned.Sockets,
            DeviceSource = options.IsInUserNamespace ? "/dev" : null,
        };
        var plan = ContainerPlan.Build(planned.Config, setting);
        if (options.Debug)
        {
            Messages.Error($"app {planned.App.Name}, step by step:\n  {string.Join("\n  ", plan.Describe())}");
        }

        return new AppOrder
        {
            Name = planned.App.Name.ToString(),
            Namespaces = ContainerNamespaces.ToMake(planned.Config),
            StopSignal = planned.Annotations.StopSignal,
            StopTimeout = planned.Annotations.StopTimeout,
            Restart = planned.Annotations.Restart,
            Streams = planned.Streams,
            IsLogged = options.LogDriver != LogDriver.None && (planned.Streams.Output is not (StreamMode.Null or StreamMode.Interactive) || planned.Streams.Error is not (StreamMode.Null or StreamMode.Interactive)),
            Notify = planned.Notify?.Number ?? -1,
            Cgroup = planned.Group?.Birthplace?.Number ?? -1,
            KillFile = planned.Group?.KillFile.File.Number ?? -1,
            KillsAll = planned.Group?.KillFile.KillsAll ?? false,
            Console = planned.Terminal?.Outer.Number ?? -1,
            Descriptors = [.. planned.Descriptors.Select(descriptor => descriptor.Number)],
            Plan = new PlanImage(plan),
            PreStart = Handler("pre-start"),
            PostStop = Handler("post-stop"),
        };

        PlanImage? Handler(string name)
        {
            var exec = planned.App.App?.EventHandlers.FirstOrDefault(handler => handler.Name == name)?.Exec;
            var process = planned.Config.Process!;
            return exec is null ? null : new PlanImage(ContainerPlan.Build(
                planned.Config with { Process = process with { Args = exec, Terminal = false, ConsoleSize = null } }, setting with { ConsoleSocket = null, Sockets = [] }));
        }
    }
}

/// <param name="Notify">The app's socket for notifications.</param>
/// <param name="Terminal">For a terminal of the app's own: the plan sends the outer side of it by one end, and it arrives at the other.</param>
sealed record PlannedApp(
    PodApp App, AppAnnotations Annotations, StreamModes Streams, RuntimeConfig Config, AppCgroup? Group, (FileDescriptor Inner, FileDescriptor Outer)? Terminal,
    FileDescriptor? Notify, IReadOnlyList<ContainerSocket> Sockets)
{
    /// <summary>All that PID 1 needs to have.</summary>
    public IEnumerable<FileDescriptor> Descriptors =>
        [.. Group?.Descriptors ?? [], .. Terminal is { } pair ? (ReadOnlySpan<FileDescriptor>)[pair.Inner, pair.Outer] : [], .. Notify is null ? (ReadOnlySpan<FileDescriptor>)[] : [Notify], .. Sockets.Select(socket => socket.Given).OfType<FileDescriptor>()];
}
