using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Puts the file systems of a pod's apps in their places, in the private mount namespace that the pod will live in.</summary>
static class PodFileSystems
{
    public static string Stage2(AppName app) => $"stage1/rootfs/opt/stage2/{app}";

    internal static OwnerShift ShiftOf(Pod pod) => pod.PrivateUsers is { } users ? new OwnerShift(users.Shift, users.Count) : OwnerShift.None;

    public static FileDescriptor OpenRoot(Pod pod, AppName app) => Files.Open($"{pod.Path}/{Stage2(app)}/rootfs", OpenFlags.Path | OpenFlags.Directory);

    public static RuntimeConfig ReadBundle(Pod pod, AppName app) =>
        RuntimeConfig.Parse(Files.ReadAll(pod.Directory, $"{Stage2(app)}/config.json"), $"{pod.Path}/{Stage2(app)}/config.json");

    public static void WriteBundle(Pod pod, AppName app, RuntimeConfig bundle) => Files.WriteAll(pod.Directory, $"{Stage2(app)}/config.json", bundle.ToJson());

    /// <summary>Copies layers into one empty directory, for pods that mount none.</summary>
    public static void Copy(Pod pod, LayerStore layers, IReadOnlyList<Digest> diffIds, LayerCheck check, FileDescriptor into)
    {
        var opened = PodPreparation.OpenLayers(layers, diffIds, check);
        try
        {
            LayerCopy.Flatten(opened, into, ShiftOf(pod));
        }
        finally
        {
            foreach (var layer in opened)
            {
                layer.Dispose();
            }
        }
    }

    /// <summary>What belongs to the pod as a whole: stage1's root file system, its files owned by the pod's root, and the shared memory of the IPC namespace.</summary>
    /// <param name="hostIpc">The shared memory is the host's.</param>
    public static void MountShared(Pod pod, PodLayers layers, bool hostIpc, List<string> mounted)
    {
        uint owner = pod.PrivateUsers?.Shift ?? 0;
        foreach (var name in owner == 0 ? [] : (ReadOnlySpan<string>)["", "/rkt", "/rkt/status", "/rkt/pid", "/rkt/restarts", "/rkt/logs"])
        {
            Files.SetOwner(pod.Directory, "stage1/rootfs" + name, owner, owner);
        }

        MountStage1(pod, layers, mounted);
        var path = $"{pod.Path}/stage1/rootfs/rkt/shm";
        using var target = Files.Open(path, OpenFlags.Path | OpenFlags.Directory);
        if (hostIpc)
        {
            using var shared = Mounts.Clone(FileDescriptor.WorkingDirectory, "/dev/shm", recursive: false);
            Mounts.Move(shared, target);
            mounted.Add(path);
            return;
        }

        Mounts.Mount("tmpfs", "shm", target, MountFlags.NoSetUserId | MountFlags.NoDevices | MountFlags.NoExecute, $"mode=1777,size=65536k,uid={owner},gid={owner}");
        mounted.Add(path);
    }

    /// <summary>Mounts a stage1 that is an image where the pod's directory has stage1's rootfs, and that directory takes the changes.</summary>
    /// <remarks>So what stage1 writes (exit codes, logs) is seen from outside, where nothing is mounted, in the same place.</remarks>
    static void MountStage1(Pod pod, PodLayers layers, List<string> mounted)
    {
        if (!pod.OverlayPrepared || !pod.HasStage1Image)
        {
            return;
        }

        Files.MakeDirectory(pod.Directory, Stage1Changes);
        Files.MakeSymlink("../../stage1/rootfs", pod.Directory, $"{Stage1Changes}/upper");
        Files.MakeDirectory(pod.Directory, $"{Stage1Changes}/work");
        FillChanges(pod, layers.OfStage1, Stage1Changes, (_, _) => { });
        MountLayers(pod, layers.OfStage1, Stage1Changes, OverlayChanges.Whole, OverlayUse.Run, $"{pod.Path}/stage1/rootfs", mounted, (_, _) => { });
    }

    /// <summary>Where overlayfs finds its directories for stage1; a name that no app can have.</summary>
    public const string Stage1Changes = "overlay/.stage1";

