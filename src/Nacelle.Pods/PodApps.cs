using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Changes the apps of a pod that runs, if it was made for that: adds, starts, stops and removes them.</summary>
/// <remarks>One change at a time: <c>pod.lck</c> is held meanwhile, as in rkt. Whoever dies in between leaves an app that can be removed.</remarks>
public static class PodApps
{
    /// <summary>In a pod manifest: apps come and go, and the pod stays until it is stopped.</summary>
    public const string MutableAnnotation = "coreos.com/rkt/stage1/mutable";

    public static bool IsMutable(PodManifest manifest) => manifest.Annotations.Any(one => one.Name == MutableAnnotation && one.Value == "true");

    /// <summary>Adds an app, which is not started.</summary>
    /// <param name="request">With a single app, and the volumes that it brings.</param>
    /// <returns>Whether that was done. If not, stage1 has said why on standard error, and nothing has changed.</returns>
    /// <exception cref="PodException">It cannot be added; nothing has changed.</exception>
    public static bool Add(PodStore pods, Pod pod, ImageStore images, LayerStore layers, PodRequest request, AppImage image, PodRunOptions options, Action<string> warn)
    {
        using var held = Hold(pod);
        using var content = images.HoldContent();
        var before = pod.ReadManifest();
        RequireMutable(pod, before);
        var (added, implicitVolumes) = AppVolumes.AddImplicit(PodComposition.Compose(request, [image]));
        foreach (var name in implicitVolumes)
        {
            warn($"no volume is given for mount point {name}: using an empty one");
        }

        var app = added.Apps[0];
        if (before.Apps.Any(other => other.Name == app.Name))
        {
            throw new PodException($"pod {pod.Uuid} has an app '{app.Name}' already: give the new one another name with --name");
        }

        PodBandwidth.RequireAlone(app, before);
        var fresh = added.Volumes.Where(volume => !before.Volumes.Any(other => Same(other, volume))).ToList();
        var manifest = before with { Apps = [.. before.Apps, app], Volumes = [.. before.Volumes, .. fresh] };
        var mounted = new List<string>();
        bool done = false;
        try
        {
            AppVolumes.CreateEmpty(manifest with { Volumes = fresh }, pod.Directory, pod.PrivateUsers?.Shift ?? 0);
            PodPreparation.WriteApp(pod, layers, manifest, app, image, pod.Path, options.Check);
            PodRegistration.Read(pod)?.Announce(pod, app.Name);
            Files.Replace(pod.Directory, "pod", manifest.ToJson());
            Mount(pods, pod, manifest, app, implicitVolumes, options.Check, mounted);
            return done = Call(pod, "app/add", app.Name, options.StageFlags());
        }
        finally
        {
            if (!done)
            {
                mounted.ForEach(path => Linux.Mounts.TryDetach(path));
                Files.Replace(pod.Directory, "pod", before.ToJson());
                RemoveFiles(pod, app.Name);
                fresh.ForEach(volume => RemoveTree(pod, $"sharedVolumes/{volume.Name}"));
            }
        }

        // A volume that a pod has already is shared, if it is the same.
        static bool Same(PodVolume one, PodVolume other) => one.Name == other.Name
            && (one == other ? true : throw new PodException($"the pod has another volume of the name '{one.Name}'"));
    }

    /// <returns>As <see cref="Add"/>.</returns>
    public static bool Start(Pod pod, AppName app)
    {
        using var held = Hold(pod);
        RequireMutable(pod, pod.ReadManifest());
        return Call(pod, "app/start", app, []);
    }

    /// <summary>Asks an app to end, and returns when it has. Does not hold the pod: ending may take its time.</summary>
    /// <returns>As <see cref="Add"/>.</returns>
    public static bool Stop(Pod pod, AppName app)
    {
        RequireMutable(pod, pod.ReadManifest());
        return Call(pod, "app/stop", app, []);
    }

    /// <summary>Removes an app that does not run, with its files. Of a pod that has ended, too.</summary>
    /// <param name="running">The pod runs.</param>
    /// <returns>As <see cref="Add"/>.</returns>
    public static bool Remove(Pod pod, AppName app, bool running)
    {
        using var held = Hold(pod);
        var manifest = pod.ReadManifest();
        RequireMutable(pod, manifest);
        if (running && !Call(pod, "app/rm", app, []))
        {
            return false;
        }

        Files.Replace(pod.Directory, "pod", (manifest with { Apps = [.. manifest.Apps.Where(other => other.Name != app)] }).ToJson());
        RemoveFiles(pod, app);
        return true;
    }

    /// <summary>Keeps others from changing the pod's apps.</summary>
    internal static FileDescriptor Hold(Pod pod)
    {
        var file = Files.Open(pod.Directory, "pod.lck", OpenFlags.ReadWrite | OpenFlags.Create, 0x180);
        FileLock.Acquire(file, LockKind.Exclusive);
        return file;
    }

    static void RequireMutable(Pod pod, PodManifest manifest)
    {
        if (!IsMutable(manifest))
        {
            throw new PodException($"pod {pod.Uuid} was not made for apps to come and go: only those of app sandbox are");
        }
    }

    /// <summary>Mounts the app's root file system as <c>run</c> does, in a mount namespace of this process's own, from which stage1 takes it.</summary>
    static void Mount(PodStore pods, Pod pod, PodManifest manifest, PodApp app, IReadOnlyList<AppName> toFill, LayerCheck check, List<string> mounted)
    {
        Mounts.EnterPrivateNamespace();
        using var data = Files.Open(pods.Path, OpenFlags.Path | OpenFlags.Directory);
        using var store = LayerStore.Open(data);
        using var layers = PodLayers.Open(pod, store, manifest with { Apps = [app] }, check);
        PodFileSystems.MountApp(pod, layers, app.Name, PodSettings.Read(pod), mounted);
        PodFileSystems.FillVolumes(pod, manifest with { Apps = [app] }, toFill);
        using var rootfs = PodFileSystems.OpenRoot(pod, app.Name);
        AppExecutable.Check(rootfs, app, PodFileSystems.ReadBundle(pod, app.Name), path => VerifiedOverlay.Explain(layers.OfApp(app.Name), path));
    }

    static bool Call(Pod pod, string verb, AppName app, IReadOnlyList<string> flags)
    {
        List<string> arguments = [$"--app={app}", $"--uuid={pod.Uuid}", .. flags];
        if (pod.PrivateUsers is { } users && verb == "app/add")
        {
            arguments.Add($"--private-users={users.Shift}:{users.Count}");
        }

        return Stage1Call.Run(pod, verb, arguments, crossing: app) == 0;
    }

    static void RemoveTree(Pod pod, string directory)
    {
        if (Files.Exists(pod.Directory, directory))
        {
            Directories.RemoveTree(pod.Directory, directory);
        }
    }

    static void RemoveFiles(Pod pod, AppName app)
    {
        foreach (var directory in (ReadOnlySpan<string>)[PodFileSystems.Stage2(app), $"overlay/{app}", $"stage1/rootfs/rkt/volumes/{app}", $"appsinfo/{app}"])
        {
            RemoveTree(pod, directory);
        }

        foreach (var file in (ReadOnlySpan<string>)[$"status/{app}", $"pid/{app}", $"restarts/{app}", $"logs/{app}.log", $"logs/{app}.log.1"])
        {
            Files.TryUnlink(pod.Directory, $"stage1/rootfs/rkt/{file}");
        }
    }
}
