using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>The blobs of the image layout <c>images/</c>: whole files named by their digest, which nothing but a checked rename brings there.</summary>
/// <remarks>OCI image specification 1.1, image-layout.md, "Blobs". Writing is in the other part, so that readers carry no hashing.</remarks>
public sealed partial class ContentStore
{
    readonly FileDescriptor images;
    readonly FileDescriptor data;

    /// <param name="data">The data directory; stays the caller's.</param>
    /// <param name="images">Its directory <c>images</c>; stays the caller's.</param>
    internal ContentStore(FileDescriptor data, FileDescriptor images)
    {
        this.data = data;
        this.images = images;
    }

    /// <summary>Opens a blob for reading; null when the store does not have it. The caller owns the descriptor.</summary>
    public FileDescriptor? TryOpen(Digest digest)
    {
        var file = Files.TryOpen(images, PathOf(digest), OpenFlags.ReadOnly | OpenFlags.NoFollow, out var error);
        return file is not null || error == Errno.ENOENT ? file : throw new KernelException($"open {images}/{PathOf(digest)}", error);
    }

    /// <summary>The blob's size in bytes; null when the store does not have it.</summary>
    public long? SizeOf(Digest digest) => Files.TryStatus(images, PathOf(digest), out _)?.Size;

    /// <summary>Reads a whole blob into memory.</summary>
    /// <exception cref="ImageException">The store does not have it.</exception>
    public byte[] Read(Digest digest)
    {
        using var file = TryOpen(digest) ?? throw new ImageException($"the store has no blob {digest}: fetch the image again");
        return Files.ReadToEnd(file);
    }

    /// <summary>All blobs, in no order.</summary>
    internal List<Digest> List()
    {
        var digests = new List<Digest>();
        foreach (string algorithm in Algorithms)
        {
            foreach (var entry in Directories.ListOrEmpty(images, $"blobs/{algorithm}"))
            {
                if (Digest.TryParse($"{algorithm}:{entry.Name}", out var digest))
                {
                    digests.Add(digest);
                }
            }
        }

        return digests;
    }

    internal void Remove(Digest digest) => Files.TryUnlink(images, PathOf(digest));

    static readonly string[] Algorithms = ["sha256", "sha512"];

    static string PathOf(Digest digest) => $"blobs/{digest.Algorithm}/{digest.Hex}";
}
