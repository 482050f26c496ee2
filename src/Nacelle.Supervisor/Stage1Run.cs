using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Supervisor;

/// <summary>Stage1's <c>run</c>: works everything out, makes the pod's PID 1, and stands for the pod outside until it ends.</summary>
/// <remarks>The working directory is the pod directory; its apps' root file systems are mounted there already, in this process's own mount namespace.</remarks>
static class Stage1Run
{
    public static int Run(Stage1Options options, string program, string[] arguments)
    {
        // The signals of a pod come by a descriptor, which only works when no thread of ours takes them first.
        if (!Signals.IsBlocked(Signal.Terminate))
        {
            Signals.BlockAll();
            throw Processes.Execute(program, [program, .. arguments], Processes.Environment());
        }

        var manifest = PodManifest.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, "pod"), "pod");
        var groups = new PodCgroups(options.PrivateUsers is not null);
        try
        {
            return Run(options, manifest, groups);
        }
        finally
        {
            groups.Remove();
        }
    }

    static int Run(Stage1Options options, PodManifest manifest, PodCgroups groups)
    {
        bool terminal = options.Interactive && Terminal.IsTerminal(FileDescriptor.StandardInput);
        var (inside, outside) = Sockets.CreatePair("pod");
        using var input = options.Interactive ? FileDescriptor.StandardInput : Files.Open("/dev/null", OpenFlags.ReadOnly);
        using var handover = Files.CreateInMemory("pod order");
        Stage1Mounts.Prepare(options);
        List<AppStart> apps = [.. manifest.Apps.Select(app => Prepare(app, options, groups, terminal))];
        List<FileDescriptor> kept = [inside, input, handover, .. apps.SelectMany(app => app.Group?.Descriptors ?? [])];

        // PID 1 takes a millisecond to start: meanwhile the plans are worked out, and it waits for them.
        var init = PodInit.Start(options, handover, inside, kept);
        try
        {
            new PodOrder(options.Interactive, input.Number, [.. apps.Select(app => Order(app, options, groups, terminal ? inside : null))]).WriteTo(handover);
            Files.WriteAll(FileDescriptor.WorkingDirectory, "pid", $"{init.Id}\n");
            Files.Write(outside, [1]);
        }
        catch
        {
            Processes.Kill(init.Id, Signal.Kill);
            init.Wait();
            throw;
        }

        inside.Dispose();
        using (outside) // held to the end: PID 1 takes its closing for our death
        {
            return ProcessRelay.Until(init, terminal ? outside : null, entries => Idle.Wait(entries)).ShellCode;
        }
    }

    /// <summary>What of an app has to be there before PID 1 is: its control group, and what it mounts from the host.</summary>
    static AppStart Prepare(PodApp app, Stage1Options options, PodCgroups groups, bool terminal)
    {
        var bundle = $"stage1/rootfs/opt/stage2/{app.Name}";
        var config = Stage1Bundle.Adapt(
            RuntimeConfig.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, $"{bundle}/config.json"), $"{bundle}/config.json"), options, terminal);
        foreach (var mount in config.Mounts)
        {
            if (mount is { Type: "bind", Source: { } source })
            {
                Stage1Mounts.SourceInside(source);
            }
        }

        return new AppStart(app, config, bundle, groups.Create(config));
    }

    static AppOrder Order(AppStart start, Stage1Options options, PodCgroups groups, FileDescriptor? console)
    {
        var plan = ContainerPlan.Build(start.Config, new ContainerSetting
        {
            RootPath = $"/opt/stage2/{start.App.Name}/rootfs",
            SourcePath = Stage1Mounts.SourceInside,
            Cgroups = start.Group?.JoinFiles ?? [],
            CgroupHierarchies = groups.Hierarchies?.Select(name => new CgroupSource(name)).ToList(),
            ConsoleSocket = console,
            DeviceSource = options.PrivateUsers is null ? null : "/dev",
        });
        if (options.Debug)
        {
            Messages.Error($"app {start.App.Name}, step by step:\n  {string.Join("\n  ", plan.Describe())}");
        }

        return new AppOrder(
            start.App.Name.ToString(), ContainerNamespaces.ToMake(start.Config), StopSignalOf(start.App), start.Group?.Birthplace?.Number ?? -1, plan.ToBytes());
    }

    sealed record AppStart(PodApp App, RuntimeConfig Config, string Bundle, AppCgroup? Group);

    static Signal StopSignalOf(PodApp app) =>
        app.Annotations.FirstOrDefault(one => one.Name == "nacelle/stop-signal") is { Value: var name } ? SignalNames.Parse(name) ?? Signal.Terminate : Signal.Terminate;
}
