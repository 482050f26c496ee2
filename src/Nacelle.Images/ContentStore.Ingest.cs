using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

public sealed partial class ContentStore
{
    const string IngestDirectory = "ingest";

    /// <summary>Starts bringing in a blob, or waits until another process that does so has finished or died.</summary>
    /// <param name="waiting">Called once when there is somebody to wait for.</param>
    /// <returns>The ingest, with what an earlier attempt left in it; null when the store has the blob.</returns>
    public async Task<BlobIngest?> BeginAsync(Descriptor blob, Action? waiting, CancellationToken cancellation)
    {
        Files.EnsureDirectory(data, IngestDirectory, mode: 0x1C0);
        while (true)
        {
            if (SizeOf(blob.Digest) is not null)
            {
                return null;
            }

            var file = Files.Open(data, $"{IngestDirectory}/{blob.Digest.FileName}", OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.NoFollow, mode: 0x1A4);
            try
            {
                if (!FileLock.TryAcquire(file, LockKind.Exclusive))
                {
                    waiting?.Invoke();
                    waiting = null;
                    await Task.Delay(50, cancellation);
                    file.Dispose();
                    continue;
                }

                // Between open and lock its holder may have moved the file into the store or removed it: then the lock is on a file without that name.
                var named = Files.TryStatus(data, $"{IngestDirectory}/{blob.Digest.FileName}", out _);
                if (named?.Inode == Files.Status(file).Inode)
                {
                    return new BlobIngest(this, file, blob);
                }

                file.Dispose();
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
    }

    /// <summary>Brings a small document into the store in one step.</summary>
    /// <exception cref="ImageException">It does not have the digest or size that the descriptor names.</exception>
    public async Task PutAsync(Descriptor descriptor, byte[] content, CancellationToken cancellation)
    {
        using var ingest = await BeginAsync(descriptor, null, cancellation);
        if (ingest is not null)
        {
            ingest.Restart();
            ingest.Append(content);
            ingest.Verify();
            ingest.Commit();
        }
    }

    /// <summary>Opens a download that has no digest yet, for this process alone, with what an earlier attempt left in it.</summary>
    /// <param name="name">A file name, without a slash.</param>
    /// <returns>Null while another process is at it.</returns>
    internal FileDescriptor? TryOpenPartial(string name)
    {
        Files.EnsureDirectory(data, IngestDirectory, mode: 0x1C0);
        var file = Files.Open(data, $"{IngestDirectory}/{name}", OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.NoFollow, mode: 0x180);
        if (FileLock.TryAcquire(file, LockKind.Exclusive) && Files.TryStatus(data, $"{IngestDirectory}/{name}", out _)?.Inode == Files.Status(file).Inode)
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    /// <summary>A short text that belongs to an unfinished download; null when there is none.</summary>
    internal string? ReadPartialNote(string name) => Files.TryReadText(data, $"{IngestDirectory}/{name}") is { Length: > 0 } text ? text : null;

    internal void WritePartialNote(string name, string text) => Files.WriteAll(data, $"{IngestDirectory}/{name}", text);

    internal void RemovePartial(string name) => Files.TryUnlink(data, $"{IngestDirectory}/{name}");

    /// <summary>Removes what interrupted downloads left, unless somebody is at work on it or it is younger than <paramref name="age"/>.</summary>
    internal void SweepIngest(TimeSpan age)
    {
        foreach (var entry in Directories.ListOrEmpty(data, IngestDirectory))
        {
            string path = $"{IngestDirectory}/{entry.Name}";
            using var file = Files.TryOpen(data, path, OpenFlags.ReadOnly | OpenFlags.NoFollow, out _);
            if (file is not null
                && FileLock.TryAcquire(file, LockKind.Exclusive)
                && DateTimeOffset.UtcNow - Files.Status(file).ModificationTime.ToDateTimeOffset() >= age)
            {
                Files.TryUnlink(data, path);
            }
        }
    }

    /// <summary>A file without a name beside the downloads, gone when closed.</summary>
    internal FileDescriptor CreateUnnamed()
    {
        Files.EnsureDirectory(data, IngestDirectory, mode: 0x1C0);
        return Files.Open(data, IngestDirectory, OpenFlags.Unnamed | OpenFlags.ReadWrite, mode: 0x180);
    }

    /// <summary>Makes a file of <see cref="CreateUnnamed"/>, whose content has that digest, durable and gives it its name.</summary>
    internal void Enter(FileDescriptor unnamed, Digest digest)
    {
        Files.SetMode(unnamed, 0x1A4);
        Files.Synchronize(unnamed);
        using var directory = OpenBlobs(digest);
        if (Files.TryLinkDescriptor(unnamed, directory, digest.Hex) is not (Errno.None or Errno.EEXIST) and var error)
        {
            throw new KernelException($"create blob {digest}", error);
        }

        Files.Synchronize(directory);
    }

    FileDescriptor OpenBlobs(Digest digest)
    {
        Files.EnsureDirectory(images, "blobs");
        Files.EnsureDirectory(images, $"blobs/{digest.Algorithm}");
        return Files.Open(images, $"blobs/{digest.Algorithm}", OpenFlags.ReadOnly | OpenFlags.Directory);
    }

    internal void Enter(BlobIngest ingest)
    {
        var digest = ingest.Blob.Digest;
        using var directory = OpenBlobs(digest);
        Files.Rename(data, $"{IngestDirectory}/{digest.FileName}", directory, digest.Hex);
        Files.Synchronize(directory);
    }

    internal void Discard(BlobIngest ingest) => Files.TryUnlink(data, $"{IngestDirectory}/{ingest.Blob.Digest.FileName}");

    /// <summary>The digest of a document that is at hand.</summary>
    public static Digest DigestOf(ReadOnlySpan<byte> content, string algorithm = "sha256") =>
        algorithm == "sha512" ? Digest.Sha512(SHA512.HashData(content)) : Digest.Sha256(SHA256.HashData(content));
}
