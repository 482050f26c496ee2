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

    /// <summary>Of a file; so many bytes of data follow.</summary>
    public long Size { get; init; }

    /// <summary>In seconds since 1970.</summary>
    public long Time { get; init; }

    /// <summary>Of a hard link, the path in the archive; of a symlink, its text.</summary>
    public string Link { get; init; } = "";

    public DeviceNumber Device { get; init; }

    public IReadOnlyList<TarAttribute> Attributes { get; init; } = [];
}

/// <summary>Writes a tar archive: the same files always give the same bytes.</summary>
/// <remarks>
/// POSIX.1-2017, pax: ustar headers, and an extended header before those that hold what ustar cannot: long names, numbers that do not fit, names that are
/// not ASCII, and extended attributes (SCHILY.xattr, star(5)), whose values are bytes. Times are whole seconds, as container tools keep them.
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
        var records = Records(file, name, link);
        if (records.Length > 0)
        {
            var extended = file with { Mode = 0x1A4, Owner = 0, Group = 0, Size = records.Length, Time = 0, Device = default };
            WriteHeader(extended, "PaxHeaders.0/"u8.ToArray().Concat(name.Take(NameSize - 14)).ToArray(), [], (byte)'x');
            stream.Write(records);
            Pad(records.Length);
        }

        WriteHeader(file, name, link, (byte)file.Kind);
        remaining = file.Size;
        padding = (int)(-file.Size & (BlockSize - 1));
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

    void WriteHeader(TarFile file, byte[] name, byte[] link, byte type)
    {
        Array.Clear(block);
        name.AsSpan(0, Math.Min(name.Length, NameSize)).CopyTo(block);
        WriteOctal(100, 8, file.Mode);
        WriteOctal(108, 8, file.Owner);
        WriteOctal(116, 8, file.Group);
        WriteOctal(124, 12, type == 'x' || file.Kind == TarEntryKind.File ? file.Size : 0);
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

    static byte[] Records(TarFile file, byte[] name, byte[] link)
    {
        using var records = new MemoryStream();
        if (name.Length > NameSize || name.AsSpan().ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            Add(records, "path", name);
        }

        if (link.Length > NameSize || link.AsSpan().ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            Add(records, "linkpath", link);
        }

        AddNumber(records, "size", file.Size, 12);
        AddNumber(records, "uid", file.Owner, 8);
        AddNumber(records, "gid", file.Group, 8);
        AddNumber(records, "mtime", file.Time, 12);
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
            Add(records, keyword, Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>A record begins with its own length, that number's digits included.</summary>
    static void Add(MemoryStream records, string keyword, byte[] value)
    {
        var word = KernelString.Encode(keyword);
        int rest = word.Length + value.Length + 3, length = rest;
        while (rest + Digits(length) != length)
        {
            length = rest + Digits(length);
        }

        records.Write(Encoding.ASCII.GetBytes(length.ToString(CultureInfo.InvariantCulture)));
        records.WriteByte((byte)' ');
        records.Write(word);
        records.WriteByte((byte)'=');
        records.Write(value);
        records.WriteByte((byte)'\n');
    }

    static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
}
