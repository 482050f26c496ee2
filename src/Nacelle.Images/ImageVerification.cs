using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>What was found of an unpacked layer.</summary>
public enum LayerState
{
    /// <summary>As its archive says.</summary>
    Intact,

    /// <summary>It was not, and is now: unpacked anew.</summary>
    Rebuilt,

    /// <summary>It is not, and is in use, so it stays as it is.</summary>
    Damaged,
}

/// <summary>What was found of an unpacked layer.</summary>
/// <param name="Difference">In which it was not, or is not, as its archive says.</param>
public sealed record LayerFinding(Digest Layer, LayerState State, string? Difference);

/// <summary>Compares what the store has of an image with what the image's digests say.</summary>
public static class ImageVerification
{
    const int BufferSize = 256 * 1024;

    /// <summary>Reads every blob and every file of every layer again. A layer that differs from its archive is unpacked anew.</summary>
    /// <param name="inUse">Layers of pods, which are not replaced below them.</param>
    /// <returns>For each layer, the lowest first, what was found.</returns>
    /// <exception cref="ImageException">A blob is missing or damaged, so that nothing can be said or mended: the image must be fetched again.</exception>
    public static IReadOnlyList<LayerFinding> Verify(ImageStore store, StoredImage image, IReadOnlySet<Digest> inUse, CancellationToken cancellation = default)
    {
        using var held = store.HoldContent();
        foreach (var document in new[] { image.Manifest.Digest, image.Layout.Digest, image.Config }.Distinct())
        {
            using var file = OpenBlob(store, document, cancellation);
        }

        store.Seal(image.Config);

        return [.. store.LayersOf(image).Zip(store.BlobsOf(image), (layer, blob) => VerifyLayer(store, layer, blob, inUse, cancellation))];
    }

    /// <summary>Reads every file of the image's layers; to be asked before it runs.</summary>
    /// <exception cref="ImageException">A layer is not as it should be.</exception>
    public static void Require(ImageStore store, StoredImage image, CancellationToken cancellation = default)
    {
        foreach (var (layer, blob) in store.LayersOf(image).Zip(store.BlobsOf(image)))
        {
            using var root = store.Layers.TryOpen(layer) ?? throw new ImageException($"the layer {layer} of {image.Name} is not in the store: fetch the image again");
            if (store.Layers.TreeHashOf(layer) is { } hash && hash == TryHash(root, cancellation))
            {
                continue;
            }

            if (VerifyLayer(store, layer, blob, new HashSet<Digest> { layer }, cancellation) is { State: LayerState.Damaged } found)
            {
                throw new ImageException($"the layer {layer} of {image.Name} is not as it was unpacked ({found.Difference}): see nacelle image verify");
            }
        }
    }

    static LayerFinding VerifyLayer(ImageStore store, Digest layer, Digest blob, IReadOnlySet<Digest> inUse, CancellationToken cancellation)
    {
        using var file = OpenBlob(store, blob, cancellation);
        using var content = new FileRangeStream(file, 0, Files.Status(file).Size, owned: false);
        using var fresh = PendingLayer.Create(store.Layers, layer);
        fresh.Unpack(content, LayerCompression.Detect, new UnpackOptions { Content = layer.Algorithm == "sha512" && layer == blob ? ArchiveContent.Aci : ArchiveContent.Layer }, cancellation);
        var right = fresh.TreeHash(cancellation);
        var difference = Compare(store.Layers, layer, fresh, right, cancellation);
        if (difference is null)
        {
            store.Layers.WriteTreeHash(layer, right);
            difference = store.Layers.Reseal(layer, fresh.Unpacked, cancellation);
            return new LayerFinding(layer, difference is null ? LayerState.Intact : LayerState.Rebuilt, difference);
        }

        if (inUse.Contains(layer))
        {
            return new LayerFinding(layer, LayerState.Damaged, difference);
        }

        store.Layers.Remove(layer);
        store.Layers.Commit(fresh);
        store.Layers.WriteTreeHash(layer, right);
        return new LayerFinding(layer, LayerState.Rebuilt, difference);
    }

    /// <returns>In what the layer is not as it has just been unpacked; null where it is.</returns>
    static string? Compare(LayerStore layers, Digest layer, PendingLayer fresh, Digest right, CancellationToken cancellation)
    {
        using var root = layers.TryOpen(layer);
        if (root is null)
        {
            return "it is missing";
        }

        try
        {
            if (layers.TryRead(layer) is not { } record || record.DiffId != layer || record.RootIsOpaque != fresh.Unpacked.RootIsOpaque)
            {
                return LayerStore.RecordName;
            }
        }
        catch (SpecException)
        {
            return LayerStore.RecordName;
        }

        if (!layers.ImpliedDirectories(layer).SequenceEqual(fresh.Unpacked.ImpliedDirectories, StringComparer.Ordinal))
        {
            return LayerStore.ImpliedName;
        }

        if (TryHash(root, cancellation) == right)
        {
            return null;
        }

        using var freshRoot = fresh.OpenRoot();
        return LayerDifference.Find(root, freshRoot) ?? "its files"; // changed while it was read
    }

    /// <returns>Null where something cannot be read.</returns>
    static Digest? TryHash(FileDescriptor root, CancellationToken cancellation)
    {
        try
        {
            return LayerHash.Of(root, cancellation);
        }
        catch (KernelException failure) when (failure.Errno == Errno.EIO)
        {
            return null;
        }
    }

    /// <summary>Opens a blob whose content is what its digest says, at its start.</summary>
    static FileDescriptor OpenBlob(ImageStore store, Digest digest, CancellationToken cancellation)
    {
        var file = store.Content.TryOpen(digest) ?? throw new ImageException($"the store has no blob {digest}: fetch the image again");
        try
        {
            using var hash = IncrementalHash.CreateHash(digest.Algorithm == "sha512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
            var buffer = new byte[BufferSize];
            for (int count; (count = Files.Read(file, buffer)) > 0;)
            {
                cancellation.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, count);
            }

            var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
            return actual == digest.Hex ? file : throw new ImageException($"the blob {digest} is damaged: its content has the digest {digest.Algorithm}:{actual}; remove the image and fetch it again");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
