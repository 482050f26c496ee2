using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Writes images into archives, as other tools read them.</summary>
public static class ImageArchive
{
    /// <summary>Writes an OCI image as an OCI archive, and an ACI as it is, uncompressed.</summary>
    /// <param name="path">There only once it is whole.</param>
    /// <exception cref="ImageException">There is such a file already, and it is not to be overwritten; or a blob is missing.</exception>
    public static void Write(ImageStore store, StoredImage image, string path, bool overwrite, CancellationToken cancellation = default)
    {
        using var held = store.HoldContent();
        using var parent = Files.Open(Path.GetDirectoryName(Path.GetFullPath(path))!, OpenFlags.ReadOnly | OpenFlags.Directory);
        var name = Path.GetFileName(path);
        if (!overwrite && Files.Exists(parent, name))
        {
            throw new ImageException($"{path} exists; --overwrite replaces it");
        }

        using var file = Files.Open(parent, ".", OpenFlags.Unnamed | OpenFlags.ReadWrite, mode: 0x1A4);
        if (image.IsAci)
        {
            CopyBlob(store, image.Id, piece => Files.Write(file, piece), cancellation);
        }
        else
        {
            WriteLayout(store, image, new DescriptorStream(file), cancellation);
        }

        Files.Synchronize(file);
        Files.TryUnlink(parent, name);
        Files.LinkDescriptor(file, parent, name);
    }

    /// <remarks>OCI image specification 1.1, image-layout.md.</remarks>
    static void WriteLayout(ImageStore store, StoredImage image, Stream stream, CancellationToken cancellation)
    {
        var tar = new TarWriter(stream);
        var listed = image.Layout with { Annotations = new Dictionary<string, string> { [Descriptor.ReferenceName] = ImageStore.LayoutNameOf(image) } };
        Add(tar, "oci-layout", new ImageLayoutFile().ToJson());
        Add(tar, "index.json", new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = [listed] }.ToJson());
        foreach (var digest in new[] { image.Layout.Digest, image.Config }.Concat(store.BlobsOf(image)).Distinct())
        {
            long size = store.Content.SizeOf(digest) ?? throw new ImageException($"the store has no blob {digest}: fetch the image again");
            tar.Begin(new TarFile { Name = $"blobs/{digest.Algorithm}/{digest.Hex}", Kind = TarEntryKind.File, Mode = 0x1A4, Size = size });
            CopyBlob(store, digest, tar.Write, cancellation);
        }

        tar.Finish();
    }

    static void Add(TarWriter tar, string name, byte[] content)
    {
        tar.Begin(new TarFile { Name = name, Kind = TarEntryKind.File, Mode = 0x1A4, Size = content.Length });
        tar.Write(content);
    }

    static void CopyBlob(ImageStore store, Digest digest, WritePiece write, CancellationToken cancellation)
    {
        using var blob = store.Content.TryOpen(digest) ?? throw new ImageException($"the store has no blob {digest}: fetch the image again");
        var buffer = new byte[256 * 1024];
        for (int count; (count = Files.Read(blob, buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            write(buffer.AsSpan(0, count));
        }
    }

    delegate void WritePiece(ReadOnlySpan<byte> piece);
}
