using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>What of a tree goes into an archive, and how it is told there.</summary>
public sealed record TreeArchiveOptions
{
    /// <summary>The users and groups of the tree that have numbers in the archive, from 0 up; all others are nobody there (65534).</summary>
    public OwnerShift Owners { get; init; } = OwnerShift.None;

    /// <summary>Told of every path in the archive, and what is there; false leaves it out, with all below.</summary>
    public Func<string, FileStatus, bool> Keep { get; init; } = (_, _) => true;

    /// <summary>Which times the files have in the archive; null for their own.</summary>
    public LayerTime? Time { get; init; }
}

/// <summary>Writes files and directories as a tar archive without changing them. Others may change them meanwhile, and put anything in the place of anything.</summary>
/// <remarks>
/// Every name is opened by itself in its directory's descriptor, without following links, and is looked at before it is read: neither a pipe nor a device
/// that takes a file's place is opened. What vanishes is left out, what becomes shorter is filled up with zeros, and what becomes longer is cut off.
/// The kernel's own file systems (proc and its like) are left out where a tree only contains them, and sockets everywhere. Entries come sorted by name.
/// </remarks>
public sealed class TreeArchive
{
    const uint Nobody = 65534;
    const int BufferSize = 256 * 1024, MostSegments = 10_000, LargestKernelFile = 64 << 20, DeepestPath = 256;

    readonly TarWriter tar;
    readonly TreeArchiveOptions options;
    readonly CancellationToken cancellation;
    readonly Dictionary<(ulong Inode, DeviceNumber FileSystem), string> links = [];
    readonly byte[] buffer = new byte[BufferSize];

    TreeArchive(Stream stream, TreeArchiveOptions options, CancellationToken cancellation) => (tar, this.options, this.cancellation) = (new TarWriter(stream), options, cancellation);

    /// <summary>Writes a file or a directory with all below it.</summary>
    /// <param name="entry">O_PATH; itself it may be a symlink.</param>
    /// <param name="name">What it is called in the archive.</param>
    /// <exception cref="LayerException">A directory lies too deep.</exception>
    public static void Write(Stream stream, FileDescriptor entry, string name, TreeArchiveOptions options, CancellationToken cancellation)
    {
        var archive = new TreeArchive(stream, options, cancellation);
        archive.WriteEntry(entry, name, Files.Status(entry), depth: 0);
        archive.tar.Finish();
    }

