using System.Diagnostics.CodeAnalysis;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Runs entry points of a pod's stage1 other than <c>run</c>, by their names in its manifest, each with the pod directory as its working directory.</summary>
/// <remarks>
/// A stage1 that is an image is mounted for its own processes only: what is called while the pod runs, runs in their mount namespace; after the pod's end,
/// in one that is made for the call.
/// </remarks>
public static class Stage1Call
{
    const int CLONE_FS = 0x200;

    /// <summary>How long entry points may take that have nothing to wait for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Whether the pod's stage1 has an entry point, as in <c>gc</c> or <c>app/add</c>.</summary>
    public static bool Has(Pod pod, string verb) => Stage1.FindEntryPoint(Stage1.ReadManifest(pod), verb) is not null;

    /// <summary>Runs an entry point and waits for it.</summary>
    /// <param name="crossing">For entry points that reach into the running pod, the app that is meant: they are told how to enter it.</param>
    /// <param name="patience">After that time it is killed; null for no limit.</param>
    /// <returns>Its exit code.</returns>
    /// <exception cref="PodException">The stage1 has no such entry point, or it did not end in time.</exception>
    public static int Run(Pod pod, string verb, IReadOnlyList<string> arguments, AppName? crossing = null, TimeSpan? patience = null)
    {
        using var call = new Preparation(pod, verb);
        call.Plan.Call("unblock signals", SystemCall.rt_sigprocmask, 2, call.Plan.Bytes(stackalloc byte[8]), 0, 8);
        call.AddExec(arguments, crossing);
        var process = Launcher.Start(call.Plan, call.Namespaces);
        if (patience is null)
        {
            return process.Wait().ShellCode;
        }

        if (Processes.TryWait(process, patience.Value) is { } status)
        {
            return status.ShellCode;
        }

        Processes.Kill(process.Id, Signal.Kill);
        process.Wait();
        throw new PodException($"pod {pod.Uuid}: the {verb} of its stage1 {call.Manifest.Name} did not end within {patience.Value.TotalSeconds} seconds, and was killed");
    }

    /// <summary>Runs an entry point of a running pod in the place of this process; returns only by an exception.</summary>
    /// <inheritdoc cref="Run"/>
    [DoesNotReturn]
    public static void Become(Pod pod, string verb, IReadOnlyList<string> arguments, AppName? crossing = null)
    {
        using var call = new Preparation(pod, verb);
        call.AddExec(arguments, crossing);
        throw Processes.Execute(call.Plan);
    }

    /// <summary>The steps to an entry point: to where stage1's root file system is mounted, into the pod directory, and into the program.</summary>
    sealed class Preparation : IDisposable
    {
        readonly Pod pod;
        readonly List<IDisposable> held = [];
        readonly string entryPoint;

        public Preparation(Pod pod, string verb)
        {
            this.pod = pod;
            Manifest = Stage1.ReadManifest(pod);
            entryPoint = Stage1.EntryPoint(Manifest, verb);
            if (pod.HasStage1Image && pod.OverlayPrepared)
            {
                if (pod.Place == PodPlace.Run)
                {
                    JoinStage1();
                }
                else
                {
                    MountAgain();
                }
            }

            // By its path, not by its descriptor, which belongs to a mount of the namespace that it was opened in.
            Plan.Call($"enter {pod.Path}", SystemCall.chdir, Plan.Text(pod.Path));
        }

        public AppImageManifest Manifest { get; }

        public LaunchPlan Plan { get; } = new();

        public Namespaces Namespaces { get; private set; }

        void JoinStage1()
        {
            var mounts = pod.TryOpenStage1Mounts();
            held.Add(mounts ?? throw new PodException($"pod {pod.Uuid}: the process of its stage1 {Manifest.Name} is gone, though somebody holds the pod's lock"));
            Plan.Call("leave the file system attributes of others", SystemCall.unshare, CLONE_FS);
            Plan.Call("join stage1's mount namespace", SystemCall.setns, Plan.Descriptor(mounts), (long)Namespaces.Mount);
        }

        void MountAgain()
        {
            using var data = Files.Open(pod.DataDirectory, OpenFlags.Path | OpenFlags.Directory);
            using var store = LayerStore.Open(data);
            var layers = PodPreparation.OpenLayers(store, pod.Stage1Layers);
            held.AddRange(layers);
            Files.EnsureDirectory(pod.Directory, $"{PodFileSystems.Stage1Changes}/{Overlay.WorkName(OverlayUse.Visit)}");
            var changes = Files.Open(pod.Directory, PodFileSystems.Stage1Changes, OpenFlags.Path | OpenFlags.Directory);
            held.Add(changes);
            Namespaces = Namespaces.Mount;
            Plan.Call("make mounts slaves", SystemCall.mount, 0, Plan.Text("/"), 0, (long)(MountFlags.Slave | MountFlags.Recursive));
            Overlay.AddTo(Plan, [.. layers.Select(layer => layer.Root).Reverse()], changes, $"{pod.Path}/stage1/rootfs");
        }

        public void AddExec(IReadOnlyList<string> arguments, AppName? crossing)
        {
            IEnumerable<string> environment = Processes.Environment();
            if (crossing is { } app)
            {
                environment =
                [
                    .. environment, $"RKT_STAGE1_ENTERCMD={pod.Path}/{Stage1.EntryPoint(Manifest, "enter")}",
                    $"RKT_STAGE1_ENTERPID={pod.AwaitProcessId()}", $"RKT_STAGE1_ENTERAPP={app}",
                ];
            }

            var program = $"{pod.Path}/{entryPoint}";
            Plan.Call($"exec {program}", SystemCall.execve, Plan.Text(program), Plan.TextArray([program, .. arguments]), Plan.TextArray([.. environment]));
        }

        public void Dispose() => held.ForEach(one => one.Dispose());
    }
}
