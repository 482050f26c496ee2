using System.Globalization;
using System.Text;
using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>What a tar archive says of a file, to be written.</summary>
public sealed record TarFile
{
    /// <summary>As <see cref="KernelString"/> has names; relative, without a slash at the end.</summary>
    public required string Name { get; init; }

    public required TarEntryKind Kind { get; init; }

    /// <summary>0 to 7777 octal.</summary>
    public uint Mode { get; init; }

    public uint Owner { get; init; }

    public uint Group { get; init; }

    /// <summary>Of a file, holes included; so many bytes of data follow, or of a sparse file those in its segments.</summary>
    public long Size { get; init; }

    /// <summary>Where the data of a sparse file lies, in order and without overlap; null for any other file.</summary>
    public IReadOnlyList<TarSegment>? Segments { get; init; }

    /// <summary>In seconds since 1970.</summary>
    public long Time { get; init; }

    /// <summary>What is to be added to <see cref="Time"/>: 0 to 999,999,999.</summary>
    public long Nanoseconds { get; init; }

    /// <summary>Of a hard link, the path in the archive; of a symlink, its text.</summary>
    public string Link { get; init; } = "";

    public DeviceNumber Device { get; init; }

    public IReadOnlyList<TarAttribute> Attributes { get; init; } = [];
}

/// <summary>Writes a tar archive: the same files always give the same bytes.</summary>
/// <remarks>
/// POSIX.1-2017, pax: ustar headers, and an extended header before those that hold what ustar cannot: long names, numbers that do not fit, names that are
/// not ASCII, times with a fraction, and extended attributes (SCHILY.xattr, star(5)), whose values are bytes. Sparse files are in GNU's format 1.0
/// (GNU tar's manual, "Storing Sparse Files"): the data begins with the map of where it lies.
/// </remarks>
public sealed class TarWriter(Stream stream)
{
    const int BlockSize = 512, NameSize = 100;

    readonly byte[] block = new byte[BlockSize];
    long remaining;
    int padding;

    /// <summary>Begins the next entry; the data of the one before must be complete.</summary>
    public void Begin(TarFile file)
    {
        End();
        var name = KernelString.Encode(file.Kind == TarEntryKind.Directory ? file.Name + "/" : file.Name);
        var link = KernelString.Encode(file.Link);
        byte[] map = file.Segments is { } segments ? Map(segments, file.Size) : [];
        long stored = file.Segments is null ? file.Size : map.Length + file.Segments.Sum(segment => segment.Length);
        var records = Records(file, stored, name, link);
        if (records.Length > 0)
        {
            var extended = file with { Mode = 0x1A4, Owner = 0, Group = 0, Time = 0, Device = default };
            WriteHeader(extended, records.Length, "PaxHeaders.0/"u8.ToArray().Concat(name.Take(NameSize - 14)).ToArray(), [], (byte)'x');
            stream.Write(records);
            Pad(records.Length);
        }

        WriteHeader(file, stored, name, link, (byte)file.Kind);
        remaining = stored;
        padding = (int)(-stored & (BlockSize - 1));
        Write(map);
    }

    /// <summary>Data of the current file.</summary>
    public void Write(ReadOnlySpan<byte> data)
    {
        if (data.Length > remaining)
        {
            throw new InvalidOperationException("more data than the header says");
        }

        stream.Write(data);
        remaining -= data.Length;
    }

    /// <summary>Ends the archive: two zero blocks. The stream stays open.</summary>
    public void Finish()
    {
        End();
        Array.Clear(block);
        stream.Write(block);
        stream.Write(block);
    }

    void End()
    {
        if (remaining > 0)
        {
            throw new InvalidOperationException($"{remaining} bytes are missing that the header promises");
        }

        Pad(-padding);
        padding = 0;
    }

    void Pad(long size)
    {
        Array.Clear(block);
        stream.Write(block.AsSpan(0, (int)(-size & (BlockSize - 1))));
    }

