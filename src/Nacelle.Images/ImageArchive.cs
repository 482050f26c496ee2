using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Writes stored images into files.</summary>
public static class ImageArchive
{
    /// <summary>Writes an OCI image as an OCI archive, and an ACI as it is, uncompressed.</summary>
    /// <param name="path">There only once it is whole.</param>
    /// <exception cref="ImageException">There is such a file already, and it is not to be overwritten; or a blob is missing.</exception>
    /// <remarks>OCI image specification 1.1, image-layout.md.</remarks>
    public static void Write(ImageStore store, StoredImage image, string path, bool overwrite, CancellationToken cancellation = default)
    {
        using var held = store.HoldContent();
        if (image.IsAci)
        {
            WriteAci(store, image, path, overwrite);
            return;
        }

        using var archive = new ArchiveWriter(path, overwrite);
        var listed = image.Layout with { Annotations = new Dictionary<string, string> { [Descriptor.ReferenceName] = ImageStore.LayoutNameOf(image) } };
        archive.Add("oci-layout", new ImageLayoutFile().ToJson());
        archive.Add("index.json", new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = [listed] }.ToJson());
        foreach (var digest in new[] { image.Layout.Digest, image.Config }.Concat(store.BlobsOf(image)))
        {
            using var blob = Open(store, digest);
            long size = Files.Status(blob).Size;
            archive.Add($"blobs/{digest.Algorithm}/{digest.Hex}", new FileRangeStream(blob, 0, size, owned: false), size, cancellation);
        }

        archive.Finish();
    }

    static void WriteAci(ImageStore store, StoredImage image, string path, bool overwrite)
    {
        using var blob = Open(store, image.Id);
        using var parent = Files.Open(Path.GetDirectoryName(Path.GetFullPath(path))!, OpenFlags.ReadOnly | OpenFlags.Directory);
        var name = Path.GetFileName(path);
        if (!overwrite && Files.Exists(parent, name))
        {
            throw new ImageException($"{path} exists; --overwrite replaces it");
        }

        using var file = Files.Open(parent, ".", OpenFlags.Unnamed | OpenFlags.ReadWrite, mode: 0x1A4);
        Files.CopyContent(blob, file, Files.Status(blob).Size);
        Files.Synchronize(file);
        Files.TryUnlink(parent, name);
        Files.LinkDescriptor(file, parent, name);
    }

    static FileDescriptor Open(ImageStore store, Digest digest) => store.Content.TryOpen(digest) ?? throw new ImageException($"the store has no blob {digest}: fetch the image again");
}
