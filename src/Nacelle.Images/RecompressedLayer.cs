using System.IO.Compression;
using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;
using ZstdSharp;

namespace Nacelle.Images;

/// <summary>A layer compressed anew, in a file without a name; the same layer gives the same bytes.</summary>
sealed class RecompressedLayer(Descriptor descriptor, FileDescriptor file) : IDisposable
{
    const int DefaultGzipLevel = 6, DefaultZstdLevel = 3, BufferSize = 256 * 1024;

    public Descriptor Descriptor => descriptor;

    public Stream Open(long offset) => new FileRangeStream(file, offset, descriptor.Size - offset, owned: false);

    public void Dispose() => file.Dispose();

    /// <param name="layer">The layer as it is compressed now; read to its end, so that a wrong digest is found.</param>
    /// <param name="diffId">What it must unpack to.</param>
    /// <exception cref="LayerException">The layer is damaged.</exception>
    /// <exception cref="ImageException">It does not unpack to <paramref name="diffId"/>.</exception>
    public static RecompressedLayer Make(Stream layer, Digest diffId, LayerFormat format, int? level, FileDescriptor file, CancellationToken cancellation)
    {
        using var plainHash = HashOf(diffId.Algorithm);
        using var packedHash = HashOf("sha256");
        var sink = new HashingFile(file, packedHash);
        using (var plain = Decompression.Open(layer))
        using (var packed = Compress(sink, format, level))
        {
            var buffer = new byte[BufferSize];
            for (int count; (count = plain.Read(buffer)) > 0;)
            {
                cancellation.ThrowIfCancellationRequested();
                plainHash.AppendData(buffer.AsSpan(0, count));
                packed.Write(buffer.AsSpan(0, count));
            }
        }

        string actual = Convert.ToHexStringLower(plainHash.GetHashAndReset());
        if (actual != diffId.Hex)
        {
            throw new ImageException($"a layer unpacks to {diffId.Algorithm}:{actual}, and the image's config says {diffId}");
        }

        var descriptor = new Descriptor
        {
            MediaType = format switch { LayerFormat.TarGzip => MediaTypes.OciLayerGzip, LayerFormat.TarZstd => MediaTypes.OciLayerZstd, _ => MediaTypes.OciLayer },
            Digest = Digest.Sha256(packedHash.GetHashAndReset()),
            Size = sink.Written,
        };
        return new RecompressedLayer(descriptor, file);
    }

    static Stream Compress(Stream sink, LayerFormat format, int? level) => format switch
    {
        LayerFormat.TarGzip => new GZipStream(sink, new ZLibCompressionOptions { CompressionLevel = level ?? DefaultGzipLevel }, leaveOpen: true),
        LayerFormat.TarZstd => new CompressionStream(sink, level ?? DefaultZstdLevel, leaveOpen: true),
        _ => sink,
    };

    static IncrementalHash HashOf(string algorithm) => IncrementalHash.CreateHash(algorithm == "sha512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);

    /// <summary>Writes a file and hashes what is written.</summary>
    sealed class HashingFile(FileDescriptor file, IncrementalHash hash) : Stream
    {
        public long Written { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => Written;

        public override long Position { get => Written; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Files.Write(file, buffer);
            hash.AppendData(buffer);
            Written += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
