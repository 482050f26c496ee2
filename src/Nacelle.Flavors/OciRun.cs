using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>The flavor <c>oci</c>: hands each app's bundle to an external OCI runtime, in namespaces that the apps of the pod share.</summary>
/// <remarks>Each app's runtime stays in the foreground as a child of this process, so its exit code is the app's, and what the app writes goes where this process's output goes.</remarks>
sealed class OciRun
{
    const int GraceMilliseconds = 10_000;

    public const string ProcessIdPath = OciRuntime.Directory + "/pid";

    readonly OciRuntime runtime = OciRuntime.Find();
    readonly List<RunningApp> running = [];
    readonly Process init;
    int exitCode;
    bool ending;
    bool initHasEnded;
    long killAt = long.MaxValue;

    OciRun(Process init) => this.init = init;

    public static int Run(Stage1Options options)
    {
        var manifest = PodDirectory.ReadManifest();
        Refuse(options, manifest);
        OciRuntime.Find().Write();
        Signals.BlockOnAllThreads();
        Files.WriteAll(FileDescriptor.WorkingDirectory, ProcessIdPath, $"{Environment.ProcessId}\n");
        var init = PodInit.Start(options, "oci/init");
        PodDirectory.WriteProcessId(init.Id);
        var run = new OciRun(init);
        var networks = new PlannedNetworks(manifest.Apps.Select(app => app.Name.ToString()), options.ResolverOfNetworks);
        try
        {
            networks.Attach($"/proc/{init.Id}/ns/net");
            return run.Run(manifest, options);
        }
        finally
        {
            run.EndInit();
            if (networks.Detach() is { } problem)
            {
                Messages.Error(problem);
            }

            OciCollect.RemoveGroups(options.Uuid);
        }
    }

    static void Refuse(Stage1Options options, PodManifest manifest)
    {
        var problem = options.Mutable ? "apps cannot come and go"
            : options.PrivateUsers is not null ? "there are no user namespaces: leave --private-users out"
            : FlavorDemands.OnPod(manifest) is { } isolator ? $"nothing enforces {isolator} for the pod as a whole"
            : manifest.Apps.Select(app => FlavorDemands.OnSupervisor(app)).FirstOrDefault(demand => demand is not null) is { } wanted ? $"nobody supervises the apps: {wanted} cannot be had"
            : null;
        if (problem is not null)
        {
            throw new FlavorException($"the stage1 oci leaves apps to an OCI runtime: {problem}");
        }
    }

    /// <returns>The pod's exit code: the first that is not zero of its apps' codes.</returns>
    int Run(PodManifest manifest, Stage1Options options)
    {
        using var signals = Signals.Open();
        foreach (var app in manifest.Apps)
        {
            Start(app, options);
        }

        Files.MakeSymlink("ready", FileDescriptor.WorkingDirectory, "stage1/rootfs/rkt/supervisor-status");
        while (running.Count > 0)
        {
            Polling.Wait(
                [new PollEntry { Number = signals.Number, Wanted = PollEvents.Readable }],
                killAt == long.MaxValue ? -1 : (int)Math.Max(0, killAt - Environment.TickCount64));
            while (Signals.TryRead(signals) is { } signal)
            {
                Handle(signal);
            }

            if (Environment.TickCount64 >= killAt)
            {
                killAt = long.MaxValue;
                Processes.Kill(init.Id, Signal.Kill); // and with it all that is in its namespace
            }
        }

        return exitCode;
    }

    void Start(PodApp app, Stage1Options options)
    {
        var name = app.Name.ToString();
        bool terminal = options.Interactive && Terminal.IsTerminal(FileDescriptor.StandardInput);
        var bundle = OciBundle.Write(name, PodDirectory.ReadBundle(name), options, init.Id, terminal);
        var process = runtime.Start(options.Interactive, "run", "--bundle", bundle, "--pid-file", $"{Environment.CurrentDirectory}/{PidFile(name)}", name);
        running.Add(new RunningApp(name, process.Id, FlavorDemands.StopSignal(app)));
    }

    static string PidFile(string app) => $"stage1/rootfs/rkt/pid/{app}";

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
                running.ForEach(app => Send(app, signal));
                break;
        }
    }

    void Reap()
    {
        while (Processes.TryReapAny() is { } dead)
        {
            initHasEnded |= dead.Pid == init.Id;
            if (running.Find(app => app.Runtime == dead.Pid) is { } app)
            {
                running.Remove(app);
                Finish(app, dead.Status.ShellCode);
            }
        }
    }

    void EndInit()
    {
        if (!initHasEnded)
        {
            Processes.Kill(init.Id, Signal.Kill);
            init.Wait();
        }
    }

    /// <summary>Writes down how an app ended. One that failed ends the pod, as with the other flavors.</summary>
    void Finish(RunningApp app, int code)
    {
        if (!Files.Exists(FileDescriptor.WorkingDirectory, PidFile(app.Name)))
        {
            Messages.Error($"app {app.Name}: {runtime.Program} could not start it, and ended with code {code}");
            code = Messages.OwnError;
        }

        PodDirectory.WriteStatus(app.Name, code);
        if (code != 0)
        {
            exitCode = exitCode == 0 ? code : exitCode;
            End();
        }
    }

    /// <summary>Asks all apps to stop, and has those killed that still run after the grace period.</summary>
    void End()
    {
        if (!ending)
        {
            ending = true;
            killAt = Environment.TickCount64 + GraceMilliseconds;
            running.ForEach(app => Send(app, app.StopSignal));
        }
    }

    /// <summary>To the app's first process, which is there as long as its runtime is; before it is, to the runtime.</summary>
    static void Send(RunningApp app, Signal signal) => Processes.Kill(PodDirectory.ReadNumber(PidFile(app.Name)) ?? app.Runtime, signal);

    sealed record RunningApp(string Name, int Runtime, Signal StopSignal);
}
