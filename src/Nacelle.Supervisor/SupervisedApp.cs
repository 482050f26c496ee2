using System.Globalization;
using Nacelle.Containers;
using Nacelle.Linux;

namespace Nacelle.Supervisor;

enum AppState
{
    /// <summary>Not started yet.</summary>
    Created,

    /// <summary>Its pre-start handler runs.</summary>
    Starting,
    Running,

    /// <summary>Its post-stop handler runs.</summary>
    Stopping,

    /// <summary>It has ended and will be started again.</summary>
    Waiting,

    /// <summary>It has ended for good; what it wrote last is still on its way.</summary>
    Finishing,
    Ended,
}

/// <summary>An app from its start to its end, over all restarts. What becomes of it stands in files: <c>rkt/pid</c>, <c>rkt/status</c>, <c>rkt/restarts</c>.</summary>
/// <param name="changed">Told of each new state.</param>
sealed class SupervisedApp(AppOrder order, PodStreams pod, Action<SupervisedApp> changed) : IDisposable
{
    readonly FileDescriptor? console = order.Console < 0 ? null : new FileDescriptor(order.Console, "terminal", owned: false);
    readonly AppLog? log = order.IsLogged ? AppLog.TryOpen(order.Name) : null;
    AppStreams? streams;
    int process = -1, failures, restarts;
    bool stopping;
    long runningSince, killAt = long.MaxValue, restartAt = long.MaxValue;

    public string Name => order.Name;

    public AppState State { get; private set; } = AppState.Created;

    /// <summary>Of the last end.</summary>
    public int ExitCode { get; private set; }

    public bool HasEnded => State is AppState.Ended;

    /// <summary>Neither started nor ended for good: something of it may run.</summary>
    public bool IsAlive => State is not (AppState.Created or AppState.Ended);

    /// <returns>Why it could not be started, or null.</returns>
    public string? Start()
    {
        stopping = false;
        failures = 0;
        return Begin();
    }

    string? Begin()
    {
        streams ??= new AppStreams(order.Name, order.Streams, log, pod, console);
        Files.TryUnlink(FileDescriptor.WorkingDirectory, $"/rkt/pid/{Name}");
        Files.TryUnlink(FileDescriptor.WorkingDirectory, $"/rkt/status/{Name}");
        var (plan, state) = order.PreStart is { } first ? (first, AppState.Starting) : (order.Plan, AppState.Running);
        return TryLaunch(plan, state) is { } problem ? Fail(problem) : null;
    }

    string? TryLaunch(PlanImage plan, AppState state)
    {
        try
        {
            using (streams!.Connect(plan))
            {
                process = Launch(plan);
            }

            streams.TakeTerminal();
            if (state == AppState.Running)
            {
                Write("pid", process);
                runningSince = Environment.TickCount64;
            }

            Enter(state);
            return null;
        }
        catch (KernelException problem)
        {
            process = -1;
            return problem.Message;
        }
    }

    int Launch(PlanImage plan)
    {
        if (order.Cgroup < 0)
        {
            return Launcher.Start(plan, order.Namespaces).Id;
        }

        using var group = new FileDescriptor(order.Cgroup, "cgroup", owned: false);
        return Launcher.StartIn(group, plan, order.Namespaces).Id;
    }

    string Fail(string problem)
    {
        Messages.Error($"app {Name}: {problem}");
        ExitCode = Messages.OwnError;
        Decide();
        return problem;
    }

    /// <summary>Takes the end of a process, if it is this app's.</summary>
    public bool TakeEnd(int pid, ExitStatus status)
    {
        if (pid != process)
        {
            return false;
        }

        process = -1;
        killAt = long.MaxValue;
        if (State == AppState.Starting && status.ShellCode == 0 && !stopping)
        {
            if (TryLaunch(order.Plan, AppState.Running) is { } problem)
            {
                Fail(problem);
            }

            return true;
        }

        if (State != AppState.Stopping)
        {
            ExitCode = status.ShellCode;
            KillRest();
            if (order.PostStop is { } handler && State == AppState.Running)
            {
                if (TryLaunch(handler, AppState.Stopping) is not { } problem)
                {
                    killAt = stopping ? Environment.TickCount64 + order.StopTimeout : long.MaxValue;
                    return true;
                }

                Messages.Error($"app {Name}: post-stop: {problem}");
            }
        }
        else if (status.ShellCode != 0)
        {
            Messages.Error($"app {Name}: its post-stop handler ended with {status.ShellCode}");
        }

        Decide();
        return true;
    }

    /// <summary>What the app started and left running goes with it.</summary>
    void KillRest()
    {
        if (order.KillFile >= 0)
        {
            using var file = new FileDescriptor(order.KillFile, $"processes of app {Name}", owned: false);
            new CgroupKillFile(file, order.KillsAll).Kill();
        }
    }

    /// <summary>It has ended: once more, or for good.</summary>
    void Decide()
    {
        failures = Environment.TickCount64 - runningSince > RestartPolicy.Recovered ? 1 : failures + 1;
        Write("status", ExitCode);
        if (!stopping && order.Restart.Restarts(ExitCode, failures))
        {
            restartAt = Environment.TickCount64 + RestartPolicy.Delay(failures);
            Enter(AppState.Waiting);
            return;
        }

        streams!.Finish();
        Enter(AppState.Finishing);
    }

    /// <summary>Asks the app to end, with time to do so; what is not running ends at once.</summary>
    public void Stop()
    {
        if (stopping)
        {
            return;
        }

        stopping = true;
        restartAt = long.MaxValue;
        if (State == AppState.Waiting)
        {
            streams!.Finish();
            Enter(AppState.Finishing);
        }
        else if (process >= 0)
        {
            killAt = Environment.TickCount64 + order.StopTimeout;
            if (State != AppState.Stopping)
            {
                Processes.Kill(process, State == AppState.Running ? order.StopSignal : Signal.Terminate);
            }
        }
    }

    public void Send(Signal signal)
    {
        if (State == AppState.Running)
        {
            Processes.Kill(process, signal);
        }
    }

    /// <summary>Whatever still runs, at once.</summary>
    public void Kill()
    {
        if (process >= 0)
        {
            Processes.Kill(process, Signal.Kill);
            KillRest();
        }
    }

    /// <summary>See <see cref="AppStreams.Attach"/>.</summary>
    public string? Attach(AttachedStreams wanted) => streams is null || HasEnded ? "it is not running" : streams.Attach(wanted);

    public void Resize(TerminalSize size) => streams?.Resize(size);

    public void AddTo(PollSet set)
    {
        streams?.AddTo(set);
        set.WakeAt(Math.Min(killAt, restartAt));
    }

    /// <summary>Does what is due by now.</summary>
    public void Tick()
    {
        long now = Environment.TickCount64;
        if (now >= killAt)
        {
            killAt = long.MaxValue;
            Kill();
        }

        if (now >= restartAt)
        {
            restartAt = long.MaxValue;
            Write("restarts", ++restarts);
            Begin();
        }

        if (State == AppState.Finishing && streams!.AreDone)
        {
            streams.Dispose();
            streams = null;
            Enter(AppState.Ended);
        }
    }

    void Enter(AppState state)
    {
        State = state;
        changed(this);
    }

    void Write(string kind, int number) => PodFiles.Write($"{kind}/{Name}", number.ToString(CultureInfo.InvariantCulture) + "\n");

    public void Dispose()
    {
        streams?.Dispose();
        log?.Dispose();
        foreach (int number in order.Descriptors)
        {
            new FileDescriptor(number, Name).Dispose();
        }
    }
}
