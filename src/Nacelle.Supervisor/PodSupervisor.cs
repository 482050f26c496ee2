using Nacelle.Containers;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>The pod's PID 1: starts the apps, reaps what dies, writes down how the apps ended, and ends the pod.</summary>
/// <remarks>
/// Its root is stage1's rootfs. When it ends, for whatever reason, the kernel ends all the pod's processes with it (pid_namespaces(7)).
/// One loop, one thread: whatever happens arrives on a descriptor.
/// </remarks>
sealed class PodSupervisor
{
    readonly PodOrder order;
    readonly FileDescriptor outside;
    readonly FileDescriptor signals = Signals.Open();
    readonly PodStreams streams;
    readonly PodNotifications notifications;
    readonly ControlServer control;
    readonly List<SupervisedApp> apps = [];
    int exitCode;
    bool ending, ready, started;

    PodSupervisor(PodOrder order, FileDescriptor outside)
    {
        this.order = order;
        this.outside = outside;
        streams = new PodStreams(new FileDescriptor(order.Input, "standard input", owned: false), new FileDescriptor(order.Null, "/dev/null", owned: false), order.Journal);
        notifications = new PodNotifications(order.Notifications < 0 ? null : new FileDescriptor(order.Notifications, "notifications")) { Ready = BecomeReady };
        control = new ControlServer(new FileDescriptor(order.Control, "control socket"), order.HostProcesses, Handle);
    }

    /// <summary>Waits for the pod's order and carries it out.</summary>
    /// <param name="handover">The descriptor of the file that the order will be in.</param>
    /// <param name="outside">The descriptor of the socket to the process outside; when that is gone, so is the pod.</param>
    public static int Start(int handover, int outside)
    {
        var socket = new FileDescriptor(outside, "stage1") { Inherited = false };
        return Files.Read(socket, new byte[1]) == 1 ? new PodSupervisor(PodOrder.Read(handover), socket).Run() : Messages.OwnError;
    }

    /// <returns>The pod's exit code: the first that is not zero of its apps' codes.</returns>
    public int Run()
    {
        if (order.HostProcesses)
        {
            Processes.AdoptOrphans();
        }

        foreach (var app in order.Apps)
        {
            Add(app);
        }

        // An app's failure may end the pod before all are started.
        foreach (var app in apps.ToArray())
        {
            if (!ending)
            {
                app.Start();
            }
        }

        started = true;
        BecomeReady();
        for (var set = new PollSet(); Goes();)
        {
            Turn(set);
        }

        PodFiles.Write("exited", $"{exitCode}\n");
        return exitCode;
    }

    bool Goes() => apps.Exists(app => app.IsAlive) || (order.Mutable && !ending);

    SupervisedApp Add(AppOrder order)
    {
        if (order.Notify >= 0)
        {
            notifications.Listen(order.Name, new FileDescriptor(order.Notify, order.Name, owned: false));
        }

        var app = new SupervisedApp(order, streams, Changed);
        apps.Add(app);
        return app;
    }

    /// <summary>Waits for something to happen and sees to it.</summary>
    void Turn(PollSet set)
    {
        set.Clear();
        set.Add(outside, PollEvents.Readable, Abandon);
        set.Add(signals, PollEvents.Readable, TakeSignals);
        notifications.AddTo(set);
        control.AddTo(set);
        apps.ForEach(app => app.AddTo(set));
        set.Wait();
        foreach (var app in apps.ToArray())
        {
            app.Tick();
        }
    }

    /// <summary>The process outside is gone, and with it the terminal, the lock's owner and whoever would hear of us.</summary>
    void Abandon()
    {
        if (order.HostProcesses)
        {
            apps.ForEach(app => app.Kill());
        }

        Environment.Exit(Messages.OwnError);
    }

    void TakeSignals()
    {
        while (Signals.TryRead(signals) is { } signal)
        {
            switch (signal)
            {
                case Signal.Child:
                    Reap();
                    break;
                case Signal.Terminate or Signal.Interrupt or Signal.Quit or Signal.Power:
                    End();
                    break;
                case Signal.Hangup or Signal.User1 or Signal.User2:
                    apps.ForEach(app => app.Send(signal));
                    break;
            }
        }
    }