    void WriteHeader(TarFile file, long size, byte[] name, byte[] link, byte type)
    {
        Array.Clear(block);
        name.AsSpan(0, Math.Min(name.Length, NameSize)).CopyTo(block);
        WriteOctal(100, 8, file.Mode);
        WriteOctal(108, 8, file.Owner);
        WriteOctal(116, 8, file.Group);
        WriteOctal(124, 12, type == 'x' || file.Kind == TarEntryKind.File ? size : 0);
        WriteOctal(136, 12, Math.Max(0, file.Time));
        block[156] = type;
        link.AsSpan(0, Math.Min(link.Length, NameSize)).CopyTo(block.AsSpan(157));
        "ustar\000"u8.CopyTo(block.AsSpan(257));
        block[263] = block[264] = (byte)'0';
        WriteOctal(329, 8, file.Device.Major);
        WriteOctal(337, 8, file.Device.Minor);
        block.AsSpan(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte one in block)
        {
            sum += one;
        }

        WriteOctal(148, 7, sum);
        stream.Write(block);
    }

    /// <summary>Octal digits and a NUL; a number that does not fit has its place in the extended header, and zeros here.</summary>
    void WriteOctal(int at, int length, long value)
    {
        bool fits = Fits(value, length);
        for (int i = length - 2; i >= 0; i--)
        {
            block[at + i] = (byte)('0' + (fits ? value & 7 : 0));
            value >>= 3;
        }

        block[at + length - 1] = 0;
    }

    static bool Fits(long value, int length) => value >> (3 * (length - 1)) == 0;

    /// <summary>How many stretches of data there are, and of each where it begins and how long it is, on a line each; whole blocks.</summary>
    static byte[] Map(IReadOnlyList<TarSegment> segments, long size)
    {
        bool endsInHole = segments.Count == 0 || segments[^1].Offset + segments[^1].Length < size;
        IEnumerable<long> numbers = [segments.Count + (endsInHole ? 1 : 0), .. segments.SelectMany(segment => (long[])[segment.Offset, segment.Length]), .. endsInHole ? (long[])[size, 0] : []];
        var text = Encoding.ASCII.GetBytes(string.Concat(numbers.Select(number => number.ToString(CultureInfo.InvariantCulture) + "\n")));
        Array.Resize(ref text, (text.Length + BlockSize - 1) / BlockSize * BlockSize);
        return text;
    }

    static byte[] Records(TarFile file, long stored, byte[] name, byte[] link)
    {
        using var records = new MemoryStream();
        if (file.Segments is not null)
        {
            Add(records, "GNU.sparse.major", "1"u8);
            Add(records, "GNU.sparse.minor", "0"u8);
            Add(records, "GNU.sparse.name", name);
            Add(records, "GNU.sparse.realsize", Number(file.Size));
        }

        if (name.Length > NameSize || name.AsSpan().ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            Add(records, "path", name);
        }

        if (link.Length > NameSize || link.AsSpan().ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            Add(records, "linkpath", link);
        }

        AddNumber(records, "size", stored, 12);
        AddNumber(records, "uid", file.Owner, 8);
        AddNumber(records, "gid", file.Group, 8);
        if (file.Nanoseconds > 0)
        {
            Add(records, "mtime", Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{file.Time}.{file.Nanoseconds:000000000}")));
        }
        else
        {
            AddNumber(records, "mtime", file.Time, 12);
        }

        AddNumber(records, "SCHILY.devmajor", file.Device.Major, 8);
        AddNumber(records, "SCHILY.devminor", file.Device.Minor, 8);
        foreach (var attribute in file.Attributes.OrderBy(attribute => attribute.Name, StringComparer.Ordinal))
        {
            Add(records, "SCHILY.xattr." + attribute.Name, attribute.Value);
        }

        return records.ToArray();
    }

    static void AddNumber(MemoryStream records, string keyword, long value, int length)
    {
        if (!Fits(value, length))
        {
            Add(records, keyword, Number(value));
        }
    }

    static byte[] Number(long value) => Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture));

    /// <summary>A record begins with its own length, that number's digits included.</summary>
    static void Add(MemoryStream records, string keyword, ReadOnlySpan<byte> value)
    {
        var word = KernelString.Encode(keyword);
        int rest = word.Length + value.Length + 3, length = rest;
        while (rest + Digits(length) != length)
        {
            length = rest + Digits(length);
        }

        records.Write(Number(length));
        records.WriteByte((byte)' ');
        records.Write(word);
        records.WriteByte((byte)'=');
        records.Write(value);
        records.WriteByte((byte)'\n');
    }

    static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
}
