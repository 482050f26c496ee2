using SharpCompress.Compressors.BZip2;
using SharpCompress.Compressors.Xz;

namespace Nacelle.Images;

/// <summary>Undoes how an ACI is compressed: besides layers' ways appc also knows bzip2 and xz.</summary>
/// <remarks>appc 0.8.11, spec/aci.md, "Image Archives". Apart from <see cref="Decompression"/>, so that who runs images does not carry two more libraries' code.</remarks>
public static class AciDecompression
{
    /// <summary>The archive as it was before compression.</summary>
    /// <param name="source">Can seek; not disposed.</param>
    public static Stream Open(Stream source)
    {
        var head = new byte[6];
        int length = source.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        source.Position = 0;
        return head.AsSpan(0, length) switch
        {
            [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0] => new XZStream(source),
            [(byte)'B', (byte)'Z', (byte)'h', ..] => BZip2Stream.Create(source, SharpCompress.Compressors.CompressionMode.Decompress, true, true),
            _ => Decompression.Open(source),
        };
    }

    /// <summary>Whether an exception of one of the streams means that the archive is damaged.</summary>
    public static bool IsDamage(Exception failure) =>
        failure is InvalidDataException or EndOfStreamException or SharpCompress.Common.SharpCompressException or IndexOutOfRangeException or ArgumentException or NotSupportedException or OverflowException or InvalidOperationException;
}
