using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Puts the file systems of a pod's apps in their places, in the private mount namespace that the pod will live in.</summary>
static class PodFileSystems
{
    public static string Stage2(AppName app) => $"stage1/rootfs/opt/stage2/{app}";

    static OwnerShift ShiftOf(Pod pod) => pod.PrivateUsers is { } users ? new OwnerShift(users.Shift, users.Count) : OwnerShift.None;

    public static FileDescriptor OpenRoot(Pod pod, AppName app) => Files.Open($"{pod.Path}/{Stage2(app)}/rootfs", OpenFlags.Path | OpenFlags.Directory);

    public static RuntimeConfig ReadBundle(Pod pod, AppName app) =>
        RuntimeConfig.Parse(Files.ReadAll(pod.Directory, $"{Stage2(app)}/config.json"), $"{pod.Path}/{Stage2(app)}/config.json");

    /// <summary>What belongs to the pod as a whole: the shared memory of its IPC namespace, and stage1's files owned by the pod's root.</summary>
    public static void MountShared(Pod pod, List<string> mounted)
    {
        uint owner = pod.PrivateUsers?.Shift ?? 0;
        var path = $"{pod.Path}/stage1/rootfs/rkt/shm";
        using var target = Files.Open(path, OpenFlags.Path | OpenFlags.Directory);
        Mounts.Mount("tmpfs", "shm", target, MountFlags.NoSetUserId | MountFlags.NoDevices | MountFlags.NoExecute, $"mode=1777,size=65536k,uid={owner},gid={owner}");
        mounted.Add(path);
        if (owner == 0)
        {
            return;
        }

        foreach (var name in (ReadOnlySpan<string>)["", "/rkt", "/rkt/status", "/rkt/pid", "/rkt/restarts", "/rkt/logs"])
        {
            Files.SetOwner(pod.Directory, "stage1/rootfs" + name, owner, owner);
        }
    }

    public static void MountApp(Pod pod, LayerStore layers, AppName app, string hostname, bool hostNetwork, List<string> mounted)
    {
        if (!pod.OverlayPrepared)
        {
            using var rootfs = OpenRoot(pod, app);
            new AppFiles(name => Files.TryStatus(rootfs, name, out _), rootfs, ShiftOf(pod).First).Write(hostname, hostNetwork);
            return;
        }

        var path = $"{pod.Path}/{Stage2(app)}/rootfs";
        var changes = $"overlay/{app}";
        Files.MakeDirectory(pod.Directory, changes);
        Files.MakeDirectory(pod.Directory, $"{changes}/upper");
        Files.MakeDirectory(pod.Directory, $"{changes}/work");
        var opened = PodPreparation.OpenLayers(layers, pod.LayersOf(app.ToString()));
        try
        {
            // The root that people see is the topmost one, which is ours: it takes after the image's. So do directories that only a layer's file names imply.
            using (var upper = Files.Open($"{pod.Path}/{changes}/upper", OpenFlags.ReadOnly | OpenFlags.Directory))
            {
                LayerCopy.RestoreImplied(opened, upper, ShiftOf(pod));
                new AppFiles(new LayeredFiles([.. opened.Select(layer => layer.Root).Reverse()]).TryEntry, upper, ShiftOf(pod).First).Write(hostname, hostNetwork);
            }

            using var target = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
            int before = mounted.Count;
            try
            {
                MountOverlay(pod, [.. opened.Select(layer => layer.Root).Reverse()], changes, target, mounted);
                mounted.Add(path);
            }
            catch (KernelException failure) when (failure.Errno == Errno.EINVAL && pod.PrivateUsers is not null)
            {
                // A file system that cannot show owners through a map, as tmpfs before Linux 6.3: a copy, with the owners written down.
                mounted[before..].ForEach(layer => Mounts.TryDetach(layer));
                mounted.RemoveRange(before, mounted.Count - before);
                LayerCopy.Flatten(opened, target, ShiftOf(pod));
                new AppFiles(name => Files.TryStatus(target, name, out _), target, ShiftOf(pod).First).Write(hostname, hostNetwork);
            }
        }
        finally
        {
            foreach (var layer in opened)
            {
                layer.Dispose();
            }
        }
    }

    static void MountOverlay(Pod pod, IReadOnlyList<FileDescriptor> layersTopFirst, string changes, FileDescriptor target, List<string> mounted)
    {
        using var directory = Files.Open($"{pod.Path}/{changes}", OpenFlags.Path | OpenFlags.Directory);
        using var empty = layersTopFirst.Count > 0 ? null : OpenEmpty(pod, changes);
        if (pod.PrivateUsers is { } users && empty is null)
        {
            MountThroughMap(users, layersTopFirst, directory, target, mounted);
        }
        else
        {
            Overlay.Mount(empty is null ? layersTopFirst : [empty], directory, target);
        }
    }

    /// <summary>For an image without layers: overlayfs wants one.</summary>
    static FileDescriptor OpenEmpty(Pod pod, string changes)
    {
        Files.MakeDirectory(pod.Directory, $"{changes}/empty");
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
        (uint Shift, uint Count) users, IReadOnlyList<FileDescriptor> layers, FileDescriptor changes, FileDescriptor target, List<string> mounted)
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

            Overlay.Mount(shown, changes, target);
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
