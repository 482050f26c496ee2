using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Makes pod directories: from a request and stored images to a pod that waits in <c>prepared</c>.</summary>
public static class PodPreparation
{
    const uint UserNamespaceSize = 65536;

    /// <param name="images">For each app of the request, in order.</param>
    /// <param name="warn">Told of what the pod gets although nobody asked for it.</param>
    /// <returns>The pod, prepared and still locked.</returns>
    /// <exception cref="PodException">The request cannot be met; nothing is left of the pod.</exception>
    public static Pod Prepare(PodStore pods, ImageStore images, LayerStore layers, PodRequest request, IReadOnlyList<AppImage> apps, string version, Action<string> warn)
    {
        if (request.PrivateUsers && !UserNamespaces.IsInitial)
        {
            throw new PodException("--private-users: we are in a user namespace already, which has no ranges to give away");
        }

        using var content = images.HoldContent();
        var composed = request.Manifest is { } given ? WithImages(given, apps) : PodComposition.Compose(request, apps);
        var (manifest, added) = AppVolumes.AddImplicit(composed);
        _ = PodPorts.Resolve(manifest);
        foreach (var name in added)
        {
            warn($"no volume is given for mount point {name}: using an empty one");
        }

        var pod = pods.Create();
        try
        {
            if (request.Name is { } name)
            {
                pods.Claim(pod, name);
            }

            Write(pod, pods.Path, layers, manifest, request, apps, version, [.. added]);
            return pod.TryMove(PodPlace.Prepared) ? pod : throw new PodException($"pod {pod.Uuid} vanished while it was prepared");
        }
        catch
        {
            // Whatever went wrong (a full disk among it), nothing stays; what cannot be removed now, gc finds as an aborted preparation.
            try
            {
                pods.RemoveDirectory(pod);
            }
            catch (KernelException)
            {
            }

            pod.Dispose();
            throw;
        }
    }

    static void Write(
        Pod pod, string data, LayerStore layers, PodManifest manifest, PodRequest request, IReadOnlyList<AppImage> apps, string version, HashSet<AppName> implicitVolumes)
    {
        var directory = pod.Directory;
        var finalPath = $"{data}/pods/{PodPlace.Run.DirectoryName()}/{pod.Uuid}";
        Files.WriteAll(directory, "pod-created", "");
        Files.WriteAll(directory, "pod", manifest.ToJson());
        Files.MakeDirectory(directory, "appsinfo");
        if (implicitVolumes.Count > 0)
        {
            Files.WriteAll(directory, "volumes-to-fill", string.Join('\n', implicitVolumes));
        }

        if (!request.NoOverlay)
        {
            Files.WriteAll(directory, "overlay-prepared", "");
            Files.MakeDirectory(directory, "overlay");
            if (request.Changes == OverlayChanges.Whole)
            {
                Files.WriteAll(directory, "changes-whole", "");
            }
        }

        if (request.PrivateUsers)
        {
            Files.WriteAll(directory, "private-users-prepared", $"{ChooseShift()}:{UserNamespaceSize}");
        }

        if (request.Stage1 is { } stage1)
        {
            if (PodApps.IsMutable(manifest) && Stage1.FindEntryPoint(stage1.Manifest, "app/add") is null)
            {
                throw new PodException($"the stage1 {stage1.Manifest.Name} cannot run pods whose apps come and go: it has no entry point app/add");
            }

            stage1.Prepare(pod, layers, request.Check);
        }
        else
        {
            Stage1Linux.Prepare(directory, version);
        }

        PodLimits.Read(manifest).Write(directory);
        AppVolumes.CreateEmpty(manifest, directory, pod.PrivateUsers?.Shift ?? 0);

        for (int i = 0; i < manifest.Apps.Count; i++)
        {
            WriteApp(pod, layers, manifest, manifest.Apps[i], apps[i], finalPath, request.Check);
        }
    }

