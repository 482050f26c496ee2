using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Seals: for each layer whose files are under fs-verity the digest of its metadata image, as it was when the layer was unpacked from its archive.</summary>
/// <remarks>
/// <code>
/// seals/sha256-…                       of a layer by its diff-id: sha256:…, the fs-verity digest of layers/sha256-…/metadata.erofs
///                                      of an image's config by its digest: the fs-verity digest of the blob
/// </code>
/// They lie beside <c>refs/</c>, and count as much: who can write there can have any name mean anything. A seal comes after its layer and goes before it.
/// </remarks>
public sealed partial class LayerStore
{
    const string SealsName = "seals";

    readonly FileDescriptor seals;
    bool? sealable;

    /// <summary>The digest of the layer's metadata image; null where the layer is not sealed.</summary>
    /// <exception cref="ImageException">The seal is damaged.</exception>
    internal Digest? SealOf(Digest diffId) =>
        Files.TryReadText(seals, diffId.FileName)?.TrimEnd() is not { } text ? null
            : Digest.TryParse(text, out var digest) ? digest
            : throw new ImageException($"{seals}/{diffId.FileName} is damaged: see nacelle image verify");

    /// <summary>Whether layers are sealed in this store: the kernel and the file system can do it.</summary>
    internal bool CanSeal(FileDescriptor directory) => sealable ??= LayerSeal.IsPossible(directory);

    /// <param name="content">A layer's diff-id, or the digest of a blob.</param>
    /// <returns>What was not right about the seal that it had.</returns>
    internal string? WriteSeal(Digest content, Digest seal)
    {
        var had = Files.TryReadText(seals, content.FileName);
        if (had != $"{seal}\n")
        {
            Files.Replace(seals, content.FileName, Encoding.ASCII.GetBytes($"{seal}\n"), 0x180);
        }

        return had is null || had == $"{seal}\n" ? null : "its seal";
    }

    /// <summary>Seals a layer whose files are known to be as its archive says, or sees that it is sealed rightly.</summary>
    /// <returns>What was not right about the seal that it had.</returns>
    internal string? Reseal(Digest diffId, UnpackResult unpacked, CancellationToken cancellation)
    {
        using var directory = Files.Open(Layers, diffId.FileName, DirectoryFlags);
        bool had = Files.Exists(seals, diffId.FileName), changed = false;
        var seal = CanSeal(directory) ? LayerSeal.TryMake(directory, diffId, unpacked, out changed, cancellation) : null;
        if (seal is null)
        {
            RemoveSeal(diffId);
            return had ? "its seal, which cannot be kept here" : null;
        }

        if (changed)
        {
            Files.SynchronizeFileSystem(Layers);
        }

        var difference = WriteSeal(diffId, seal.Value);
        return had && changed ? "its metadata image, or the fs-verity of a file" : difference;
    }

    internal void RemoveSeal(Digest diffId) => Files.TryUnlink(seals, diffId.FileName);

    /// <summary>
    /// Opens a layer through its metadata image, which has been held against the layer's seal: of what can be read there, nothing has changed since the layer was unpacked.
    /// Nothing is read for that but a digest that the kernel has. The caller disposes it.
    /// </summary>
    /// <returns>Null where the layer is not sealed, or the kernel cannot mount the image.</returns>
    /// <exception cref="ImageException">The image is missing or another.</exception>
    public LayerSource? TryOpenSealed(Digest diffId)
    {
        if (SealOf(diffId) is not { } seal)
        {
            return null;
        }

        using var image = Files.TryOpen(Layers, $"{diffId.FileName}/{LayerSeal.ImageName}", OpenFlags.ReadOnly | OpenFlags.NoFollow, out var error);
        if (image is null && error != Errno.ENOENT)
        {
            throw new KernelException($"open {Layers}/{diffId.FileName}/{LayerSeal.ImageName}", error);
        }

        if (image is null || FileVerity.TryMeasure(image) is not { } measured || Digest.Sha256(measured) != seal)
        {
            throw new ImageException($"the layer {diffId} is not as it was unpacked: its {LayerSeal.ImageName} is {(image is null ? "missing" : "another")}; see nacelle image verify");
        }

        try
        {
            return Overlay.CanVerify ? LayerSource.TryMount(image, Layers) : null;
        }
        catch (KernelException failure) when (failure.Errno == Errno.EIO)
        {
            throw new ImageException($"the layer {diffId} is not as it was unpacked: its {LayerSeal.ImageName} cannot be read (EIO); see nacelle image verify", failure);
        }
    }

    internal static byte[] EncodeNames(IReadOnlyList<string> names) => KernelString.Encode(string.Concat(names.Select(name => name + '\0')));

    internal static string[] DecodeNames(ReadOnlySpan<byte> names) => KernelString.Decode(names).Split('\0')[..^1];
}
