using ZstdSharp;

namespace Nacelle.Images;

/// <summary>A decompressor's output, its complaints turned into ours, and its source read to the end.</summary>
/// <param name="decompressor">Owned; null where there is nothing to undo.</param>
/// <param name="source">What the decompressor reads; not owned.</param>
/// <param name="format">For messages.</param>
/// <param name="mark">What comes out last when the source was whole; it is checked and taken off.</param>
sealed class DecompressedStream(Stream? decompressor, Stream source, string format, byte[] mark) : ReadOnlyStream
{
    const int SpareSize = 4096;

    readonly byte[] held = new byte[mark.Length]; // the last bytes that came out, which may be the mark
    int heldLength;
    bool ended;
    byte[]? spare; // for those who ask for no more than the mark is long
    int spareStart, spareEnd;

    public override int Read(Span<byte> buffer)
    {
        if (spareStart == spareEnd)
        {
            if (buffer.Length > mark.Length || buffer.IsEmpty)
            {
                return ReadOn(buffer);
            }

            spare ??= new byte[SpareSize];
            (spareStart, spareEnd) = (0, ReadOn(spare));
        }

        int count = Math.Min(buffer.Length, spareEnd - spareStart);
        spare.AsSpan(spareStart, count).CopyTo(buffer);
        spareStart += count;
        return count;
    }

    /// <param name="buffer">Longer than the mark.</param>
    int ReadOn(Span<byte> buffer)
    {
        while (!ended && buffer.Length > mark.Length)
        {
            held.AsSpan(0, heldLength).CopyTo(buffer);
            int count = decompressor is null ? source.Read(buffer[heldLength..]) : Decompress(decompressor, buffer[heldLength..]);
            if (count == 0)
            {
                ended = true;
                DrainSource();
                return held.AsSpan(0, heldLength).SequenceEqual(mark) ? 0
                    : throw new LayerException("", $"the {format} stream is cut off, or something else follows it");
            }

            int total = heldLength + count;
            heldLength = Math.Min(total, mark.Length);
            buffer[(total - heldLength)..total].CopyTo(held);
            if (total > heldLength)
            {
                return total - heldLength;
            }
        }

        return 0;
    }

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

    /// <summary>Decompressors stop where their format ends; who reads along with the source has to see all of it.</summary>
    void DrainSource()
    {
        Span<byte> rest = stackalloc byte[4096];
        while (source.Read(rest) > 0)
        {
        }
    }
}
