using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>What an entry stands for; the letters of the type flag. See tar(5) of POSIX.1-2017, pax, "ustar Interchange Format".</summary>
public enum TarEntryKind : byte
{
    File = (byte)'0',
    HardLink = (byte)'1',
    Symlink = (byte)'2',
    CharacterDevice = (byte)'3',
    BlockDevice = (byte)'4',
    Directory = (byte)'5',
    Pipe = (byte)'6',
}

/// <summary>A file's extended attribute: any bytes.</summary>
public readonly record struct TarAttribute(string Name, byte[] Value);

/// <summary>A stretch of data in a sparse file; what lies between stretches reads as zeros.</summary>
public readonly record struct TarSegment(long Offset, long Length);

/// <summary>One entry of an archive, all headers that describe it merged. The reader fills the same object again for the next entry.</summary>
public sealed class TarEntry
{
    /// <summary>The kernel's PATH_MAX without the terminating NUL.</summary>
    internal const int LongestName = 4095;

    readonly byte[] name = new byte[LongestName];
    readonly byte[] link = new byte[LongestName];
    int nameLength, linkLength;

    /// <summary>The path as the archive has it: bytes, without NUL, unchecked otherwise.</summary>
    public ReadOnlySpan<byte> Name => name.AsSpan(0, nameLength);

    /// <summary>Of a hard link, the path in the archive that it points to; of a symlink, its text.</summary>
    public ReadOnlySpan<byte> Link => link.AsSpan(0, linkLength);

    public TarEntryKind Kind { get; internal set; }

    /// <summary>Permission bits with set-user-ID, set-group-ID and sticky: 0 to 7777 octal.</summary>
    public uint Mode { get; internal set; }

    /// <summary>0 to 2^32 - 2: the last number means "nobody" to the kernel.</summary>
    public uint Owner { get; internal set; }

    public uint Group { get; internal set; }

    /// <summary>A file's length, holes included; 0 for everything else.</summary>
    public long Size { get; internal set; }

    public Timestamp ModificationTime { get; internal set; }

    /// <summary>Where the archive has none, the modification time.</summary>
    public Timestamp AccessTime { get; internal set; }

    public DeviceNumber Device { get; internal set; }

    public List<TarAttribute> Attributes { get; } = [];

    /// <summary>Where the data of a sparse file lies, in order and without overlap; null for any other file.</summary>
    public List<TarSegment>? Segments { get; internal set; }

    /// <summary>The name for messages.</summary>
    public override string ToString() => KernelString.Decode(Name);

    /// <summary>Makes the name relative to a directory of the archive, and so the target of a hard link.</summary>
    /// <returns>False when the name does not lie in the directory, nor is it; nothing is changed then.</returns>
    internal bool TryEnter(ReadOnlySpan<byte> directory)
    {
        if (!TryBelow(Name, directory, out var rest))
        {
            return false;
        }

        if (Kind == TarEntryKind.HardLink && TryBelow(Link, directory, out var target))
        {
            TrySetLink(target.ToArray());
        }

        return TrySetName([], rest.ToArray());
    }

    static bool TryBelow(ReadOnlySpan<byte> path, ReadOnlySpan<byte> directory, out ReadOnlySpan<byte> rest)
    {
        while (path.StartsWith("/"u8) || path.StartsWith("./"u8))
        {
            path = path[1..];
        }

        rest = path.StartsWith(directory) ? path[directory.Length..] : default;
        return path.StartsWith(directory) && (rest.IsEmpty || rest[0] == '/');
    }

    internal bool TrySetName(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> rest)
    {
        int length = prefix.Length == 0 ? rest.Length : prefix.Length + 1 + rest.Length;
        if (length > LongestName || prefix.Contains((byte)0) || rest.Contains((byte)0))
        {
            return false;
        }

        if (prefix.Length > 0)
        {
            prefix.CopyTo(name);
            name[prefix.Length] = (byte)'/';
        }

        rest.CopyTo(name.AsSpan(length - rest.Length));
        nameLength = length;
        return true;
    }

    internal bool TrySetLink(ReadOnlySpan<byte> text)
    {
        if (text.Length > LongestName || text.Contains((byte)0))
        {
            return false;
        }

        text.CopyTo(link);
        linkLength = text.Length;
        return true;
    }
}