    /// <param name="finalPath">The pod directory's path when the pod runs.</param>
    internal static void WriteApp(Pod pod, LayerStore layers, PodManifest manifest, PodApp app, AppImage image, string finalPath, LayerCheck check)
    {
        var run = app.App ?? throw new SpecException($"apps[{app.Name}].app", "the app says nothing to run");
        var missing = image.Layers.FirstOrDefault(layer => !layers.Contains(layer));
        if (missing != default)
        {
            throw new PodException(Missing(missing));
        }

        IReadOnlyList<LayerSource> opened = [];
        try
        {
            var user = AppUser.Find(run.User, run.Group, run.SupplementaryGroups, new LayeredFiles(() => opened.Count > 0 ? opened : opened = OpenLayers(layers, image.Layers, check)));
            var bundle = AppBundle.Create(manifest, app, run, user, finalPath, pod.Uuid);
            Files.MakeDirectory(pod.Directory, $"appsinfo/{app.Name}");
            using var info = Files.Open(pod.Directory, $"appsinfo/{app.Name}", OpenFlags.Path | OpenFlags.Directory);
            Files.WriteAll(info, "manifest", image.Manifest.ToJson());
            Files.WriteAll(info, "treeStoreID", app.Image.Id);
            Files.WriteAll(info, "layers", string.Join('\n', image.Layers));
            var stage2 = $"stage1/rootfs/opt/stage2/{app.Name}";
            Files.MakeDirectory(pod.Directory, stage2);
            Files.MakeDirectory(pod.Directory, $"{stage2}/rootfs");
            Files.WriteAll(pod.Directory, $"{stage2}/config.json", bundle.ToJson());
            if (pod.HasStage1Image)
            {
                Files.WriteAll(pod.Directory, $"{stage2}/manifest", image.Manifest.ToJson()); // where the contract has it
            }

            if (!pod.OverlayPrepared)
            {
                using var rootfs = Files.Open(pod.Directory, $"{stage2}/rootfs", OpenFlags.ReadOnly | OpenFlags.Directory);
                PodFileSystems.Copy(pod, layers, image.Layers, check, rootfs);
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

    /// <summary>Opens the layers that show, lowest first; the caller closes them. One with an opaque root hides all below it.</summary>
    /// <param name="check">With <see cref="LayerCheck.Seals"/> through their metadata images, if all of them are sealed and the kernel can do it.</param>
    /// <exception cref="ImageException">A layer is not what its seal says.</exception>
    /// <remarks>
    /// A layer that stands in an image twice counts where it is highest: all that it says is said there, and overlayfs takes no directory twice (ELOOP).
    /// </remarks>
    public static IReadOnlyList<LayerSource> OpenLayers(LayerStore layers, IReadOnlyList<Digest> diffIds, LayerCheck check = LayerCheck.None) =>
        (check == LayerCheck.Seals ? TryOpenLayers(diffIds, layers.TryOpenSealed) : null)
        ?? TryOpenLayers(diffIds, diffId => layers.TryOpenSource(diffId) ?? throw new PodException(Missing(diffId)))!;

    static string Missing(Digest layer) => $"the layer {layer} of the image is not in the store: fetch the image again";

    /// <returns>Null where one of them cannot be opened so.</returns>
    static List<LayerSource>? TryOpenLayers(IReadOnlyList<Digest> diffIds, Func<Digest, LayerSource?> tryOpen)
    {
        var opened = new List<LayerSource>();
        void Close()
        {
            opened.ForEach(layer => layer.Dispose());
            opened.Clear();
        }

        try
        {
            foreach (var diffId in diffIds.Reverse().Distinct().Reverse())
            {
                if (tryOpen(diffId) is not { } layer)
                {
                    Close();
                    return null;
                }

                if (layer.RootIsOpaque)
                {
                    Close();
                }

                opened.Add(layer);
            }

            return opened;
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>Apps of a given manifest that say nothing to run take it from their images.</summary>
    static PodManifest WithImages(PodManifest manifest, IReadOnlyList<AppImage> images) => manifest with
    {
        Apps =
        [
            .. manifest.Apps.Select((app, i) => app with
            {
                App = app.App ?? images[i].Manifest.App,
                Image = app.Image with { Id = images[i].Image.Id.ToString().Replace(':', '-') },
            }),
        ],
    };

    /// <summary>A random range of user ids above those that people and services have; as with rkt, a multiple of the range's size.</summary>
    static uint ChooseShift() => (uint)Random.Shared.Next(8, 32760) * UserNamespaceSize;
}
