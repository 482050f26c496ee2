using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Network;
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
        if (options.Mutable)
        {
            Stage1Options.Keep(arguments);
        }

        var groups = new PodCgroups(options.IsInUserNamespace);
        var networks = new PlannedNetworks(manifest.Apps.Select(app => app.Name.ToString()), options.ResolverOfNetworks);
        try
        {
            return Run(options, manifest, groups, networks);
        }
        finally
        {
            if (options.HostProcesses)
            {
                groups.Kill();
            }

            if (networks.Detach() is { } problem)
            {
                Messages.Error(problem);
            }

            groups.Remove();
        }
    }

    static int Run(Stage1Options options, PodManifest manifest, PodCgroups groups, PlannedNetworks networks)
    {
        bool terminal = options.Interactive && Terminal.IsTerminal(FileDescriptor.StandardInput);
        var (inside, outside) = Sockets.CreatePair("pod");
        using var nowhere = Files.Open("/dev/null", OpenFlags.ReadWrite);
        using var handover = Files.CreateInMemory("pod order");
        using var control = Listen();
        using var notifications = HostNotifications.Connect();
        var journal = PodJournal.Connect(options, out var journalSocket);
        using var mounts = new PodMounts("");
        mounts.AddDevices(options);
        mounts.KnowSys(options, add: true);
        var sockets = SocketActivation.Inherited();
        groups.CreateWhole(options.Uuid);
        var planning = new AppPlanning(options, groups, mounts);
        List<PlannedApp> apps = [.. manifest.Apps.Select(app => planning.Prepare(app, terminal, SocketActivation.Of(app, manifest.Apps.Count == 1, sockets)))];
        mounts.Attach();
        List<FileDescriptor> kept = [inside, nowhere, handover, control, .. apps.SelectMany(app => app.Descriptors)];
        if (options.Interactive)
        {
            kept.Add(FileDescriptor.StandardInput);
        }

        if (notifications is not null)
        {
            kept.Add(notifications.Inside);
        }

        if (journalSocket is not null)
        {
            kept.Add(journalSocket);
        }

        // PID 1 takes a millisecond to start: meanwhile the plans are worked out, and it waits for them.
        var init = PodInit.Start(options, handover, inside, kept);
        try
        {
            var order = new PodOrder(
                options.Mutable, options.HostProcesses, options.Interactive ? 0 : nowhere.Number, nowhere.Number, control.Number, notifications?.Inside.Number ?? -1, journal,
                [.. apps.Select(app => planning.Order(app, terminal ? inside : null))]);
            order.WriteTo(handover);
            Files.WriteAll(FileDescriptor.WorkingDirectory, "pid", $"{init.Id}\n");
            networks.Attach($"/proc/{init.Id}/ns/net");
            Files.Write(outside, [1]);
        }
        catch
        {
            Processes.Kill(init.Id, Signal.Kill);
            init.Wait();
            throw;
        }

        inside.Dispose();
        journalSocket?.Dispose();
        foreach (var descriptor in apps.SelectMany(app => app.Descriptors))
        {
            descriptor.Dispose();
        }

        using (outside) // held to the end: PID 1 takes its closing for our death
        {
            return ProcessRelay.Until(
                init, terminal ? outside : null, notifications is null ? null : new RelaySource(notifications.Outside, notifications.Pass), entries => Idle.Wait(entries)).ShellCode;
        }
    }

    static FileDescriptor Listen()
    {
        using var directory = Files.Open(".", OpenFlags.Path | OpenFlags.Directory);
        var listener = Sockets.Listen(directory, PodControl.SocketName);
        listener.SetNonBlocking();
        return listener;
    }
}
