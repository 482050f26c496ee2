using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>A layer that was made here, in the store both unpacked and as a blob.</summary>
/// <param name="Blob">As a manifest lists it.</param>
public sealed record CreatedLayer(Digest DiffId, Descriptor Blob, long Entries);

/// <summary>Makes layers of what was changed in an overlay.</summary>
public static class LayerCreation
{
    /// <summary>
    /// Takes an overlay's upper directory over into the store. Its files become the unpacked layer as they lie, and the archive is written from them.
    /// Killed at any moment it leaves a directory that <see cref="LayerStore.Sweep"/> removes.
    /// </summary>
    /// <param name="parent">Where the directory lies; on the store's file system.</param>
    /// <param name="name">The upper directory, which is gone from there afterwards; its overlay is not mounted any more.</param>
    /// <exception cref="KernelException">EXDEV: it lies on another file system; else no room, no right.</exception>
    public static CreatedLayer FromChanges(
        ImageStore store, FileDescriptor parent, string name, LayerContent content, LayerCompression compression, CancellationToken cancellation)
    {
        using var layer = PendingLayer.Create(store.Layers, default);
        using var rootfs = layer.TakeOver(parent, name);
        using var blob = store.Content.CreateUnnamed();
        using var sink = new LayerSink(blob, compression);
        var written = LayerWriter.Write(rootfs, sink, content, cancellation);
        var (hash, digest, size) = sink.Finish();
        layer.Describe(new UnpackResult(hash, sink.TarBytes, written.UnpackedBytes, written.Entries) { ImpliedDirectories = content.Root ? [] : [""] });
        store.Layers.Commit(layer);
        store.Content.Enter(blob, digest);
        return new CreatedLayer(
            layer.DiffId,
            new Descriptor
            {
                MediaType = compression switch
                {
                    LayerCompression.Gzip => MediaTypes.OciLayerGzip,
                    LayerCompression.Zstd => MediaTypes.OciLayerZstd,
                    _ => MediaTypes.OciLayer,
                },
                Digest = digest,
                Size = size,
            },
            written.Entries);
    }
}