    public static void MountApp(Pod pod, PodLayers layers, AppName app, PodSettings settings, List<string> mounted)
    {
        void Fill(Func<string, FileStatus?> image, FileDescriptor target) => new AppFiles(image, target, ShiftOf(pod).First).Write(settings);
        if (!pod.OverlayPrepared)
        {
            using var rootfs = OpenRoot(pod, app);
            Fill(name => Files.TryStatus(rootfs, name, out _), rootfs);
            return;
        }

        var changes = MakeChanges(pod, app, OverlayUse.Run);
        FillChanges(pod, layers.OfApp(app), changes, Fill);
        MountLayers(pod, layers.OfApp(app), changes, pod.Changes, OverlayUse.Run, $"{pod.Path}/{Stage2(app)}/rootfs", mounted, Fill);
    }

    /// <summary>Mounts an app's root file system for a look at it, or a change to it, while the pod does not run; in a mount namespace of this process's own.</summary>
    /// <param name="hasRun">Of a pod that has not, the changes begin as <see cref="MountApp"/> makes them, without the files that tell the app where it is.</param>
    public static FileDescriptor VisitApp(Pod pod, PodLayers layers, AppName app, bool hasRun)
    {
        var path = $"{pod.Path}/{Stage2(app)}/rootfs";
        if (pod.OverlayPrepared && Directories.List(FileDescriptor.WorkingDirectory, path).Count == 0) // else it is a copy
        {
            var changes = MakeChanges(pod, app, OverlayUse.Visit);
            if (!hasRun)
            {
                FillChanges(pod, layers.OfApp(app), changes, (_, _) => { });
            }

            MountLayers(pod, layers.OfApp(app), changes, pod.Changes, OverlayUse.Visit, path, [], (_, _) => { });
        }

        return OpenRoot(pod, app);
    }

    /// <returns>Where they are, within the pod.</returns>
    static string MakeChanges(Pod pod, AppName app, OverlayUse use)
    {
        var changes = $"overlay/{app}";
        foreach (var directory in (ReadOnlySpan<string>)["", "/upper", $"/{Overlay.WorkName(use)}"])
        {
            Files.EnsureDirectory(pod.Directory, changes + directory);
        }

        return changes;
    }

    /// <summary>The root that people see is the topmost one, which is ours: it takes after the image's. So do directories that only a layer's file names imply.</summary>
    /// <param name="fill">Writes files into the changes; is given what tells of the image's.</param>
    static void FillChanges(Pod pod, IReadOnlyList<LayerSource> layers, string changes, Action<Func<string, FileStatus?>, FileDescriptor> fill)
    {
        using var upper = Files.Open($"{pod.Path}/{changes}/upper", OpenFlags.ReadOnly | OpenFlags.Directory);
        LayerCopy.RestoreImplied(layers, upper, ShiftOf(pod));
        fill(new LayeredFiles(layers).TryEntry, upper);
    }

    /// <param name="changes">Within the pod, the directory with upper and work.</param>
    /// <param name="kept">What is in upper of what changes.</param>
    /// <param name="path">Where to mount.</param>
    /// <param name="fill">As for <see cref="FillChanges"/>, where the layers have to be copied.</param>
    static void MountLayers(
        Pod pod, IReadOnlyList<LayerSource> layers, string changes, OverlayChanges kept, OverlayUse use, string path, List<string> mounted,
        Action<Func<string, FileStatus?>, FileDescriptor> fill)
    {
        using var target = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
        int before = mounted.Count;
        try
        {
            if (layers is [{ Mount: not null }, ..])
            {
                using var directory = Files.Open($"{pod.Path}/{changes}", OpenFlags.Path | OpenFlags.Directory);
                VerifiedOverlay.Mount(layers, directory, kept, target, pod.PrivateUsers, use);
            }
            else
            {
                MountOverlay(pod, [.. layers.Select(layer => layer.Root).Reverse()], changes, use, target, mounted);
            }

            mounted.Add(path);
        }
        catch (KernelException failure) when (failure.Errno == Errno.EINVAL && pod.PrivateUsers is not null)
        {
            // A file system that cannot show owners through a map, as tmpfs before Linux 6.3: a copy, with the owners written down.
            mounted[before..].ForEach(layer => Mounts.TryDetach(layer));
            mounted.RemoveRange(before, mounted.Count - before);
            LayerCopy.Flatten(layers, target, ShiftOf(pod));
            fill(name => Files.TryStatus(target, name, out _), target);
        }
    }

