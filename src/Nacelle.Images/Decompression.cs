using System.IO.Compression;
using ZstdSharp;

namespace Nacelle.Images;

/// <summary>How a layer's archive is compressed.</summary>
public enum LayerCompression
{
    /// <summary>By the first bytes of the stream: published images are not always what their media type says.</summary>
    Detect,
    None,
    Gzip,
    Zstd,
}

/// <summary>Finds out how a layer is compressed, and undoes it.</summary>
public static class Decompression
{
    /// <summary>
    /// GZipStream (.NET 10) takes many a truncated stream for its end, and never misses a missing checksum. So a member of our own is put behind the
    /// source: only when all before it was whole does its content come out at the end.
    /// </summary>
    static readonly byte[] GzipMark = [.. "nacelle: the end"u8], GzipMarkMember = Compress(GzipMark);

    const string Supported = "gzip, zstd and no compression are supported";

    /// <summary>What a layer's media type promises.</summary>
    /// <remarks>OCI image specification 1.1, layer.md and media-types.md; image manifest version 2, schema 2 for Docker's.</remarks>
    /// <exception cref="LayerException">Not a layer, or compressed in a way that is not supported.</exception>
    public static LayerCompression OfMediaType(string mediaType) => mediaType switch
    {
        "application/vnd.oci.image.layer.v1.tar" or
        "application/vnd.oci.image.layer.nondistributable.v1.tar" or
        "application/vnd.docker.image.rootfs.diff.tar" => LayerCompression.None,
        "application/vnd.oci.image.layer.v1.tar+gzip" or
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" or
        "application/vnd.docker.image.rootfs.diff.tar.gzip" or
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => LayerCompression.Gzip,
        "application/vnd.oci.image.layer.v1.tar+zstd" or
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd" or
        "application/vnd.docker.image.rootfs.diff.tar.zstd" => LayerCompression.Zstd,
        _ => throw new LayerException("", $"the media type '{LayerException.Printable(mediaType)}' is not a layer's; {Supported}"),
    };

    /// <summary>The archive as it was before compression; a damaged or truncated source is an error, never a short read.</summary>
    /// <remarks>The source is read to its end and not disposed, so that who reads along (a digest, a count) has seen all of it.</remarks>
    public static Stream Open(Stream source, LayerCompression compression = LayerCompression.Detect)
    {
        var head = ReadOnlyMemory<byte>.Empty;
        if (compression == LayerCompression.Detect)
        {
            var bytes = new byte[6];
            head = bytes.AsMemory(0, source.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
            compression = OfFirstBytes(head.Span);
        }

        var input = new FramedStream(head, source, compression == LayerCompression.Gzip ? GzipMarkMember : default);
        return compression switch
        {
            LayerCompression.Gzip => new DecompressedStream(new GZipStream(input, CompressionMode.Decompress, leaveOpen: true), input, "gzip", GzipMark),
            LayerCompression.Zstd => new DecompressedStream(new DecompressionStream(input, checkEndOfStream: true, leaveOpen: true), input, "zstd", []),
            _ => new DecompressedStream(null, input, "", []),
        };
    }

    static byte[] Compress(byte[] content)
    {
        using var compressed = new MemoryStream();
        using (var compressor = new GZipStream(compressed, CompressionLevel.Fastest))
        {
            compressor.Write(content);
        }

        return compressed.ToArray();
    }

    static LayerCompression OfFirstBytes(ReadOnlySpan<byte> head)
    {
        string? other = head switch
        {
            [0x1F, 0x8B, ..] => null,
            [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0] => "xz",
            [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', 0x31, 0x41] => "bzip2",
            [0x04, 0x22, 0x4D, 0x18, ..] => "lz4",
            [0x5D, 0, 0, ..] => "lzma",
            _ => null,
        };
        if (other is not null)
        {
            throw new LayerException("", $"the archive is compressed with {other}; {Supported}");
        }

        return head switch
        {
            [0x1F, 0x8B, ..] => LayerCompression.Gzip,
            [0x28, 0xB5, 0x2F, 0xFD, ..] => LayerCompression.Zstd,
            [>= 0x50 and <= 0x5F, 0x2A, 0x4D, 0x18, ..] => LayerCompression.Zstd, // a skippable frame first
            _ => LayerCompression.None,
        };
    }
}
