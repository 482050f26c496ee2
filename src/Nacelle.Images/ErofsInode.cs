using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>A file of an EROFS image that is to be written, whatever its kind; hard links are several names of one.</summary>
sealed class ErofsInode
{
    /// <summary>Kind and permission bits, as statx(2) has them.</summary>
    public required uint Mode { get; init; }

    public FileKind Kind => (FileKind)(Mode & 0xF000);

    public uint Owner { get; init; }

    public uint Group { get; init; }

    public Timestamp ModificationTime { get; init; }

    /// <summary>Of a device node.</summary>
    public DeviceNumber Device { get; init; }

    /// <summary>The bytes of a regular file, or where a symlink leads.</summary>
    public byte[]? Content { get; init; }

    /// <summary>Of a regular file without <see cref="Content"/>: so many bytes that are not there, and read as zeros.</summary>
    public long Hole { get; init; }

    public List<TarAttribute> Attributes { get; } = [];

    /// <summary>What a directory holds, in any order, without "." and "..".</summary>
    public List<(byte[] Name, ErofsInode Inode)> Entries { get; } = [];

    /// <summary>How many names it has; of a directory with its own "." and those ".." that lead to it.</summary>
    public uint Links { get; set; }

    /// <summary>Where the inode lies, in units of 32 bytes; 0 until it has a place.</summary>
    public ulong Number { get; set; }

    /// <summary>How many bytes of content the image has of it; of a directory its packed entries.</summary>
    public long Length { get; set; }

    /// <summary>The last piece of the content, that which fills no block, lies behind the inode.</summary>
    public bool TailIsInline { get; set; }

    /// <summary>The first block of the content, counted from the first one that holds any.</summary>
    public uint FirstBlock { get; set; }
}
