using System.Buffers;
using System.Security.Cryptography;
using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Reads a tar archive from front to end in one pass, in bounded memory, and hashes every byte of it on the way.</summary>
/// <remarks>
/// Understands ustar, PAX (POSIX.1-2017), GNU (long names, base-256 numbers, sparse files old and new), star and v7 archives.
/// Names and attribute values are bytes throughout: System.Formats.Tar decodes them as UTF-8 and so damages binary attributes.
/// The stream is read, not owned. Not for several threads at once.
/// </remarks>
public sealed partial class TarReader : IDisposable
{
    const int BufferSize = 128 * 1024;

    readonly Stream stream;
    readonly UnpackLimits limits;
    readonly IncrementalHash? hash;
    readonly TarExtendedHeader global = new(), extended = new();
    byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    int start, end;
    long remaining; // of the current entry's data
    int padding; // after it, up to the next block

    public TarReader(Stream stream, UnpackLimits limits, IncrementalHash? hash = null)
    {
        this.stream = stream;
        this.limits = limits;
        this.hash = hash;
    }

    /// <summary>The current entry, valid until the next <see cref="MoveNext"/>.</summary>
    public TarEntry Entry { get; } = new();

    /// <summary>Bytes taken from the stream so far.</summary>
    public long TotalBytes { get; private set; }

    /// <summary>Goes on to the next entry; what was not read of the current one's data is skipped.</summary>
    /// <returns>False at the end of the archive, once the stream has been read to its end.</returns>
    /// <exception cref="LayerException">The archive is damaged, truncated, or breaks a limit.</exception>
    public bool MoveNext()
    {
        SkipData();
        extended.StartFrom(global);
        byte[]? longName = null, longLink = null;
        bool described = false;
        while (TryReadHeader(out var block))
        {
            var header = new TarHeader(block);
            if (header.IsZero)
            {
                ReadEndMarker();
                break;
            }

            if (!header.ChecksumFits())
            {
                throw TotalBytes == end && start == TarHeader.Size
                    ? new LayerException("", "this is no tar archive: the checksum of the first header is wrong")
                    : Fault("is followed by a header whose checksum is wrong");
            }

            if (!described && header.Type is not (byte)'g')
            {
                // So that complaints about extended headers have a name to give.
                Entry.TrySetName([], header.Name);
            }

            described = true;
            switch (header.Type)
            {
                case (byte)'x' or (byte)'X':
                    extended.StartFrom(global);
                    Complain(extended.Read(ReadMetadata(header), global: false, limits));
                    break;
                case (byte)'g':
                    Complain(global.Read(ReadMetadata(header), global: true, limits));
                    extended.StartFrom(global);
                    break;
                case (byte)'L':
                    longName = TrimAtNul(ReadMetadata(header)).ToArray();
                    break;
                case (byte)'K':
                    longLink = TrimAtNul(ReadMetadata(header)).ToArray();
                    break;
                case (byte)'V': // A volume's label names no file.
                    remaining = Number(header.SizeField, "size");
                    SetPadding(remaining);
                    SkipData();
                    break;
                default:
                    Describe(header, longName, longLink);
                    return true;
            }
        }

        if (described && (longName ?? longLink ?? extended.Path) is not null)
        {
            throw Fault("has an extended header, and then the archive ends");
        }

        ReadToEnd();
        return false;
    }

    /// <summary>The next piece of the entry's stored data, valid until the next call; empty when there is no more.</summary>
    /// <param name="limit">At most so many bytes.</param>
    public ReadOnlySpan<byte> ReadData(long limit = long.MaxValue)
    {
        if (remaining == 0)
        {
            return [];
        }

        if (start == end && !Fill())
        {
            throw Fault("is cut off: the archive ends within its content");
        }

        int count = (int)Math.Min(Math.Min(remaining, limit), end - start);
        var piece = buffer.AsSpan(start, count);
        start += count;
        remaining -= count;
        return piece;
    }

