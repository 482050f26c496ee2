namespace Nacelle.Images;

/// <summary>A stream with bytes put before and behind it. Does not own it.</summary>
sealed class FramedStream(ReadOnlyMemory<byte> before, Stream stream, ReadOnlyMemory<byte> behind) : ReadOnlyStream
{
    ReadOnlyMemory<byte> first = before, last = behind;

    public override int Read(Span<byte> buffer)
    {
        int count = Take(ref first, buffer);
        if (count == 0)
        {
            count = stream.Read(buffer);
        }

        return count == 0 ? Take(ref last, buffer) : count;
    }

    static int Take(ref ReadOnlyMemory<byte> from, Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, from.Length);
        from.Span[..count].CopyTo(buffer);
        from = from[count..];
        return count;
    }
}
