using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Writes the files of an image into a directory of the file system.</summary>
public static class ImageTree
{
    /// <param name="layers">The lowest first; all in the store.</param>
    /// <param name="path">Made here; its parent must exist.</param>
    /// <param name="manifest">Written beside a directory <c>rootfs</c>, as an ACI has it; null for the root file system alone.</param>
    /// <param name="overwrite">What is there already is removed first.</param>
    /// <exception cref="ImageException">There is something already; or a layer is missing.</exception>
    public static void Write(ImageStore store, IReadOnlyList<Digest> layers, string path, byte[]? manifest, bool overwrite, CancellationToken cancellation = default)
    {
        using var held = store.HoldContent();
        var opened = new List<LayerSource>();
        try
        {
            foreach (var layer in layers)
            {
                opened.Add(store.Layers.TryOpenSource(layer) ?? throw new ImageException($"the layer {layer} is not in the store: fetch the image again"));
            }

            if (overwrite)
            {
                Directories.RemoveTree(FileDescriptor.WorkingDirectory, path);
            }
            else if (Files.Exists(FileDescriptor.WorkingDirectory, path))
            {
                throw new ImageException($"{path} exists; --overwrite removes it first");
            }

            Files.MakeDirectory(FileDescriptor.WorkingDirectory, path);
            using var directory = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
            if (manifest is null)
            {
                LayerCopy.Flatten(opened, directory, OwnerShift.None, Owners, cancellation);
                return;
            }

            Files.WriteAll(directory, "manifest", manifest);
            Files.MakeDirectory(directory, "rootfs");
            using var rootfs = Files.Open(directory, "rootfs", OpenFlags.ReadOnly | OpenFlags.Directory);
            LayerCopy.Flatten(opened, rootfs, OwnerShift.None, Owners, cancellation);
        }
        finally
        {
            opened.ForEach(layer => layer.Dispose());
        }
    }

    static OwnerPolicy Owners => Processes.IsRoot ? OwnerPolicy.Keep : OwnerPolicy.Ignore;
}
