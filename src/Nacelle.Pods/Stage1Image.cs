using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>A stage1 that is an image in the store: another flavor of ours, or somebody else's.</summary>
/// <param name="Layers">Of its root file system, the lowest first, by diff-id.</param>
public sealed record Stage1Image(Digest Id, AppImageManifest Manifest, IReadOnlyList<Digest> Layers)
{
    // What pods have in every stage1's root file system: the apps, and what stage1 tells of them.
    static readonly string[] Reserved = ["opt", "opt/stage2", "rkt", "rkt/status", "rkt/pid", "rkt/restarts", "rkt/logs", "rkt/shm", "rkt/env"];

    static readonly string[] Verbs = ["run", "enter", "gc", "stop", "app/add", "app/rm", "app/start", "app/stop", "attach"];

    /// <summary>An appc image says what it is in its annotations; an OCI image in the labels of its config.</summary>
    /// <exception cref="PodException">The image is no stage1, or one of a contract that is not known; says why.</exception>
    public static Stage1Image Read(ImageStore store, StoredImage stored)
    {
        var image = AppImage.Read(store, stored);
        var labels = image.Manifest.App?.UserLabels?.Where(label => Stage1.IsOfContract(label.Key)).Select(label => new Annotation(label.Key, label.Value)) ?? [];
        var stage1 = new Stage1Image(stored.Id, image.Manifest with { Annotations = [.. image.Manifest.Annotations, .. labels] }, image.Layers);
        stage1.Check(store.Layers);
        return stage1;
    }

    void Check(LayerStore layers)
    {
        if (Stage1.FindEntryPoint(Manifest, "run") is null)
        {
            throw new PodException($"the image {Manifest.Name} is no stage1: its manifest names no entry point 'run'");
        }

        Stage1.InterfaceVersion(Manifest);
        var opened = PodPreparation.OpenLayers(layers, Layers);
        try
        {
            var files = new LayeredFiles(opened);
            foreach (var verb in Verbs)
            {
                if (Stage1.FindEntryPoint(Manifest, verb) is { } path && !IsProgram(files, path["stage1/rootfs/".Length..]))
                {
                    throw new PodException($"the stage1 {Manifest.Name} is broken: its entry point for {verb}, {path["stage1/rootfs".Length..]}, is not an executable file of the image");
                }
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

    static bool IsProgram(LayeredFiles files, string path) =>
        !path.Split('/').Contains("..") && files.TryStatus(path) is { Kind: FileKind.Regular } status && (status.Permissions & 0x49) != 0;

    /// <summary>Puts the stage1 into a pod directory that is being prepared: its manifest, what it is made of, and where it cannot be mounted later, a copy.</summary>
    internal void Prepare(Pod pod, LayerStore layers, LayerCheck check)
    {
        Files.MakeDirectory(pod.Directory, "stage1");
        using var stage1 = Files.Open(pod.Directory, "stage1", OpenFlags.Path | OpenFlags.Directory);
        Files.WriteAll(stage1, "manifest", Manifest.ToJson());
        Files.WriteAll(stage1, "layers", string.Join('\n', Layers));
        Files.WriteAll(pod.Directory, "stage1TreeStoreID", Id.FileName);
        Files.MakeDirectory(stage1, "rootfs");
        using var rootfs = Files.Open(stage1, "rootfs", OpenFlags.ReadOnly | OpenFlags.Directory);
        if (!pod.OverlayPrepared)
        {
            PodFileSystems.Copy(pod, layers, Layers, check, rootfs);
        }

        foreach (var directory in Reserved)
        {
            if (!Files.EnsureDirectory(rootfs, directory) && Files.Status(rootfs, directory).Kind != FileKind.Directory)
            {
                throw new PodException($"the stage1 {Manifest.Name} cannot be used: its /{directory} is not a directory");
            }
        }
    }
}
