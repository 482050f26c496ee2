using System.IO.Compression;
using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;
using ZstdSharp;

namespace Nacelle.Images;

/// <summary>Takes a layer's archive and, in one pass, hashes it, compresses it, and writes and hashes what comes of that.</summary>
/// <remarks>The compressed bytes depend on the archive alone: no name and no time is in gzip's header.</remarks>
sealed class LayerSink : WriteOnlyStream
{
    readonly IncrementalHash archive = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly HashedFile file;
    readonly Stream compressor;

    /// <param name="blob">Written to from its beginning; stays the caller's.</param>
    public LayerSink(FileDescriptor blob, LayerCompression compression)
    {
        file = new HashedFile(blob);
        compressor = compression switch
        {
            LayerCompression.Gzip => new BufferedStream(new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true), 65536),
            LayerCompression.Zstd => new CompressionStream(file, leaveOpen: true),
            LayerCompression.None => file,
            _ => throw new ArgumentOutOfRangeException(nameof(compression)),
        };
    }

    /// <summary>Length of the archive.</summary>
    public long TarBytes { get; private set; }

    /// <summary>Ends the compressed stream.</summary>
    public (byte[] DiffId, Digest Blob, long BlobSize) Finish()
    {
        compressor.Dispose();
        return (archive.GetHashAndReset(), Digest.Sha256(file.Hash.GetHashAndReset()), file.Size);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        archive.AppendData(buffer);
        TarBytes += buffer.Length;
        compressor.Write(buffer);
    }

    protected override void Dispose(bool disposing)
    {
        archive.Dispose();
        file.Hash.Dispose();
        base.Dispose(disposing);
    }

    sealed class HashedFile(FileDescriptor file) : WriteOnlyStream
    {
        public IncrementalHash Hash { get; } = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public long Size { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Files.Write(file, buffer);
            Hash.AppendData(buffer);
            Size += buffer.Length;
        }
    }
}
