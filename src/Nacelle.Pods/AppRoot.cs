using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>The root file system of an app: as the app sees it where it runs, and as it would see it, volumes and all, where its pod does not.</summary>
static class AppRoot
{
    const ResolveFlags Inside = ResolveFlags.InRoot | ResolveFlags.NoMagicLinks;

    /// <param name="held">What has to be kept as long as the root is used.</param>
    /// <returns>O_PATH. Whatever leads on from there is the app's making.</returns>
    /// <exception cref="PodException">The pod is in no state in which its files can be reached.</exception>
    public static FileDescriptor Open(FoundPod found, AppName app, LayerCheck check, ICollection<IDisposable> held) => found.State switch
    {
        PodState.Running => OpenRunning(found.Pod, app),
        PodState.Prepared or PodState.Exited or PodState.ExitedGarbage when found.Pod.TryShare() => Visit(found, app, check, held),
        _ => throw new PodException($"pod {found.Pod.Uuid} is {found.State.Name()}: its files cannot be reached"),
    };

    static FileDescriptor OpenRunning(Pod pod, AppName app)
    {
        int init = pod.AwaitProcessId();
        if (Stage1.Says(Stage1.ReadManifest(pod), Stage1.IsolationAnnotation, "none"))
        {
            return TryOpenRootOf(init) ?? throw new PodException($"pod {pod.Uuid} has just ended");
        }

        if (FindProcess(pod, app, init) is { } process && TryOpenRootOf(process) is { } root)
        {
            return root;
        }

        // It does not run, or only its stage1 knows where: its files are where the contract has them.
        using var stage1 = TryOpenRootOf(init) ?? throw new PodException($"pod {pod.Uuid} has just ended");
        return Files.TryOpen(stage1, $"opt/stage2/{app}/rootfs", OpenFlags.Path | OpenFlags.Directory, out _, resolve: Inside)
            ?? throw new PodException($"app {app} of pod {pod.Uuid} does not run: its files cannot be reached while the pod runs");
    }

    static FileDescriptor? TryOpenRootOf(int process)
    {
        using var alive = Processes.TryOpen(process);
        var root = alive is null ? null : Files.TryOpen(FileDescriptor.WorkingDirectory, $"/proc/{process}/root", OpenFlags.Path | OpenFlags.Directory, out _);
        if (root is null || Processes.IsThere(alive!))
        {
            return root;
        }

        root.Dispose(); // another process had its number by then
        return null;
    }

    /// <summary>The app's first process: a child of the pod's PID 1, or of somebody outside who started it into the pod's PID namespace.</summary>
    static int? FindProcess(Pod pod, AppName app, int init)
    {
        if (pod.ExitCodeOf(app) is not null || !int.TryParse(Files.TryReadText(pod.Directory, $"stage1/rootfs/rkt/pid/{app}"), out int number))
        {
            return null;
        }

        foreach (var child in (Files.TryReadText(FileDescriptor.WorkingDirectory, $"/proc/{init}/task/{init}/children") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int process = int.Parse(child, System.Globalization.CultureInfo.InvariantCulture);
            if (Processes.TryInnermostId(process) == number)
            {
                return process;
            }
        }

        return Namespace(number) is { } own && own == Namespace(init) ? number : null;

        static ulong? Namespace(int process)
        {
            using var opened = Files.TryOpen(FileDescriptor.WorkingDirectory, $"/proc/{process}/ns/pid", OpenFlags.ReadOnly, out _);
            return opened is null ? null : Files.Status(opened).Inode;
        }
    }

    static FileDescriptor Visit(FoundPod found, AppName app, LayerCheck check, ICollection<IDisposable> held)
    {
        var pod = found.Pod;
        held.Add(PodApps.Hold(pod));
        Mounts.EnterPrivateNamespace();
        using var data = Files.Open(pod.DataDirectory, OpenFlags.Path | OpenFlags.Directory);
        using var store = Images.LayerStore.Open(data);
        var manifest = pod.ReadManifest();
        var one = manifest.Apps.First(other => other.Name == app);
        using var layers = PodLayers.Open(pod, store, manifest with { Apps = [one] }, check);
        var root = PodFileSystems.VisitApp(pod, layers, app, found.State != PodState.Prepared);
        foreach (var mount in AppVolumes.Describe(manifest, one, pod.Path).OrderBy(mount => mount.Path.Length))
        {
            Attach(mount, root);
        }

        return root;
    }

    static void Attach(AppMount volume, FileDescriptor root)
    {
        if (Files.TryStatus(FileDescriptor.WorkingDirectory, volume.HostPath, out _) is null)
        {
            return; // the pod could not run with it either
        }

        using var mount = Mounts.Clone(FileDescriptor.WorkingDirectory, volume.HostPath, recursive: true);
        if (volume.ReadOnly)
        {
            Mounts.SetAttributes(mount, MountAttributes.ReadOnly, recursive: true);
        }

        using var target = OpenTarget(root, volume.Path.Trim('/'), Files.Status(mount).Kind == FileKind.Directory);
        Mounts.Move(mount, target);
    }

    /// <summary>Opens a path in the app's root, and makes what is missing of it.</summary>
    static FileDescriptor OpenTarget(FileDescriptor root, string path, bool isDirectory)
    {
        if (Files.TryOpen(root, path.Length == 0 ? "." : path, OpenFlags.Path, out _, resolve: Inside) is { } there)
        {
            return there;
        }

        int slash = path.LastIndexOf('/');
        using var parent = slash < 0 ? root.Duplicate() : OpenTarget(root, path[..slash], isDirectory: true);
        if (isDirectory)
        {
            Files.EnsureDirectory(parent, path[(slash + 1)..]);
        }
        else
        {
            Files.WriteAll(parent, path[(slash + 1)..], "");
        }

        return Files.Open(root, path, OpenFlags.Path, resolve: Inside);
    }
}
