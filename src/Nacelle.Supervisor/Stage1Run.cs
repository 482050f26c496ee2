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
        var groups = new PodCgroups();
        try
        {
            bool terminal = options.Interactive && Terminal.IsTerminal(FileDescriptor.StandardInput);
            var (inside, outside) = Sockets.CreatePair("pod");
            using var input = options.Interactive ? FileDescriptor.StandardInput : Files.Open("/dev/null", OpenFlags.ReadOnly);
            Stage1Mounts.Prepare(options);
            var apps = new List<AppOrder>();
            var kept = new List<FileDescriptor> { inside, input };
            foreach (var app in manifest.Apps)
            {
                apps.Add(Order(app, options, groups, terminal ? inside : null, kept));
            }

            var order = new PodOrder(options.Interactive, input.Number, apps);
            var init = PodInit.Start(order, options, inside, kept);
            inside.Dispose();
            Files.WriteAll(FileDescriptor.WorkingDirectory, "pid", $"{init.Id}\n");
            return PodRelay.Until(init, outside, terminal).ShellCode;
        }
        finally
        {
            groups.Remove();
        }
    }

    static AppOrder Order(PodApp app, Stage1Options options, PodCgroups groups, FileDescriptor? console, List<FileDescriptor> kept)
    {
        var bundle = $"stage1/rootfs/opt/stage2/{app.Name}";
        var config = Stage1Bundle.Adapt(
            RuntimeConfig.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, $"{bundle}/config.json"), $"{bundle}/config.json"), options, console is not null);
        var group = groups.Create(config);
        var root = Files.Open($"{bundle}/rootfs", OpenFlags.Path | OpenFlags.Directory);
        var setting = new ContainerSetting
        {
            RootPath = $"/opt/stage2/{app.Name}/rootfs",
            Root = root,
            SourcePath = Stage1Mounts.SourceInside,
            Cgroups = group?.JoinFiles ?? [],
            CgroupHierarchies = groups.Hierarchies,
            ConsoleSocket = console,
            DeviceSource = options.PrivateUsers is null ? null : "/dev",
        };
        var plan = ContainerPlan.Build(config, setting);
        if (options.Debug)
        {
            Messages.Error($"app {app.Name}, step by step:\n  {string.Join("\n  ", plan.Describe())}");
        }

        root.Dispose();
        kept.AddRange(plan.Descriptors);
        if (group?.Birthplace is { } birthplace)
        {
            kept.Add(birthplace);
        }

        return new AppOrder(app.Name.ToString(), ContainerPlan.NamespacesToMake(config), StopSignalOf(app), group?.Birthplace?.Number ?? -1, plan.ToBytes());
    }

    static Signal StopSignalOf(PodApp app) =>
        app.Annotations.FirstOrDefault(one => one.Name == "nacelle/stop-signal") is { Value: var name } ? SignalNames.Parse(name) ?? Signal.Terminate : Signal.Terminate;
}
