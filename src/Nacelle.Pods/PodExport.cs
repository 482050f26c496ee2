using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Writes an app of a pod that has ended as an image: its root file system with all changes, and the manifest of the image it was made of.</summary>
/// <remarks>All is put together by mounts, in a mount namespace of this process: nothing is written to the pod, and nothing is left when this is interrupted.</remarks>
public static class PodExport
{
    /// <summary>Files that a pod has of its own, and that are no part of an image that lacks them.</summary>
    static readonly string[] OwnFiles = ["etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab"];

    const string Changes = "changes", Nothing = "nothing";

    /// <summary>To be called once in a process, which gets another mount namespace by it.</summary>
    /// <param name="path">The ACI's, there only once it is whole; what is there already is replaced.</param>
    /// <returns>The image's id.</returns>
    /// <param name="check">As the pod had it: changes in an overlay that was verified are told by reference to its layers.</param>
    /// <exception cref="PodException">The pod has not ended; or somebody removes it.</exception>
    public static Digest Write(FoundPod found, AppName app, string path, LayerCheck check, CancellationToken cancellation)
    {
        var pod = found.Pod;
        if (found.State is not (PodState.Exited or PodState.ExitedGarbage) || !pod.TryShare())
        {
            throw new PodException($"pod {pod.Uuid} is {found.State.Name()}, not exited: only what does not change any more can be exported");
        }

        Mounts.EnterPrivateNamespace();
        using var data = Files.Open(pod.DataDirectory, OpenFlags.Path | OpenFlags.Directory);
        using var store = LayerStore.Open(data);
        var layers = PodPreparation.OpenLayers(store, pod.LayersOf($"{app}"), check);
        try
        {
            using var layout = MountLayout(pod, app, layers);
            var image = new LayeredFiles(layers);
            var foreign = OwnFiles.Where(file => image.TryEntry(file) is null).Select(file => $"rootfs/{file}").ToHashSet(StringComparer.Ordinal);
            return AciArchiveWriter.Write(layout, path, time: null, cancellation, (file, _) => file is not (Changes or Nothing) && !foreign.Contains(file));
        }
        finally
        {
            foreach (var layer in layers)
            {
                layer.Dispose();
            }
        }
    }

    /// <summary>A directory in memory, in the place of the app's, with the manifest and, mounted, the root file system; owners are as they were inside.</summary>
    static FileDescriptor MountLayout(Pod pod, AppName app, IReadOnlyList<LayerSource> layers)
    {
        var path = $"{pod.Path}/{PodFileSystems.Stage2(app)}";
        using var rootfs = Files.Open($"{path}/rootfs", OpenFlags.ReadOnly | OpenFlags.Directory);
        bool isCopy = !pod.OverlayPrepared || Directories.List(rootfs).Any();
        using var upper = isCopy ? null : Files.Open($"{pod.Path}/overlay/{app}/upper", OpenFlags.ReadOnly | OpenFlags.Directory);
        using var changed = ShowInside(pod, upper ?? rootfs);
        using (var place = Files.Open(path, OpenFlags.Path | OpenFlags.Directory))
        {
            Mounts.Mount("tmpfs", "export", place, MountFlags.None, "mode=755");
        }

        var layout = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
        var manifest = AppImageManifest.Parse(Files.ReadAll(pod.Directory, $"appsinfo/{app}/manifest"), $"appsinfo/{app}/manifest");
        manifest = manifest with { Name = AcIdentifier.From(manifest.Name), Dependencies = [], PathWhitelist = [] }; // all that it depended on is in it
        manifest.Check("the image's manifest");
        Files.WriteAll(layout, "manifest", manifest.ToJson());
        foreach (var directory in (ReadOnlySpan<string>)["rootfs", Changes, Nothing])
        {
            Files.MakeDirectory(layout, directory);
        }

        if (isCopy)
        {
            Move(changed, layout, "rootfs");
        }
        else
        {
            Move(changed, layout, Changes);
            using var changes = Files.Open(layout, Changes, OpenFlags.Path | OpenFlags.Directory);
            using var nothing = Files.Open(layout, Nothing, OpenFlags.Path | OpenFlags.Directory); // overlayfs wants two, and the image may have no layer
            using var target = Files.Open(layout, "rootfs", OpenFlags.Path | OpenFlags.Directory);
            if (layers is [{ Mount: not null }, ..])
            {
                VerifiedOverlay.MountReadOnly(layers, changes, nothing, target);
            }
            else
            {
                Overlay.MountReadOnly([changes, .. layers.Select(layer => layer.Root).Reverse(), nothing], target);
            }
        }

        return layout;
    }

    static void Move(FileDescriptor mount, FileDescriptor layout, string name)
    {
        using var target = Files.Open(layout, name, OpenFlags.Path | OpenFlags.Directory);
        Mounts.Move(mount, target);
    }

    /// <summary>A mount of the directory that shows owners as the pod's user namespace has them.</summary>
    static FileDescriptor ShowInside(Pod pod, FileDescriptor directory)
    {
        var mount = Mounts.Clone(directory, "", recursive: false);
        if (pod.PrivateUsers is not { } users)
        {
            return mount;
        }

        try
        {
            IdRange[] back = [new(users.Shift, 0, users.Count)];
            using var userNamespace = UserNamespaces.Create(back, back);
            Mounts.SetAttributes(mount, MountAttributes.IdMap, userNamespace: userNamespace);
            return mount;
        }
        catch
        {
            mount.Dispose();
            throw;
        }
    }
}
