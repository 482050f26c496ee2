using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>The records of a PAX header: what they say of the entry that follows takes precedence over its own header.</summary>
/// <remarks>
/// POSIX.1-2017, pax, "pax Extended Header"; SCHILY.*: star(5); LIBARCHIVE.xattr.*: tar(5) of libarchive; GNU.sparse.*: GNU tar manual, "Storing Sparse Files".
/// Values are bytes: extended attributes are binary, and names need not be UTF-8, whatever hdrcharset says.
/// </remarks>
sealed class TarExtendedHeader
{
    public byte[]? Path { get; private set; }

    public byte[]? LinkPath { get; private set; }

    public long? Size { get; private set; }

    public long? Owner { get; private set; }

    public long? Group { get; private set; }

    public Timestamp? ModificationTime { get; private set; }

    public Timestamp? AccessTime { get; private set; }

    public long? DeviceMajor { get; private set; }

    public long? DeviceMinor { get; private set; }

    public List<TarAttribute> Attributes { get; } = [];

    public TarSparseHeader? Sparse { get; private set; }

    /// <summary>Forgets everything but what a global header said before.</summary>
    public void StartFrom(TarExtendedHeader? global)
    {
        (Path, LinkPath, Size, DeviceMajor, DeviceMinor, Sparse) = (null, null, null, null, null, null);
        (Owner, Group, ModificationTime, AccessTime) = (global?.Owner, global?.Group, global?.ModificationTime, global?.AccessTime);
        Attributes.Clear();
    }

    /// <param name="records">Each <c>length SPACE keyword = value NEWLINE</c>, the length counting itself and the newline.</param>
    /// <returns>Null, or what is wrong as the rest of a sentence.</returns>
    public string? Read(ReadOnlySpan<byte> records, bool global, UnpackLimits limits)
    {
        // Some archivers pad with NULs within the header's length.
        for (; !records.TrimStart((byte)0).IsEmpty;)
        {
            if (!Utf8Parser.TryParse(records, out int length, out int digits) || length < digits + 3 || length > records.Length
                || records[digits] != ' ' || records[length - 1] != '\n')
            {
                return "has a PAX header with a malformed record";
            }

            var record = records[(digits + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals <= 0)
            {
                return "has a PAX header with a record without a keyword";
            }

            if (!TryTake(record[..equals], record[(equals + 1)..]))
            {
                return $"has a PAX header with a bad value for '{LayerException.Printable(KernelString.Decode(record[..equals]))}'";
            }

            if (global && DescribesOneFile)
            {
                return $"has a global PAX header with '{LayerException.Printable(KernelString.Decode(record[..equals]))}', which describes single files";
            }

            if (Attributes.Count > limits.Attributes)
            {
                return $"has more than {limits.Attributes} extended attributes";
            }

            records = records[length..];
        }

        return null;
    }

    bool DescribesOneFile =>
        Path is not null || LinkPath is not null || Size is not null || DeviceMajor is not null || DeviceMinor is not null
        || Attributes.Count > 0 || Sparse is not null;

    bool TryTake(ReadOnlySpan<byte> keyword, ReadOnlySpan<byte> value)
    {
        if (keyword.StartsWith("SCHILY.xattr."u8))
        {
            return TryAddAttribute(keyword["SCHILY.xattr.".Length..], value.ToArray());
        }

        if (keyword.StartsWith("LIBARCHIVE.xattr."u8))
        {
            return TryDecodeBase64(value, out var decoded) && TryAddAttribute(DecodeUrl(keyword["LIBARCHIVE.xattr.".Length..]), decoded);
        }

        if (keyword.StartsWith("GNU.sparse."u8))
        {
            return (Sparse ??= new TarSparseHeader()).TryTake(keyword["GNU.sparse.".Length..], value);
        }

        // An empty value takes back what an earlier header said.
        switch (Encoding.UTF8.GetString(keyword))
        {
            case "path": Path = value.IsEmpty ? null : value.ToArray(); return true;
            case "linkpath": LinkPath = value.IsEmpty ? null : value.ToArray(); return true;
            case "size": return TryNumber(value, out long? size) && (Size = size) is null or >= 0;
            case "uid": return TryNumber(value, out long? owner) && (Owner = owner) is null or >= 0;
            case "gid": return TryNumber(value, out long? group) && (Group = group) is null or >= 0;
            case "SCHILY.devmajor": return TryNumber(value, out long? major) && (DeviceMajor = major) is null or >= 0;
            case "SCHILY.devminor": return TryNumber(value, out long? minor) && (DeviceMinor = minor) is null or >= 0;
            case "mtime":
                bool valid = TryTime(value, out var modification);
                ModificationTime = modification;
                return valid;
            case "atime":
                valid = TryTime(value, out var access);
                AccessTime = access;
                return valid;
            default: return true;
        }
    }

    bool TryAddAttribute(ReadOnlySpan<byte> nameBytes, byte[] value)
    {
        if (nameBytes.IsEmpty || nameBytes.Length > 255 || nameBytes.Contains((byte)0) || value.Length > 65536)
        {
            return false;
        }

        string name = KernelString.Decode(nameBytes);
        Attributes.RemoveAll(attribute => attribute.Name == name);
        Attributes.Add(new TarAttribute(name, value));
        return true;
    }

    /// <summary>Base64 as libarchive writes it: without padding.</summary>
    static bool TryDecodeBase64(ReadOnlySpan<byte> text, out byte[] decoded)
    {
        text = text.TrimEnd((byte)'=');
        var padded = new byte[(text.Length + 3) / 4 * 4];
        text.CopyTo(padded);
        padded.AsSpan(text.Length).Fill((byte)'=');
        decoded = new byte[padded.Length / 4 * 3];
        bool valid = Base64.DecodeFromUtf8(padded, decoded, out _, out int written) == System.Buffers.OperationStatus.Done;
        decoded = decoded[..written];
        return valid;
    }

    static byte[] DecodeUrl(ReadOnlySpan<byte> text)
    {
        var decoded = new List<byte>(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && byte.TryParse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte escaped))
            {
                decoded.Add(escaped);
                i += 2;
            }
            else
            {
                decoded.Add(text[i]);
            }
        }

