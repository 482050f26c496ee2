using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>
/// A blob on its way into the store: a file under <c>ingest/</c> that this process alone holds (flock), grows at its end, and is hashed as it grows.
/// Disposed before <see cref="Commit"/>, or killed, it leaves its bytes for the next who wants the blob.
/// </summary>
public sealed class BlobIngest : IDisposable
{
    readonly ContentStore store;
    readonly FileDescriptor file;
    readonly IncrementalHash hash;

    internal BlobIngest(ContentStore store, FileDescriptor file, Descriptor blob)
    {
        this.store = store;
        this.file = file;
        Blob = blob;
        hash = IncrementalHash.CreateHash(blob.Digest.Algorithm == "sha512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
        Left = Files.Status(file).Size;
        if (Left > blob.Size)
        {
            Restart();
        }
    }

    public Descriptor Blob { get; }

    /// <summary>How many bytes are in the file and hashed.</summary>
    public long Position { get; private set; }

    /// <summary>How many bytes an earlier attempt left after <see cref="Position"/>, to be taken over by <see cref="Replay"/>.</summary>
    public long Left { get; private set; }

    /// <summary>Reads and hashes the next bytes that an earlier attempt left.</summary>
    /// <returns>How many; 0 when none are left.</returns>
    public int Replay(Span<byte> buffer)
    {
        int count = Left == 0 ? 0 : Files.Read(file, buffer[..(int)Math.Min(buffer.Length, Left)]);
        hash.AppendData(buffer[..count]);
        Position += count;
        Left = count == 0 ? 0 : Left - count;
        return count;
    }

    /// <exception cref="ImageException">The content is longer than the descriptor says.</exception>
    public void Append(ReadOnlySpan<byte> content)
    {
        if (Position + content.Length > Blob.Size)
        {
            Restart();
            throw new ImageException($"blob {Blob.Digest}: content goes on after the {Blob.Size} bytes that the manifest names");
        }

        Files.Write(file, content);
        hash.AppendData(content);
        Position += content.Length;
    }

    /// <summary>Forgets all content.</summary>
    public void Restart()
    {
        Files.SetLength(file, 0);
        Files.Seek(file, 0, SeekOrigin.Begin);
        hash.GetHashAndReset();
        (Position, Left) = (0, 0);
    }

    /// <summary>Checks that the content is whole and the one that the digest names; wrong content is forgotten.</summary>
    /// <exception cref="ImageException">It is not.</exception>
    public void Verify()
    {
        if (Position != Blob.Size)
        {
            throw new ImageException($"blob {Blob.Digest}: {Position} bytes came of {Blob.Size}");
        }

        var actual = hash.GetHashAndReset();
        if (!Blob.Digest.Hex.Equals(Convert.ToHexStringLower(actual), StringComparison.Ordinal))
        {
            Restart();
            throw new DigestMismatchException(Blob.Digest, $"{Blob.Digest.Algorithm}:{Convert.ToHexStringLower(actual)}");
        }

        Verified = true;
    }

    /// <summary>Whether the content is whole and has its digest.</summary>
    public bool Verified { get; private set; }

    /// <summary>Makes the verified content durable and puts it in its place.</summary>
    public void Commit()
    {
        if (!Verified)
        {
            throw new InvalidOperationException($"blob {Blob.Digest} was not verified");
        }

        Files.Synchronize(file);
        store.Enter(this);
    }

    /// <summary>Removes the file: its content is of no use to anybody.</summary>
    public void Discard() => store.Discard(this);

    public void Dispose()
    {
        hash.Dispose();
        file.Dispose();
    }
}

/// <summary>Content came that is not what its digest names.</summary>
public sealed class DigestMismatchException(Digest expected, string actual)
    : Exception($"digest mismatch: expected {expected}, got {actual}");
