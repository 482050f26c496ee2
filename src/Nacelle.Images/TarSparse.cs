using System.Globalization;

namespace Nacelle.Images;

/// <summary>What PAX records say of a sparse file, in GNU tar's formats 0.0, 0.1 and 1.0.</summary>
/// <remarks>GNU tar manual, "Storing Sparse Files".</remarks>
sealed class TarSparseHeader
{
    long? pendingOffset;

    public long Major { get; private set; }

    public long? RealSize { get; private set; }

    /// <summary>The file's own name: the header's is one for archivers that know nothing of sparse files.</summary>
    public byte[]? Name { get; private set; }

    /// <summary>Formats 0.0 and 0.1; format 1.0 has the map before the data.</summary>
    public List<TarSegment> Segments { get; } = [];

    /// <returns>False for a bad value; unknown keywords are passed over.</returns>
    public bool TryTake(ReadOnlySpan<byte> keyword, ReadOnlySpan<byte> value)
    {
        if (keyword.SequenceEqual("name"u8))
        {
            Name = value.ToArray();
            return true;
        }

        if (keyword.SequenceEqual("map"u8))
        {
            return TryReadMap(value);
        }

        if (!keyword.SequenceEqual("major"u8) && !keyword.SequenceEqual("realsize"u8) && !keyword.SequenceEqual("size"u8)
            && !keyword.SequenceEqual("offset"u8) && !keyword.SequenceEqual("numbytes"u8))
        {
            return true;
        }

        if (!long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
        {
            return false;
        }

        switch (keyword[0])
        {
            case (byte)'m': Major = number; return number <= 1;
            case (byte)'r' or (byte)'s': RealSize = number; return true;
            case (byte)'o' when pendingOffset is null: pendingOffset = number; return true;
            case (byte)'n' when pendingOffset is { } offset:
                Segments.Add(new TarSegment(offset, number));
                pendingOffset = null;
                return true;
            default: return false;
        }
    }

    /// <summary>Format 0.1: offsets and lengths by turns, with commas between them.</summary>
    bool TryReadMap(ReadOnlySpan<byte> text)
    {
        Segments.Clear();
        long? offset = null;
        foreach (var range in text.Split((byte)','))
        {
            if (!long.TryParse(text[range], NumberStyles.None, CultureInfo.InvariantCulture, out long number))
            {
                return text.IsEmpty;
            }

            if (offset is { } start)
            {
                Segments.Add(new TarSegment(start, number));
            }

            offset = offset is null ? number : null;
        }

        return offset is null;
    }
}

/// <summary>What all formats of sparse files have in common.</summary>
static class TarSparse
{
    /// <summary>Whether the stretches ascend without overlap, end within the file, and hold as much as the archive stores.</summary>
    public static bool IsSound(List<TarSegment> segments, long size, long stored)
    {
        long end = 0, sum = 0;
        foreach (var (offset, length) in segments)
        {
            if (offset < end || length < 0 || length > size - offset)
            {
                return false;
            }

            end = offset + length;
            sum += length;
        }

        return sum == stored && end <= size;
    }

    /// <summary>Old GNU format: pairs of 12-byte fields, the first empty one ends the map.</summary>
    public static bool TryReadFields(ReadOnlySpan<byte> fields, List<TarSegment> segments)
    {
        for (; fields.Length >= 24 && fields[0] != 0; fields = fields[24..])
        {
            if (!TarHeader.TryNumber(fields[..12], out long offset) || !TarHeader.TryNumber(fields.Slice(12, 12), out long length))
            {
                return false;
            }

            segments.Add(new TarSegment(offset, length));
        }

        return true;
    }
}

/// <summary>The map of format 1.0, in the blocks before the data: a count, then offsets and lengths by turns, each on a line of its own.</summary>
sealed class TarSparseMap
{
    long number, left = -1;
    long? pendingOffset;
    int digits;

    public List<TarSegment> Segments { get; } = [];

    public bool IsComplete => left == 0;

    /// <summary>Takes the next block; what follows the map in its last block is padding.</summary>
    /// <returns>False when the map is malformed.</returns>
    public bool TryRead(ReadOnlySpan<byte> block)
    {
        foreach (byte letter in block)
        {
            if (IsComplete)
            {
                break;
            }

            if (letter is >= (byte)'0' and <= (byte)'9' && digits < 18)
            {
                number = (number * 10) + (letter - '0');
                digits++;
                continue;
            }

            if (letter != '\n' || digits == 0)
            {
                return false;
            }

            if (left < 0)
            {
                left = number;
            }
            else if (pendingOffset is { } offset)
            {
                Segments.Add(new TarSegment(offset, number));
                pendingOffset = null;
                left--;
            }
            else
            {
                pendingOffset = number;
            }

            (number, digits) = (0, 0);
        }

        return true;
    }
}