        return [.. decoded];
    }

    internal static bool TryNumber(ReadOnlySpan<byte> text, out long? value)
    {
        bool valid = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number);
        value = valid ? number : null;
        return valid || text.IsEmpty;
    }

    /// <summary>Seconds since 1970 with any number of decimals, possibly before 1970; what is finer than nanoseconds is dropped downwards.</summary>
    internal static bool TryTime(ReadOnlySpan<byte> text, out Timestamp? time)
    {
        time = null;
        if (text.IsEmpty)
        {
            return true;
        }

        int point = text.IndexOf((byte)'.');
        var whole = point < 0 ? text : text[..point];
        var decimals = point < 0 ? [] : text[(point + 1)..];
        bool negative = whole.StartsWith("-"u8);
        if (!long.TryParse(whole, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long seconds) || decimals.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return false;
        }

        long nanoseconds = 0;
        for (int i = 0; i < 9; i++)
        {
            nanoseconds = (nanoseconds * 10) + (i < decimals.Length ? decimals[i] - '0' : 0);
        }

        if (negative && decimals.ContainsAnyExcept((byte)'0'))
        {
            nanoseconds += decimals.Length > 9 && decimals[9..].ContainsAnyExcept((byte)'0') ? 1 : 0;
            (seconds, nanoseconds) = (seconds - (nanoseconds > 0 ? 1 : 0), nanoseconds > 0 ? 1_000_000_000 - nanoseconds : 0);
        }

        time = new Timestamp(seconds, nanoseconds);
        return true;
    }
}
