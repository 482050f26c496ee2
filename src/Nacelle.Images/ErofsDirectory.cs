using System.Buffers.Binary;
using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Packs the entries of a directory into blocks: in each its entries of 12 bytes, and behind them the names. The kernel searches by halving, so names are sorted as bytes.</summary>
/// <remarks>Documentation/filesystems/erofs.rst, "Directories".</remarks>
static class ErofsDirectory
{
    const int EntrySize = 12;

    /// <summary>All entries of a directory, "." and ".." too, in their order.</summary>
    public static (byte[] Name, ErofsInode Inode)[] Sort(ErofsInode directory, ErofsInode parent)
    {
        (byte[] Name, ErofsInode Inode)[] entries = [("."u8.ToArray(), directory), (".."u8.ToArray(), parent), .. directory.Entries];
        Array.Sort(entries, (a, b) => a.Name.AsSpan().SequenceCompareTo(b.Name));
        return entries;
    }

    /// <summary>The length of the packed directory: whole blocks, and what the last one holds.</summary>
    public static long LengthOf((byte[] Name, ErofsInode Inode)[] entries)
    {
        long length = 0;
        for (int start = 0; start < entries.Length;)
        {
            int end = EndOfBlock(entries, start, out int used);
            length += end < entries.Length ? ErofsWriter.BlockSize : used;
            start = end;
        }

        return length;
    }

    /// <param name="packed">Of the length of <see cref="LengthOf"/>, zeroed. All inodes have their numbers.</param>
    public static void Pack((byte[] Name, ErofsInode Inode)[] entries, Span<byte> packed)
    {
        for (int start = 0; start < entries.Length;)
        {
            int end = EndOfBlock(entries, start, out _), name = (end - start) * EntrySize;
            for (int i = start; i < end; i++)
            {
                var entry = packed[((i - start) * EntrySize)..];
                BinaryPrimitives.WriteUInt64LittleEndian(entry, entries[i].Inode.Number);
                BinaryPrimitives.WriteUInt16LittleEndian(entry[8..], (ushort)name);
                entry[10] = TypeOf(entries[i].Inode.Kind);
                entries[i].Name.CopyTo(packed[name..]);
                name += entries[i].Name.Length;
            }

            packed = end < entries.Length ? packed[ErofsWriter.BlockSize..] : default;
            start = end;
        }
    }

    static int EndOfBlock((byte[] Name, ErofsInode Inode)[] entries, int start, out int used)
    {
        used = 0;
        int end = start;
        while (end < entries.Length && used + EntrySize + entries[end].Name.Length <= ErofsWriter.BlockSize)
        {
            used += EntrySize + entries[end++].Name.Length;
        }

        return end;
    }

    /// <summary>As DT_* of readdir, but numbered without gaps.</summary>
    static byte TypeOf(FileKind kind) => kind switch
    {
        FileKind.Regular => 1,
        FileKind.Directory => 2,
        FileKind.CharacterDevice => 3,
        FileKind.BlockDevice => 4,
        FileKind.Pipe => 5,
        FileKind.Socket => 6,
        _ => 7,
    };
}