    static void MountOverlay(Pod pod, IReadOnlyList<FileDescriptor> layersTopFirst, string changes, OverlayUse use, FileDescriptor target, List<string> mounted)
    {
        using var directory = Files.Open($"{pod.Path}/{changes}", OpenFlags.Path | OpenFlags.Directory);
        using var empty = layersTopFirst.Count > 0 ? null : OpenEmpty(pod, changes);
        if (pod.PrivateUsers is { } users && empty is null)
        {
            MountThroughMap(users, layersTopFirst, directory, use, target, mounted);
        }
        else
        {
            Overlay.Mount(empty is null ? layersTopFirst : [empty], directory, target, use);
        }
    }

    /// <summary>For an image without layers: overlayfs wants one.</summary>
    static FileDescriptor OpenEmpty(Pod pod, string changes)
    {
        Files.EnsureDirectory(pod.Directory, $"{changes}/empty");
        return Files.Open($"{pod.Path}/{changes}/empty", OpenFlags.Path | OpenFlags.Directory);
    }

    /// <summary>Fills the volumes that only the image asked for with what the image has at their paths, owner and mode included, as Docker does.</summary>
    public static void FillVolumes(Pod pod, PodManifest manifest) =>
        FillVolumes(pod, manifest, [.. (Files.TryReadText(pod.Directory, "volumes-to-fill")?.Split('\n') ?? []).Select(name => AppName.Parse(name, "volumes-to-fill"))]);

    public static void FillVolumes(Pod pod, PodManifest manifest, IReadOnlyList<AppName> volumes)
    {
        foreach (var name in volumes)
        {
            foreach (var app in manifest.Apps)
            {
                if (app.App?.MountPoints.FirstOrDefault(point => point.Name == name) is { } point)
                {
                    using var rootfs = OpenRoot(pod, app.Name);
                    using var source = Files.TryOpen(
                        rootfs, point.Path.TrimStart('/'), OpenFlags.ReadOnly | OpenFlags.Directory, out _, resolve: ResolveFlags.InRoot | ResolveFlags.NoMagicLinks);
                    if (source is not null)
                    {
                        using var volume = Files.Open($"{pod.Path}/sharedVolumes/{name}", OpenFlags.ReadOnly | OpenFlags.Directory);
                        LayerCopy.Flatten([new LayerSource(source, false, new HashSet<string>())], volume, OwnerShift.None);
                        break;
                    }
                }
            }
        }
    }

    /// <summary>Mounts the overlay on layers that show their owners shifted into the pod's user namespace; on the disk they stay as they are.</summary>
    /// <remarks>
    /// Overlayfs on idmapped layers: Linux 5.19. The changes are not mapped: overlayfs makes them as the user who mounts it, who has no number in the map;
    /// so files in them belong to shifted users on the disk too. The layers' own mounts are hidden below their copies, in this mount namespace only.
    /// </remarks>
    static void MountThroughMap(
        (uint Shift, uint Count) users, IReadOnlyList<FileDescriptor> layers, FileDescriptor changes, OverlayUse use, FileDescriptor target, List<string> mounted)
    {
        IdRange[] map = [new(0, users.Shift, users.Count)];
        using var userNamespace = UserNamespaces.Create(map, map);
        var shown = new List<FileDescriptor>();
        try
        {
            foreach (var layer in layers)
            {
                shown.Add(ShowThroughMap(layer, userNamespace));
                mounted.Add(Files.ReadLink(FileDescriptor.WorkingDirectory, layer.ProcPath));
            }

            Overlay.Mount(shown, changes, target, use);
        }
        finally
        {
            shown.ForEach(mount => mount.Dispose());
        }
    }

    /// <returns>The mount, attached on the directory itself.</returns>
    static FileDescriptor ShowThroughMap(FileDescriptor directory, FileDescriptor userNamespace)
    {
        var mount = Mounts.Clone(directory, "", recursive: false);
        try
        {
            Mounts.SetAttributes(mount, MountAttributes.IdMap, userNamespace: userNamespace);
            Mounts.Move(mount, directory);
            return mount;
        }
        catch
        {
            mount.Dispose();
            throw;
        }
    }
}