    /// <summary>Writes all that is in a directory.</summary>
    /// <inheritdoc cref="Write"/>
    public static void WriteContent(Stream stream, FileDescriptor directory, TreeArchiveOptions options, CancellationToken cancellation)
    {
        var archive = new TreeArchive(stream, options, cancellation);
        using var opened = Files.Open(directory, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
        archive.WriteContent(opened, "", Files.Status(opened), depth: 0);
        archive.tar.Finish();
    }

    void WriteContent(FileDescriptor directory, string prefix, FileStatus parent, int depth)
    {
        if (depth > DeepestPath)
        {
            throw new LayerException(prefix, $"lies deeper than {DeepestPath} directories");
        }

        foreach (var (name, _) in Directories.List(directory).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            using var entry = Files.TryOpen(directory, name, OpenFlags.Path | OpenFlags.NoFollow, out var error);
            if (entry is null)
            {
                _ = error == Errno.ENOENT ? true : throw new KernelException($"open {directory}/{name}", error);
                continue;
            }

            var status = Files.Status(entry);
            if (status.Kind != FileKind.Socket && options.Keep(prefix + name, status))
            {
                WriteEntry(entry, prefix + name, status, depth, status.FileSystem != parent.FileSystem);
            }
        }
    }

    /// <param name="entersFileSystem">Its directory lies on another file system.</param>
    void WriteEntry(FileDescriptor entry, string path, FileStatus status, int depth, bool entersFileSystem = false)
    {
        switch (status.Kind)
        {
            case FileKind.Directory:
                WriteDirectory(entry, path, status, depth, isEmpty: entersFileSystem && Files.IsOfKernel(entry));
                break;
            case FileKind.Socket:
                throw new LayerException(path, "is a socket: only who listens there can make one");
            case var _ when status.Links > 1 && !links.TryAdd((status.Inode, status.FileSystem), path):
                tar.Begin(Describe(path, TarEntryKind.HardLink, status) with { Link = links[(status.Inode, status.FileSystem)] });
                break;
            case FileKind.Regular:
                WriteFile(entry, path, status);
                break;
            case FileKind.Symlink:
                tar.Begin(Describe(path, TarEntryKind.Symlink, status) with { Link = Files.ReadLink(entry, "") });
                break;
            case FileKind.CharacterDevice or FileKind.BlockDevice:
                tar.Begin(Describe(path, status.Kind == FileKind.BlockDevice ? TarEntryKind.BlockDevice : TarEntryKind.CharacterDevice, status) with { Device = status.DeviceNumber });
                break;
            default:
                tar.Begin(Describe(path, TarEntryKind.Pipe, status));
                break;
        }
    }

    void WriteDirectory(FileDescriptor entry, string path, FileStatus status, int depth, bool isEmpty)
    {
        using var directory = Files.Open(entry, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
        tar.Begin(Describe(path, TarEntryKind.Directory, status) with { Attributes = AttributesOf(directory) });
        if (!isEmpty)
        {
            WriteContent(directory, path + "/", status, depth + 1);
        }
    }

    void WriteFile(FileDescriptor entry, string path, FileStatus status)
    {
        using var file = Files.Reopen(entry, OpenFlags.ReadOnly | OpenFlags.NonBlocking);
        var described = Describe(path, TarEntryKind.File, status) with { Attributes = AttributesOf(file) };
        if (status.Size == 0 || Files.IsOfKernel(file))
        {
            // The kernel's files say nothing true of their length.
            var content = ReadWhole(file, path);
            tar.Begin(described with { Size = content.Length });
            tar.Write(content.Span);
            return;
        }

        var segments = status.Blocks * 512 < status.Size ? FindSegments(file, status.Size) : null;
        tar.Begin(described with { Size = status.Size, Segments = segments });
        foreach (var (offset, length) in segments ?? [new TarSegment(0, status.Size)])
        {
            Files.Seek(file, offset, SeekOrigin.Begin);
            WriteData(file, length);
        }
    }

    ReadOnlyMemory<byte> ReadWhole(FileDescriptor file, string path)
    {
        using var content = new MemoryStream();
        for (int count; (count = Files.Read(file, buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            content.Write(buffer, 0, count);
            if (content.Length > LargestKernelFile)
            {
                throw new LayerException(path, $"says that it is empty, and has more than {LargestKernelFile} bytes");
            }
        }

        return content.GetBuffer().AsMemory(0, (int)content.Length);
    }

    /// <returns>Null where there are too many, or none of them are holes.</returns>
    static List<TarSegment>? FindSegments(FileDescriptor file, long size)
    {
        var segments = new List<TarSegment>();
        long end = 0;
        while (end < size && Files.NextData(file, end) is { } data && data.Start < size)
        {
            end = Math.Min(data.End, size);
            segments.Add(new TarSegment(data.Start, end - data.Start));
            if (segments.Count > MostSegments)
            {
                return null;
            }
        }

        return segments is [{ Offset: 0 } all] && all.Length == size ? null : segments;
    }

    void WriteData(FileDescriptor file, long length)
    {
        for (long left = length; left > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            var piece = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
            int count = Files.Read(file, piece);
            if (count == 0)
            {
                piece.Clear();
                count = piece.Length;
            }

            tar.Write(piece[..count]);
            left -= count;
        }
    }

    TarFile Describe(string path, TarEntryKind kind, FileStatus status) => new()
    {
        Name = path,
        Kind = kind,
        Mode = status.Permissions,
        Owner = Inside(status.Owner),
        Group = Inside(status.Group),
        Time = Math.Max(0, options.Time?.Of(status.ModificationTime) ?? status.ModificationTime.Seconds),
        Nanoseconds = options.Time is null && status.ModificationTime.Seconds >= 0 ? status.ModificationTime.Nanoseconds : 0,
    };

    uint Inside(uint id) => options.Owners.TryUndo(id, out uint inside) ? inside : Nobody;

    /// <summary>What belongs to the file and not to the place where it lies.</summary>
    internal static List<TarAttribute> AttributesOf(FileDescriptor file) =>
        [.. ExtendedAttributes.List(file).Where(LayerCopy.IsCopied).Select(name => new TarAttribute(name, ExtendedAttributes.Get(file, name) ?? []))];
}