    public void Dispose()
    {
        var rented = buffer;
        buffer = [];
        if (rented.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    void Describe(TarHeader header, byte[]? longName, byte[]? longLink)
    {
        // GNU's long name wins over a PAX path, as in GNU tar and Go's archive/tar: what scanned the image must have seen the same names.
        bool named = (longName ?? extended.Sparse?.Name ?? extended.Path) is { } name ? Entry.TrySetName([], name) : Entry.TrySetName(header.Prefix, header.Name);
        if (!named)
        {
            throw Fault("is followed by an entry whose name has a NUL in it or is too long");
        }

        if (!Entry.TrySetLink((longLink ?? extended.LinkPath) is { } link ? link : header.Link))
        {
            throw Fault("points to a name that has a NUL in it or is too long");
        }

        Entry.Kind = KindOf(header);
        Entry.Mode = (uint)Number(header.ModeField, "mode") & 0xFFF;
        Entry.Owner = Identity(extended.Owner ?? Number(header.OwnerField, "owner"), "owner");
        Entry.Group = Identity(extended.Group ?? Number(header.GroupField, "group"), "group");
        Entry.ModificationTime = extended.ModificationTime ?? new Timestamp(Number(header.TimeField, "modification time"), 0);
        Entry.AccessTime = extended.AccessTime ?? Entry.ModificationTime;
        Entry.Attributes.Clear();
        Entry.Attributes.AddRange(extended.Attributes);
        Entry.Segments = null;
        Entry.Size = 0;
        Entry.Device = Entry.Kind is TarEntryKind.CharacterDevice or TarEntryKind.BlockDevice
            ? new DeviceNumber(
                DevicePart(extended.DeviceMajor ?? Number(header.MajorField, "device number")),
                DevicePart(extended.DeviceMinor ?? Number(header.MinorField, "device number")))
            : default;

        long size = extended.Size ?? Number(header.SizeField, "size");
        if (size < 0)
        {
            throw Fault("has a negative size");
        }

        // Only files have data. Some archivers write the size of what a hard link points to, and some its data too.
        long stored = Entry.Kind == TarEntryKind.File || (Entry.Kind == TarEntryKind.HardLink && size > 0 && DataFollows()) ? size : 0;
        bool sparse = header.Type == 'S' || extended.Sparse is { RealSize: not null };
        if (sparse && Entry.Kind != TarEntryKind.File)
        {
            throw Fault("is sparse, and yet no file");
        }

        if (Entry.Kind == TarEntryKind.File)
        {
            Entry.Size = size;
        }

        if (header.Type == 'S')
        {
            ReadOldSparse(header);
        }

        remaining = stored;
        SetPadding(stored);
        if (sparse && header.Type != 'S')
        {
            ReadSparse(extended.Sparse!);
        }

        if (sparse && (Entry.Size < 0 || !TarSparse.IsSound(Entry.Segments!, Entry.Size, remaining)))
        {
            throw Fault("has a map of holes that contradicts itself");
        }
    }

    TarEntryKind KindOf(TarHeader header) => header.Type switch
    {
        // Before ustar, a directory was a file with a slash at its name's end.
        0 => Entry.Name.EndsWith("/"u8) ? TarEntryKind.Directory : TarEntryKind.File,
        (byte)'0' or (byte)'7' => TarEntryKind.File,
        (byte)'S' when header.IsGnu => TarEntryKind.File,
        (byte)'D' when header.IsGnu => throw Fault("belongs to an incremental backup, which is no layer"),
        (byte)'M' => throw Fault("continues a file of another volume, which is not here"),
        >= (byte)'1' and <= (byte)'6' => (TarEntryKind)header.Type,
        _ => throw Fault($"has the type '{LayerException.Printable(((char)header.Type).ToString())}', which no layer may have"),
    };

    /// <summary>
    /// Whether a hard link with a size has data after it. GNU tar and Go say never, pax -o linkdata writes some: where another header follows at once,
    /// there is none, so no archive that the former can read is read differently here.
    /// </summary>
    bool DataFollows()
    {
        if (!Buffered(TarHeader.Size))
        {
            return start != end; // Too short for a header: let the data be missed.
        }

        var next = new TarHeader(buffer.AsSpan(start, TarHeader.Size));
        return !next.IsZero && !next.ChecksumFits();
    }

    /// <summary>An extended header's whole content; it lies in memory until the next one.</summary>
    ReadOnlySpan<byte> ReadMetadata(TarHeader header)
    {
        long size = Number(header.SizeField, "header size");
        if (size < 0 || size > limits.HeaderBytes)
        {
            throw Fault($"has an extended header of {size} bytes: at most {limits.HeaderBytes} are read");
        }

        var content = new byte[size];
        remaining = size;
        SetPadding(size);
        for (int length = 0; length < size;)
        {
            var piece = ReadData();
            piece.CopyTo(content.AsSpan(length));
            length += piece.Length;
        }

        SkipData();
        return content;
    }

    void SkipData()
    {
        while (!ReadData().IsEmpty)
        {
        }

        // Archives of umoci's insert end with the last file's last byte, without padding and end marker; others read them, and so do we.
        remaining = padding;
        padding = 0;
        while (remaining > 0 && (start < end || Fill()))
        {
            ReadData();
        }

        remaining = 0;
    }

    void SetPadding(long size) => padding = (int)(-size & (TarHeader.Size - 1));

    /// <summary>A lone zero block ends the archive only when nothing but zeros follows it: what another reader would find behind it must not be lost.</summary>
    void ReadEndMarker()
    {
        if (TryReadHeader(out var second) && !new TarHeader(second).IsZero)
        {
            throw Fault("is followed by one zero block and then by more data: neither the end of the archive nor an entry");
        }
    }

    /// <summary>Everything behind the end marker is padding, but it counts for the digest.</summary>
    void ReadToEnd()
    {
        do
        {
            start = end = 0;
        }
        while (Fill());
    }

    bool TryReadHeader(out ReadOnlySpan<byte> block)
    {
        if (TryReadBlock(out block))
        {
            return true;
        }

        return start == end ? false : throw Fault("is followed by a part of a header: the archive is cut off");
    }

    bool TryReadBlock(out ReadOnlySpan<byte> block)
    {
        if (!Buffered(TarHeader.Size))
        {
            block = default;
            return false;
        }

        block = buffer.AsSpan(start, TarHeader.Size);
        start += TarHeader.Size;
        return true;
    }

    bool Buffered(int count)
    {
        while (end - start < count)
        {
            if (!Fill())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads more behind what is buffered. Invalidates spans handed out before.</summary>
    bool Fill()
    {
        if (start == end)
        {
            start = end = 0;
        }
        else if (buffer.Length - end < TarHeader.Size)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        int count = stream.Read(buffer.AsSpan(end));
        hash?.AppendData(buffer.AsSpan(end, count));
        end += count;
        TotalBytes += count;
        return TotalBytes <= limits.TarBytes ? count > 0 : throw new LayerException("", $"the archive is longer than {limits.TarBytes} bytes");
    }

    static ReadOnlySpan<byte> TrimAtNul(ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)0);
        return end < 0 ? text : text[..end];
    }

    long Number(ReadOnlySpan<byte> field, string what) =>
        TarHeader.TryNumber(field, out long value) ? value : throw Fault($"has a header whose {what} is not a number");

    uint Identity(long number, string what) =>
        number is >= 0 and < uint.MaxValue ? (uint)number : throw Fault($"has the {what} {number}, which no file can have");

    uint DevicePart(long number) =>
        number is >= 0 and <= uint.MaxValue ? (uint)number : throw Fault($"has the device number {number}, which no device can have");

    void Complain(string? rule)
    {
        if (rule is not null)
        {
            throw Fault(rule);
        }
    }

    LayerException Fault(string rule) => new(Entry.ToString(), rule);
}
