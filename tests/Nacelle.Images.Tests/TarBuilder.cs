using System.Globalization;
using System.Text;

namespace Nacelle.Images.Tests;

/// <summary>Writes archives byte by byte, also such as no archiver would write.</summary>
sealed class TarBuilder
{
    readonly MemoryStream output = new();

    public static byte[] Octal(long value, int width) => Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(width - 1, '0') + "\0");

    public TarBuilder File(string name, string content = "", int mode = 0x1A4) => Entry('0', name, Encoding.UTF8.GetBytes(content), mode: mode);

    public TarBuilder Directory(string name, int mode = 0x1ED) => Entry('5', name, mode: mode);

    public TarBuilder Symlink(string name, string target) => Entry('2', name, link: target, mode: 0x1FF);

    public TarBuilder HardLink(string name, string target) => Entry('1', name, link: target);

    public TarBuilder Device(char type, string name, int major, int minor) => Entry(type, name, change: header =>
    {
        Octal(major, 8).CopyTo(header, 329);
        Octal(minor, 8).CopyTo(header, 337);
    });

    /// <param name="change">Changes the header before its checksum is computed.</param>
    public TarBuilder Entry(
        char type, string name, byte[]? content = null, string link = "", int mode = 0x1A4, long owner = 0, long group = 0, long time = 1_600_000_000,
        Action<byte[]>? change = null)
    {
        content ??= [];
        var header = new byte[512];
        Encoding.Latin1.GetBytes(name).AsSpan().CopyTo(header);
        Octal(mode, 8).CopyTo(header, 100);
        Octal(owner, 8).CopyTo(header, 108);
        Octal(group, 8).CopyTo(header, 116);
        Octal(content.Length, 12).CopyTo(header, 124);
        Octal(time, 12).CopyTo(header, 136);
        header[156] = (byte)type;
        Encoding.Latin1.GetBytes(link).AsSpan().CopyTo(header.AsSpan(157));
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        change?.Invoke(header);
        return Header(header).Raw(content).Raw(new byte[-content.Length & 511]);
    }

    /// <summary>A header as it is, but for the checksum.</summary>
    public TarBuilder Header(byte[] header)
    {
        "        "u8.CopyTo(header.AsSpan(148));
        Octal(header.Sum(part => part), 8).CopyTo(header, 148);
        return Raw(header);
    }

    public TarBuilder Raw(byte[] bytes)
    {
        output.Write(bytes);
        return this;
    }

    /// <summary>A PAX header; values are Latin-1, so that every byte can be given.</summary>
    public TarBuilder Pax(params (string Key, string Value)[] records) => Entry('x', "PaxHeaders/x", [.. records.SelectMany(record => Record(record.Key, record.Value))]);

    public TarBuilder GlobalPax(params (string Key, string Value)[] records) => Entry('g', "PaxHeaders/g", [.. records.SelectMany(record => Record(record.Key, record.Value))]);

    public TarBuilder GnuLongName(string name) => Entry('L', "././@LongLink", Encoding.Latin1.GetBytes(name + "\0"));

    public TarBuilder GnuLongLink(string name) => Entry('K', "././@LongLink", Encoding.Latin1.GetBytes(name + "\0"));

    public byte[] Bytes(int endBlocks = 2)
    {
        Raw(new byte[512 * endBlocks]);
        return output.ToArray();
    }

    public MemoryStream Stream(int endBlocks = 2) => new(Bytes(endBlocks));

    static byte[] Record(string key, string value)
    {
        int rest = key.Length + value.Length + 3, length = rest;
        while (length != rest + length.ToString(CultureInfo.InvariantCulture).Length)
        {
            length = rest + length.ToString(CultureInfo.InvariantCulture).Length;
        }

        return Encoding.Latin1.GetBytes($"{length} {key}={value}\n");
    }
}
