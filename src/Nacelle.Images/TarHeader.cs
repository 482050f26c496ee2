namespace Nacelle.Images;

/// <summary>The 512 bytes before an entry, field by field. Which fields mean something depends on the magic.</summary>
/// <remarks>POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".</remarks>
public readonly ref struct TarHeader(ReadOnlySpan<byte> block)
{
    public const int Size = 512;

    readonly ReadOnlySpan<byte> block = block;

    public ReadOnlySpan<byte> Name => Text(0, 100);

    public ReadOnlySpan<byte> ModeField => block.Slice(100, 8);

    public ReadOnlySpan<byte> OwnerField => block.Slice(108, 8);

    public ReadOnlySpan<byte> GroupField => block.Slice(116, 8);

    public ReadOnlySpan<byte> SizeField => block.Slice(124, 12);

    public ReadOnlySpan<byte> TimeField => block.Slice(136, 12);

    public byte Type => block[156];

    public ReadOnlySpan<byte> Link => Text(157, 100);

    public bool IsPosix => block.Slice(257, 6).SequenceEqual("ustar\0"u8);

    public bool IsGnu => block.Slice(257, 8).SequenceEqual("ustar  \0"u8);

    public ReadOnlySpan<byte> MajorField => block.Slice(329, 8);

    public ReadOnlySpan<byte> MinorField => block.Slice(337, 8);

    /// <summary>What precedes the name, with a slash between them; GNU and v7 archives have other things there.</summary>
    public ReadOnlySpan<byte> Prefix => IsPosix ? Text(345, 155) : [];

    /// <summary>Old GNU sparse files: four stretches, and whether more follow in blocks of their own.</summary>
    public ReadOnlySpan<byte> SparseFields => block.Slice(386, 96);

    public bool SparseContinues => block[482] != 0;

    public ReadOnlySpan<byte> RealSizeField => block.Slice(483, 12);

    public bool IsZero => !block.ContainsAnyExcept((byte)0);

    /// <summary>Whether the sum fits. Some old archivers summed signed bytes, so both sums do.</summary>
    public bool ChecksumFits()
    {
        if (!TryNumber(block.Slice(148, 8), out long expected))
        {
            return false;
        }

        int high = 0, unsignedSum = 8 * ' ';
        for (int i = 0; i < Size; i++)
        {
            if (i == 148)
            {
                i = 156;
            }

            unsignedSum += block[i];
            high += block[i] >> 7;
        }

        return expected == unsignedSum || expected == unsignedSum - (256 * high);
    }

    /// <summary>Octal digits between spaces and NULs, or, where the first bit is set, a big-endian number in two's complement (GNU).</summary>
    public static bool TryNumber(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        if ((field[0] & 0x80) != 0)
        {
            value = (field[0] & 0x40) != 0 ? -1 : 0;
            value = (value << 6) | (byte)(field[0] & 0x3F);
            foreach (byte part in field[1..])
            {
                if (value is > (long.MaxValue >> 8) or < (long.MinValue >> 8))
                {
                    return false;
                }

                value = (value << 8) | part;
            }

            return true;
        }

        field = field.TrimStart(" \0"u8);
        int end = field.IndexOfAny((byte)' ', (byte)0);
        foreach (byte digit in end < 0 ? field : field[..end])
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return false;
            }

            value = (value << 3) | (uint)(digit - '0');
        }

        return true; // 12 digits hold 36 bits: no overflow.
    }

    ReadOnlySpan<byte> Text(int offset, int length)
    {
        var field = block.Slice(offset, length);
        int end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }
}
