using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>The pod's PID 1: starts the apps, reaps what dies, writes down how the apps ended, and ends the pod.</summary>
/// <remarks>
/// Its root is stage1's rootfs. When it ends, for whatever reason, the kernel ends all the pod's processes with it (pid_namespaces(7)).
/// One loop, one thread: whatever happens arrives on a descriptor.
/// </remarks>
sealed class PodSupervisor
{
    const int GraceMilliseconds = 10_000;

    readonly PodOrder order;
    readonly FileDescriptor outside;
    readonly FileDescriptor input;
    readonly FileDescriptor signals;
    readonly List<RunningApp> running = [];
    readonly List<AppOutput> outputs = [];
    int exitCode;
    bool ending;
    long killAt = long.MaxValue;

    PodSupervisor(PodOrder order, FileDescriptor outside)
    {
        this.order = order;
        this.outside = outside;
        input = new FileDescriptor(order.StandardInput, "standard input");
        signals = Signals.Open();
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
        foreach (var app in order.Apps)
        {
            Start(app);
        }

        if (!ending)
        {
            Files.MakeSymlink("ready", FileDescriptor.WorkingDirectory, "/rkt/supervisor-status");
        }

        while (running.Count > 0)
        {
            Turn();
        }

        foreach (var output in outputs)
        {
            output.Drain();
        }

        Files.WriteAll(FileDescriptor.WorkingDirectory, "/rkt/exited", $"{exitCode}\n");
        return exitCode;
    }

    void Start(AppOrder app)
    {
        try
        {
            var plan = new PlanImage(app.Plan);
            plan.SetStandard(0, input);
            if (order.Streams)
            {
                running.Add(new RunningApp(app, Launch(app, plan).Id));
            }
            else
            {
                var output = new AppOutput(app.Name);
                using (output.Connect(plan))
                {
                    running.Add(new RunningApp(app, Launch(app, plan).Id));
                }

                outputs.Add(output);
            }

            Files.WriteAll(FileDescriptor.WorkingDirectory, $"/rkt/pid/{app.Name}", $"{running[^1].Pid}\n");
        }
        catch (KernelException problem)
        {
            Messages.Error($"app {app.Name}: {problem.Message}");
            Finish(app.Name, Messages.OwnError);
        }
    }

    static Process Launch(AppOrder app, PlanImage plan)
    {
        if (app.Cgroup < 0)
        {
            return Launcher.Start(plan, app.Namespaces);
        }

        using var group = new FileDescriptor(app.Cgroup, "cgroup", owned: false);
        return Launcher.StartIn(group, plan, app.Namespaces);
    }

    /// <summary>Waits for one thing to happen and sees to it.</summary>
    void Turn()
    {
        var entries = new PollEntry[2 + (outputs.Count * 4)];
        entries[0] = new PollEntry { Number = signals.Number, Wanted = PollEvents.Readable };
        entries[1] = new PollEntry { Number = outside.Number, Wanted = PollEvents.Readable };
        for (int i = 0; i < outputs.Count; i++)
        {
            outputs[i].Prepare(entries.AsSpan(2 + (i * 4), 4));
        }

        Idle.Wait(entries, killAt == long.MaxValue ? -1 : (int)Math.Max(0, killAt - Environment.TickCount64));
        if (entries[1].Happened != PollEvents.None)
        {
            // The process outside is gone, and with it the terminal, the lock's owner and whoever would hear of us.
            Environment.Exit(Messages.OwnError);
        }

        for (int i = 0; i < outputs.Count; i++)
        {
            outputs[i].Transfer(entries.AsSpan(2 + (i * 4), 4));
        }

        if (entries[0].Happened != PollEvents.None)
        {
            while (Signals.TryRead(signals) is { } signal)
            {
                Handle(signal);
            }
        }

        if (Environment.TickCount64 >= killAt)
        {
            killAt = long.MaxValue;
            running.ForEach(app => Processes.Kill(app.Pid, Signal.Kill));
        }
    }

    void Handle(Signal signal)
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
                running.ForEach(app => Processes.Kill(app.Pid, signal));
                break;
        }
    }

    void Reap()
    {
        while (Processes.TryReapAny() is { } dead)
        {
            int at = running.FindIndex(app => app.Pid == dead.Pid);
            if (at >= 0)
            {
                var app = running[at].Order;
                running.RemoveAt(at);
                Finish(app.Name, dead.Status.ShellCode);
            }
        }
    }

    /// <summary>Writes down how an app ended. One that failed ends the pod, as rkt's immutable pods do.</summary>
    void Finish(string app, int code)
    {
        Files.WriteAll(FileDescriptor.WorkingDirectory, $"/rkt/status/{app}", $"{code}\n");
        if (code != 0)
        {
            exitCode = exitCode == 0 ? code : exitCode;
            End();
        }
    }

    /// <summary>Asks all apps to stop, and kills those that still run after the grace period.</summary>
    void End()
    {
        if (!ending)
        {
            ending = true;
            killAt = Environment.TickCount64 + GraceMilliseconds;
            running.ForEach(app => Processes.Kill(app.Pid, app.Order.StopSignal));
        }
    }

    sealed record RunningApp(AppOrder Order, int Pid);
}
