using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Which times the files of a new layer get.</summary>
/// <param name="Seconds">Since 1970.</param>
/// <param name="All">Every file gets this time; otherwise only those that are later.</param>
public sealed record LayerTime(long Seconds, bool All)
{
    public long Of(Timestamp time) => All ? Seconds : Math.Min(time.Seconds, Seconds);
}

/// <summary>What becomes a layer and what does not.</summary>
public sealed record LayerContent
{
    public LayerTime? Time { get; init; }

    /// <summary>Told of every path that the layer would get, relative, and what is there; false keeps it out, and takes it away.</summary>
    public Func<string, FileStatus, bool> Keep { get; init; } = (_, _) => true;

    /// <summary>Whether the root's own attributes belong to the layer; otherwise those of the layers below hold.</summary>
    public bool Root { get; init; }
}

/// <summary>
/// Writes the upper directory of an overlay as a layer's archive, and makes of the directory itself what that archive would unpack to: the same times,
/// nothing that was left out, and of overlayfs's own attributes only "opaque".
/// </summary>
/// <remarks>
/// OCI image specification 1.1, layer.md: a whiteout (character device 0/0) becomes <c>.wh.NAME</c>, an opaque directory gets <c>.wh..wh..opq</c>.
/// Entries come sorted by name. Nothing of the directory is followed: whoever changed it may have put links anywhere.
/// </remarks>
sealed class LayerWriter
{
    const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;

    readonly TarWriter tar;
    readonly LayerContent content;
    readonly CancellationToken cancellation;
    readonly Dictionary<(ulong Inode, DeviceNumber FileSystem), string> links = [];
    readonly byte[] buffer = new byte[256 * 1024];

    LayerWriter(Stream stream, LayerContent content, CancellationToken cancellation) => (tar, this.content, this.cancellation) = (new TarWriter(stream), content, cancellation);

    public long Entries { get; private set; }

    public long UnpackedBytes { get; private set; }

    /// <param name="upper">Not mounted any more; not O_PATH.</param>
    public static LayerWriter Write(FileDescriptor upper, Stream stream, LayerContent content, CancellationToken cancellation)
    {
        var writer = new LayerWriter(stream, content, cancellation);
        var root = Files.Status(upper);
        if (content.Root)
        {
            writer.tar.Begin(writer.Describe(".", TarEntryKind.Directory, root) with { Attributes = TreeArchive.AttributesOf(upper) });
        }

        writer.WriteContent(upper, "");
        writer.StripOverlay(upper);
        if (content.Root)
        {
            writer.SetTime(upper, "", writer.TimeOf(root));
        }
        else
        {
            // As it is unpacked where no entry describes it: see LayerUnpacker.FinishDirectory.
            Files.SetOwner(upper, "", 0, 0);
            Files.SetMode(upper, 0x1ED);
            Files.SetTimes(upper, "", default, default);
        }

        writer.tar.Finish();
        return writer;
    }

    void WriteContent(FileDescriptor directory, string prefix)
    {
        foreach (var (name, _) in Directories.List(directory).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            var path = prefix + name;
            if (name.StartsWith(".wh.", StringComparison.Ordinal))
            {
                throw new LayerException(path, "has a name by which layers say that something is removed, so no layer can have it");
            }

            var status = Files.Status(directory, name);
            if (status.Kind == FileKind.Socket || !content.Keep(path, status))
            {
                Directories.RemoveTree(directory, name);
                continue;
            }

            if (status.Kind == FileKind.Directory)
            {
                WriteDirectory(directory, name, path, status);
                continue;
            }

            Entries++;
            if (status is { Kind: FileKind.CharacterDevice, DeviceNumber: { Major: 0, Minor: 0 } })
            {
                tar.Begin(new TarFile { Name = $"{prefix}.wh.{name}", Kind = TarEntryKind.File });
                continue;
            }

            WriteFile(directory, name, path, status);
        }
    }

    void WriteDirectory(FileDescriptor parent, string name, string path, FileStatus status)
    {
        using var directory = Files.Open(parent, name, DirectoryFlags);
        Entries++;
        tar.Begin(Describe(path, TarEntryKind.Directory, status) with { Attributes = TreeArchive.AttributesOf(directory) });
        if (ExtendedAttributes.Get(directory, "trusted.overlay.opaque") is [(byte)'y'])
        {
            tar.Begin(new TarFile { Name = $"{path}/.wh..wh..opq", Kind = TarEntryKind.File });
        }

        WriteContent(directory, path + "/");
        StripOverlay(directory);

        // Last, because what is taken out of a directory changes its time.
        SetTime(directory, "", TimeOf(status));
    }

    void WriteFile(FileDescriptor directory, string name, string path, FileStatus status)
    {
        if (status.Links > 1 && !links.TryAdd((status.Inode, status.FileSystem), path))
        {
            tar.Begin(Describe(path, TarEntryKind.HardLink, status) with { Link = links[(status.Inode, status.FileSystem)] });
            return;
        }

        var entry = Describe(path, status.Kind switch
        {
            FileKind.Regular => TarEntryKind.File,
            FileKind.Symlink => TarEntryKind.Symlink,
            FileKind.CharacterDevice => TarEntryKind.CharacterDevice,
            FileKind.BlockDevice => TarEntryKind.BlockDevice,
            _ => TarEntryKind.Pipe,
        }, status);
        if (status.Kind == FileKind.Regular)
        {
            using var file = Files.Open(directory, name, OpenFlags.ReadOnly | OpenFlags.NoFollow);
            tar.Begin(entry with { Size = status.Size, Attributes = TreeArchive.AttributesOf(file) });
            WriteData(file, status.Size);
            StripOverlay(file);
            UnpackedBytes += status.Size;
        }
        else
        {
            tar.Begin(entry with
            {
                Link = status.Kind == FileKind.Symlink ? Files.ReadLink(directory, name) : "",
                Device = status.Kind is FileKind.CharacterDevice or FileKind.BlockDevice ? status.DeviceNumber : default,
            });
        }

        SetTime(directory, name, entry.Time, status.ModificationTime);
    }

    void WriteData(FileDescriptor file, long size)
    {
        for (long left = size; left > 0;)
        {
            int count = Files.Read(file, buffer.AsSpan(0, (int)Math.Min(left, buffer.Length)));
            if (count == 0)
            {
                throw new KernelException($"read {file.Description}", Errno.EIO); // nobody writes to it any more, so it cannot have become shorter
            }

            tar.Write(buffer.AsSpan(0, count));
            left -= count;
            cancellation.ThrowIfCancellationRequested();
        }
    }

    TarFile Describe(string path, TarEntryKind kind, FileStatus status) => new()
    {
        Name = path,
        Kind = kind,
        Mode = status.Permissions,
        Owner = status.Owner,
        Group = status.Group,
        Time = TimeOf(status),
    };

    long TimeOf(FileStatus status) => Math.Max(0, content.Time?.Of(status.ModificationTime) ?? status.ModificationTime.Seconds);

    void StripOverlay(FileDescriptor file)
    {
        foreach (var name in ExtendedAttributes.List(file))
        {
            if (name.StartsWith("trusted.overlay.", StringComparison.Ordinal) && name != "trusted.overlay.opaque")
            {
                ExtendedAttributes.Remove(file, name);
            }
        }
    }

    void SetTime(FileDescriptor at, string name, long seconds, Timestamp? had = null)
    {
        var time = new Timestamp(seconds, 0);
        if (had != time)
        {
            Files.SetTimes(at, name, time, time);
        }
    }
}
