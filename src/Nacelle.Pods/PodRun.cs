using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>How a prepared pod is run: what is said at that moment and not when it is prepared.</summary>
public sealed record PodRunOptions
{
    /// <summary>Null for what the pod's stage1 has by default: the host's network where it isolates nothing, and else the default one.</summary>
    public NetworkSelection? Network { get; init; }

    /// <summary>What <see cref="Network"/> comes to on this machine, or the default of it.</summary>
    public IReadOnlyList<NetworkAttachment> Attachments { get; init; } = [];

    /// <summary>The user's directories with programs of network plug-ins.</summary>
    public IReadOnlyList<string> PluginPath { get; init; } = [];

    /// <summary>The machine's own configuration, where a stage1 that sets networks up itself finds them.</summary>
    public string? LocalConfiguration { get; init; }

    public string? Hostname { get; init; }

    /// <summary>The name by which this program was called: pods that are given no host name are called by it and their UUID.</summary>
    public string Program { get; init; } = "nacelle";

    public bool Interactive { get; init; }

    /// <summary>Where the stage1 that comes with us keeps the apps' output: "auto", "journald", "k8s-file" or "none"; null for what it does by default.</summary>
    public string? LogDriver { get; init; }

    public bool Debug { get; init; }

    public bool AllCapabilities { get; init; }

    public bool NoPathRestrictions { get; init; }

    public bool NoSeccomp { get; init; }

    public LayerCheck Check { get; init; }

    /// <summary>The pod shares the host's PID namespace.</summary>
    public bool HostProcesses { get; init; }

    /// <summary>Where the metadata service listens that the pod is to be registered with; null for none. The pod must share the network it listens on.</summary>
    public string? MetadataService { get; init; }

    /// <summary>The pod shares the host's IPC namespace, and its /dev/shm.</summary>
    public bool HostIpc { get; init; }

    public NameResolution Names { get; init; } = new();

    /// <summary>The contract's flags for apps, which <c>run</c> and <c>app/add</c> take alike.</summary>
    internal IReadOnlyList<string> StageFlags()
    {
        var flags = new List<string>();
        foreach (var (wanted, flag) in (ReadOnlySpan<(bool, string)>)
            [
                (Debug, "--debug"), (AllCapabilities, "--disable-capabilities-restriction"), (NoPathRestrictions, "--disable-paths"), (NoSeccomp, "--disable-seccomp"),
            ])
        {
            if (wanted)
            {
                flags.Add(flag);
            }
        }

        return flags;
    }
}

/// <summary>The last steps of stage0: mounts the file systems of stage1 and the apps, and becomes stage1.</summary>
public static class PodRun
{
    /// <summary>Runs a prepared pod in the place of this process.</summary>
    /// <param name="pod">Prepared and locked; stage1 inherits the lock.</param>
    /// <param name="warn">Told of what the pod's stage1 cannot be told.</param>
    /// <returns>The pod's exit code, where this process has stayed to watch a stage1 that may not speak for itself. Else it returns only by an exception.</returns>
    /// <exception cref="PodException">The pod could not be run; nothing is left of it.</exception>
    public static int Run(PodStore pods, Pod pod, PodRunOptions options, Action<string> warn)
    {
        if (!pod.TryMove(PodPlace.Run))
        {
            throw new PodException($"pod {pod.Uuid} was started or removed by somebody else");
        }

        var mounted = new List<string>();
        try
        {
            var stage1 = Stage1.ReadManifest(pod);
            bool isolated = !Stage1.Says(stage1, Stage1.IsolationAnnotation, "none");
            using var outside = isolated ? null : Files.Open("/proc/self/ns/mnt", OpenFlags.ReadOnly);
            Mounts.EnterPrivateNamespace();

            // Opened only now: what was opened before belongs to mounts of the old namespace, which overlayfs does not take (EINVAL).
            using var data = Files.Open(pods.Path, OpenFlags.Path | OpenFlags.Directory);
            using var store = LayerStore.Open(data);
            var manifest = pod.ReadManifest();
            using var layers = PodLayers.Open(pod, store, manifest, options.Check);
            var hostname = options.Hostname ?? (isolated ? $"{options.Program}-{pod.Uuid}" : Environment.MachineName);
            options = options with { Network = options.Network ?? (isolated ? NetworkSelection.Parse([]) : NetworkSelection.Host) };
            var settings = new PodSettings(hostname, options.Network.IsHost, !options.Network.IsHost && !options.Network.IsNone, options.Names);
            bool planned = Stage1.Says(stage1, Stage1.NetworksAnnotation, "planned");
            if (planned || options.Network.IsHost || options.Network.IsNone)
            {
                PodNetworkPlan.Write(pod, manifest, options, warn);
            }

            PodFileSystems.MountShared(pod, layers, options.HostIpc, mounted);
            foreach (var app in manifest.Apps)
            {
                PodFileSystems.MountApp(pod, layers, app.Name, settings, mounted);
            }

            PodFileSystems.FillVolumes(pod, manifest);
            var registration = options.MetadataService is { } service ? PodRegistration.Create(pod, service) : null;
            foreach (var app in manifest.Apps)
            {
                registration?.Announce(pod, app.Name);
                using var rootfs = PodFileSystems.OpenRoot(pod, app.Name);
                AppExecutable.Check(rootfs, app, PodFileSystems.ReadBundle(pod, app.Name), path => VerifiedOverlay.Explain(layers.OfApp(app.Name), path));
            }

            PodLimits.Read(manifest).RequireOwn(network: !options.Network.IsHost, ipc: !options.HostIpc);

            bool mutable = PodApps.IsMutable(manifest);
            if (mutable)
            {
                settings.Write(pod);
            }

            return Start(pod, stage1, Stage1Arguments.Of(pod, stage1, options, hostname, mutable, warn), outside, warn);
        }
        catch
        {
            foreach (var path in Enumerable.Reverse(mounted))
            {
                Mounts.TryDetach(path);
            }

            NetworkState.Forget(pod.Uuid);
            pods.RemoveDirectory(pod);
            throw;
        }
    }

    /// <summary>Starts stage1 by the contract: the pod directory is the working directory, and the lock's descriptor stays open.</summary>
    /// <param name="outside">The mount namespace that this process came from, for a stage1 that shares mounts with it.</param>
    static int Start(Pod pod, AppImageManifest stage1, IReadOnlyList<string> arguments, FileDescriptor? outside, Action<string> warn)
    {
        var program = Stage1.EntryPoint(stage1, "run");
        Environment.CurrentDirectory = pod.Path;
        pod.Directory.Inherited = true;
        List<string> environment = [.. Processes.Environment(), $"RKT_LOCK_FD={pod.Directory.Number}"];
        if (outside is not null)
        {
            outside.Inherited = true;
            environment.Add($"NACELLE_MOUNTS_FD={outside.Number}");
        }

        if (!Stage1.Says(stage1, Stage1.FailuresAnnotation, "reported"))
        {
            return Stage1Watch.Run(pod, stage1, program, arguments, environment, warn);
        }

        if (pod.HasStage1Image)
        {
            pod.WriteStage1Process(Environment.ProcessId);
        }

        if (Stage1.Says(stage1, Stage1.SignalsAnnotation, "blocked"))
        {
            Signals.BlockAll();
        }

        var failure = Processes.Execute(program, [program, .. arguments], environment);
        Signals.UnblockAll();
        throw failure;
    }
}
