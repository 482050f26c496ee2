namespace Nacelle.Images;

/// <summary>A stream with bytes put before and behind it. Does not own it.</summary>
sealed class FramedStream(ReadOnlyMemory<byte> before, Stream stream, ReadOnlyMemory<byte> behind) : Stream
{
    ReadOnlyMemory<byte> first = before, last = behind;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        int count = Take(ref first, buffer);
        if (count == 0)
        {
            count = stream.Read(buffer);
        }

        return count == 0 ? Take(ref last, buffer) : count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    static int Take(ref ReadOnlyMemory<byte> from, Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, from.Length);
        from.Span[..count].CopyTo(buffer);
        from = from[count..];
        return count;
    }
}
