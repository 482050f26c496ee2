using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Configs are sealed as layers are, for they say what runs: read again, they are held against the digest that the kernel has, and need not be hashed.</summary>
public sealed partial class ImageStore
{
    /// <summary>Puts a blob under fs-verity, where the file system has it.</summary>
    /// <exception cref="ImageException">The blob is not what its digest says.</exception>
    internal void Seal(Digest digest)
    {
        using var file = Content.TryOpen(digest) ?? throw new ImageException($"the store has no blob {digest}: fetch the image again");
        if (FileVerity.TryEnable(file) != Errno.None || FileVerity.TryMeasure(file) is not { } measured)
        {
            Layers.RemoveSeal(digest);
            return;
        }

        // Only now, when nobody can change it any more.
        var actual = ContentStore.DigestOf(Files.ReadToEnd(file), digest.Algorithm);
        if (actual != digest)
        {
            throw new ImageException($"the blob {digest} is damaged: its content has the digest {actual}; remove the image and fetch it again");
        }

        Layers.WriteSeal(digest, Digest.Sha256(measured));
    }

    byte[] ReadSealed(Digest digest)
    {
        using var file = Content.TryOpen(digest) ?? throw new ImageException($"the store has no blob {digest}: fetch the image again");
        if (Layers.SealOf(digest) is { } seal && (FileVerity.TryMeasure(file) is not { } measured || Digest.Sha256(measured) != seal))
        {
            throw new ImageException($"the blob {digest} is not as it was fetched: see nacelle image verify");
        }

        return Files.ReadToEnd(file);
    }
}