    void Reap()
    {
        while (Processes.TryReapAny() is { } dead)
        {
            _ = apps.Exists(app => app.TakeEnd(dead.Pid, dead.Status));
        }
    }

    void Changed(SupervisedApp app)
    {
        if (app.State == AppState.Finishing && !order.Mutable && app.ExitCode != 0)
        {
            // One that failed ends the pod, as in rkt's immutable pods.
            exitCode = exitCode == 0 ? app.ExitCode : exitCode;
            End();
        }

        if (app.State == AppState.Ended)
        {
            control.Ended(app.Name);
            notifications.Ended(app.Name);
            BecomeReady();
        }
    }

    /// <summary>Tells so, once, when all apps are started and those that wanted to say so are ready.</summary>
    void BecomeReady()
    {
        if (started && !ready && !ending && notifications.AreReady)
        {
            ready = true;
            PodFiles.Try("supervisor-status", path => Files.MakeSymlink("ready", FileDescriptor.WorkingDirectory, path));
            notifications.Tell("READY=1");
        }
    }

    /// <summary>Asks all apps to stop; those that take too long are killed.</summary>
    void End()
    {
        if (!ending)
        {
            ending = true;
            notifications.Tell("STOPPING=1");
            apps.ForEach(app => app.Stop());
        }
    }

    string? Handle(ControlConnection connection, ControlMessage message, IReadOnlyList<FileDescriptor> descriptors)
    {
        if (message.Verb == ControlVerb.Add)
        {
            return Add(message, descriptors);
        }

        var app = apps.Find(one => one.Name == message.App);
        var answer = app is not null ? Handle(connection, message, descriptors, app)
            : message.Verb == ControlVerb.Remove ? "" // whoever added it died before it was told here
            : "the pod has no such app";
        if (answer is { Length: > 0 })
        {
            foreach (var descriptor in descriptors)
            {
                descriptor.Dispose();
            }
        }

        return message.Verb == ControlVerb.Resize ? null : answer;
    }

    string? Handle(ControlConnection connection, ControlMessage message, IReadOnlyList<FileDescriptor> descriptors, SupervisedApp app)
    {
        switch (message.Verb)
        {
            case ControlVerb.Start:
                return ending ? "the pod is ending" : app.IsAlive ? "it runs already" : app.Start() ?? "";
            case ControlVerb.Stop:
                if (!app.IsAlive)
                {
                    return "";
                }

                connection.WaitsFor = app.Name;
                app.Stop();
                return null;
            case ControlVerb.Remove when app.IsAlive:
                return "it runs: stop it first";
            case ControlVerb.Remove:
                apps.Remove(app);
                notifications.Forget(app.Name);
                app.Dispose();
                return "";
            case ControlVerb.Attach:
                return Attach(connection, message.Streams, descriptors, app);
            case ControlVerb.Resize when connection.AttachedTo == app.Name:
                app.Resize(message.Size);
                return null;
            default:
                return "the message is not understood";
        }
    }

    string Add(ControlMessage message, IReadOnlyList<FileDescriptor> descriptors)
    {
        if (ending || !order.Mutable || apps.Exists(one => one.Name == message.App) || descriptors.Count == 0)
        {
            foreach (var descriptor in descriptors)
            {
                descriptor.Dispose();
            }

            return ending ? "the pod is ending" : !order.Mutable ? "the pod was not made for apps to come and go (see app sandbox)" : "the pod has such an app already";
        }

        using var file = descriptors[0];
        Files.Seek(file, 0, SeekOrigin.Begin);
        using var reader = new BinaryReader(new MemoryStream(Files.ReadToEnd(file)));
        var app = AppOrder.ReadFrom(reader);
        app.Rename([.. descriptors.Skip(1)]);
        Add(app);
        return "";
    }

    static string Attach(ControlConnection connection, AttachTo streams, IReadOnlyList<FileDescriptor> descriptors, SupervisedApp app)
    {
        var left = new Queue<FileDescriptor>(descriptors);
        var wanted = new AttachedStreams(Take(AttachTo.Input), Take(AttachTo.Output), Take(AttachTo.Error));
        if (app.Attach(wanted) is { } problem)
        {
            return problem;
        }

        connection.AttachedTo = app.Name;
        return "";

        FileDescriptor? Take(AttachTo one) => (streams & one) != 0 && left.TryDequeue(out var descriptor) ? descriptor : null;
    }
}
