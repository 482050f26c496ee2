using System.Buffers.Binary;
using System.Numerics;
using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Writes an EROFS image, uncompressed: all inodes, each with its attributes and the end of its content, and behind them whole blocks of content.</summary>
/// <remarks>
/// Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h, Linux 5.15 (files without content are "chunk-based", with a hole for a chunk). The same tree always gives the
/// same bytes: nothing in the image tells when or where it was made.
/// </remarks>
sealed class ErofsWriter
{
    public const int BlockSize = 4096;

    const int SuperblockOffset = 1024, SuperblockSize = 128, InodeSize = 64, Slot = 32, ChunkEntrySize = 4;
    const int BlockBits = 12, LongestChunkBits = BlockBits + 31;
    const uint Magic = 0xE0F5E1E2, FeatureModificationTime = 2, FeatureChunkedFile = 4;

    enum Layout
    {
        Plain = 0,
        InlineTail = 2,
        ChunkBased = 4,
    }

    readonly List<(ErofsInode Inode, ErofsInode Parent)> inodes = [];
    readonly Stream output;
    long position = SuperblockOffset + SuperblockSize;
    uint blocks;

    ErofsWriter(Stream output) => this.output = output;

    /// <param name="root">A directory. Number, length and place of all inodes are set here.</param>
    /// <exception cref="OverflowException">An inode has more attributes than fit, or a file or the image is larger than the format allows.</exception>
    public static void Write(ErofsInode root, Stream output)
    {
        var writer = new ErofsWriter(output);
        root.Links = 2;
        writer.Place(root, root);
        writer.WriteImage();
    }

    /// <summary>Gives an inode its place, and then those below it.</summary>
    void Place(ErofsInode inode, ErofsInode parent)
    {
        bool isDirectory = inode.Kind == FileKind.Directory;
        inode.Length = isDirectory ? ErofsDirectory.LengthOf(ErofsDirectory.Sort(inode, parent)) : inode.Content?.Length ?? 0;
        int head = InodeSize + ErofsAttributes.LengthOf(inode.Attributes), tail = (int)(inode.Length % BlockSize);
        inode.TailIsInline = tail > 0 && head + tail <= BlockSize;
        position = Align(position, Slot);
        if (inode.TailIsInline && (position + head) % BlockSize + tail > BlockSize)
        {
            position = Align(position, BlockSize); // the tail must not reach into another block
        }

        inode.Number = (ulong)position / Slot;
        inode.FirstBlock = blocks;
        position += head + (inode.TailIsInline ? tail : inode.Hole > 0 ? ChunkEntrySize : 0);
        blocks = checked(blocks + (uint)(inode.TailIsInline ? inode.Length / BlockSize : Align(inode.Length, BlockSize) / BlockSize));
        inodes.Add((inode, parent));
        if (!isDirectory)
        {
            return;
        }

        foreach (var (_, child) in inode.Entries.OrderBy(entry => entry.Name, Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b))))
        {
            child.Links++;
            if (child.Kind == FileKind.Directory)
            {
                inode.Links++;
                child.Links = 2;
            }

            if (child.Number == 0)
            {
                Place(child, inode);
            }
        }
    }

    void WriteImage()
    {
        uint firstBlock = checked((uint)(Align(position, BlockSize) / BlockSize));
        position = 0;
        Pad(SuperblockOffset);
        Put(Superblock(checked(firstBlock + blocks)));
        for (int i = 0; i < inodes.Count; i++)
        {
            Pad((long)inodes[i].Inode.Number * Slot);
            WriteInode(i, firstBlock);
        }

        Pad((long)firstBlock * BlockSize);
        foreach (var (inode, parent) in inodes)
        {
            long length = inode.TailIsInline ? inode.Length / BlockSize * BlockSize : inode.Length;
            if (length > 0)
            {
                Put(ContentOf(inode, parent).AsSpan(0, (int)length));
                Pad(Align(position, BlockSize));
            }
        }
    }

    byte[] Superblock(uint allBlocks)
    {
        var block = new byte[SuperblockSize];
        Write32(block, 0, Magic);
        Write32(block, 8, FeatureModificationTime);
        block[12] = BlockBits;
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(14), checked((ushort)inodes[0].Inode.Number));
        BinaryPrimitives.WriteUInt64LittleEndian(block.AsSpan(16), (ulong)inodes.Count);
        Write32(block, 36, allBlocks);
        Write32(block, 80, FeatureChunkedFile);
        return block;
    }

    void WriteInode(int index, uint firstBlock)
    {
        var (inode, parent) = inodes[index];
        int attributes = ErofsAttributes.LengthOf(inode.Attributes);
        bool isHole = inode.Hole > 0;
        var layout = isHole ? Layout.ChunkBased : inode.TailIsInline ? Layout.InlineTail : Layout.Plain;
        var head = new byte[InodeSize + attributes];
        BinaryPrimitives.WriteUInt16LittleEndian(head, (ushort)(1 | (int)layout << 1)); // 1: the inode of 64 bytes
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(2), ErofsAttributes.CountOf(attributes));
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(4), (ushort)inode.Mode);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(8), isHole ? inode.Hole : inode.Length);
        Write32(head, 16, inode.Kind is FileKind.CharacterDevice or FileKind.BlockDevice ? EncodeDevice(inode.Device)
            : isHole ? ChunkFormat(inode.Hole)
            : firstBlock + inode.FirstBlock);
        Write32(head, 20, (uint)index + 1);
        Write32(head, 24, inode.Owner);
        Write32(head, 28, inode.Group);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(32), inode.ModificationTime.Seconds);
        Write32(head, 40, (uint)inode.ModificationTime.Nanoseconds);
        Write32(head, 44, inode.Links);
        if (attributes > 0)
        {
            ErofsAttributes.Encode(inode.Attributes, head.AsSpan(InodeSize));
        }

        Put(head);
        if (isHole)
        {
            Put([0xFF, 0xFF, 0xFF, 0xFF]); // one chunk, which is nowhere
        }
        else if (inode.TailIsInline)
        {
            Put(ContentOf(inode, parent).AsSpan((int)(inode.Length / BlockSize * BlockSize)));
        }
    }

    static byte[] ContentOf(ErofsInode inode, ErofsInode parent)
    {
        if (inode.Kind != FileKind.Directory)
        {
            return inode.Content!;
        }

        var packed = new byte[inode.Length];
        ErofsDirectory.Pack(ErofsDirectory.Sort(inode, parent), packed);
        return packed;
    }

    /// <summary>The size of a chunk, as powers of two above that of a block: one that takes the whole file.</summary>
    static uint ChunkFormat(long length)
    {
        int bits = Math.Max(BlockBits, 64 - BitOperations.LeadingZeroCount((ulong)length - 1));
        return bits <= LongestChunkBits ? (uint)(bits - BlockBits) : throw new OverflowException($"a file has {length} bytes, which EROFS cannot say");
    }

    /// <summary>As makedev(3), in 32 bits.</summary>
    static uint EncodeDevice(DeviceNumber device) => (device.Minor & 0xFF) | device.Major << 8 | (device.Minor & ~0xFFu) << 12;

    static long Align(long offset, int to) => (offset + to - 1) / to * to;

    static void Write32(byte[] at, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(at.AsSpan(offset), value);

    void Put(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        position += bytes.Length;
    }

    void Pad(long until)
    {
        Span<byte> zeros = stackalloc byte[BlockSize];
        zeros.Clear();
        while (position < until)
        {
            Put(zeros[..(int)Math.Min(BlockSize, until - position)]);
        }
    }
}
