using ZstdSharp;

namespace Nacelle.Images;

/// <summary>A decompressor's output, its complaints turned into ours, and its source read to the end.</summary>
sealed class DecompressedStream(Stream? decompressor, Stream source, string format) : Stream
{
    bool ended;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        if (ended || buffer.IsEmpty)
        {
            return 0;
        }

        int count = decompressor is null ? source.Read(buffer) : Decompress(decompressor, buffer);
        if (count == 0)
        {
            ended = true;
            DrainSource();
        }

        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            decompressor?.Dispose();
        }

        base.Dispose(disposing);
    }

    int Decompress(Stream from, Span<byte> buffer)
    {
        try
        {
            return from.Read(buffer);
        }
        catch (EndOfStreamException truncated)
        {
            throw new LayerException("", $"the {format} stream is cut off", truncated);
        }
        catch (Exception damaged) when (damaged is InvalidDataException or ZstdException)
        {
            throw new LayerException("", $"the {format} stream is damaged or cut off: {damaged.Message}", damaged);
        }
    }

    /// <summary>Decompressors stop where their format ends; gzip tolerates padding behind it.</summary>
    void DrainSource()
    {
        Span<byte> rest = stackalloc byte[4096];
        while (source.Read(rest) > 0)
        {
        }
    }
}
