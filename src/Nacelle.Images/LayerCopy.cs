using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Merges unpacked layers into one directory, as overlayfs would show them: for where overlayfs is not possible.</summary>
/// <remarks>Documentation/filesystems/overlayfs.rst. Content is shared with the layers where the file system can (reflink), and copied within the kernel otherwise.</remarks>
public sealed partial class LayerCopy
{
    const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;
    const int BufferSize = 128 * 1024;

    readonly FileDescriptor target;
    readonly OwnerPolicy owners;
    readonly OwnerShift shift;
    readonly CancellationToken cancellation;
    readonly Dictionary<(ulong Inode, DeviceNumber FileSystem), string> links = [];
    LayerSource? current;
    byte[]? buffer;

    LayerCopy(FileDescriptor target, OwnerPolicy owners, OwnerShift shift, CancellationToken cancellation) =>
        (this.target, this.owners, this.shift, this.cancellation) = (target, owners, shift, cancellation);

    /// <param name="layers">The lowest first.</param>
    /// <param name="target">Open, empty, nobody else's; not O_PATH.</param>
    /// <param name="shift">For user namespaces without idmapped mounts; file capabilities are made to count there.</param>
    /// <exception cref="LayerException">A file's owner lies outside the range.</exception>
    /// <exception cref="KernelException">No room, no right; the target is left half filled.</exception>
    public static void Flatten(
        IReadOnlyList<LayerSource> layers, FileDescriptor target, OwnerShift shift, OwnerPolicy owners = OwnerPolicy.Keep, CancellationToken cancellation = default)
    {
        var copy = new LayerCopy(target, owners, shift, cancellation);
        bool described = false;
        for (int i = Math.Max(0, layers.ToList().FindLastIndex(layer => layer.RootIsOpaque)); i < layers.Count; i++)
        {
            var layer = copy.current = layers[i];
            copy.links.Clear();
            var before = Files.Status(target);
            copy.CopyContent(layer.Root, target, "", layer.ImpliedDirectories);
            copy.Describe(layer.Root, target, "", described && layer.ImpliedDirectories.Contains("") ? before : null);
            described = true;
        }
    }

    void CopyContent(FileDescriptor from, FileDescriptor to, string prefix, IReadOnlySet<string> implied)
    {
        foreach (var (name, _) in Directories.List(from))
        {
            cancellation.ThrowIfCancellationRequested();
            var status = Files.Status(from, name);
            if (status.Kind == FileKind.Directory)
            {
                CopyDirectory(from, to, name, prefix + name, implied);
                continue;
            }

            Directories.RemoveTree(to, name);
            if (status.Kind != FileKind.CharacterDevice || status.DeviceNumber != default)
            {
                CopyFile(from, to, name, prefix + name, status);
            }
        }
    }

    void CopyDirectory(FileDescriptor from, FileDescriptor to, string name, string path, IReadOnlySet<string> implied)
    {
        using var source = Files.Open(from, name, DirectoryFlags);
        var existing = Files.TryStatus(to, name, out _);
        if (existing is not null && existing.Value.Kind != FileKind.Directory)
        {
            Directories.RemoveTree(to, name);
            existing = null;
        }

        if (existing is null)
        {
            Files.MakeDirectory(to, name, 0x1C0);
        }

        using var copy = Files.Open(to, name, DirectoryFlags);
        if (existing is { } found && (found.Permissions & 0x1C0) != 0x1C0)
        {
            Files.SetMode(copy, 0x1C0); // Without privileges a read-only directory could not be added to.
        }

        if (existing is not null && IsOpaque(source))
        {
            foreach (var (hidden, _) in Directories.List(copy))
            {
                Directories.RemoveTree(copy, hidden);
            }
        }

        CopyContent(source, copy, path + "/", implied);
        Describe(source, copy, path, implied.Contains(path) ? existing : null);
    }

    /// <summary>Gives a directory its attributes once its content is complete: the layer's, or those it had before.</summary>
    void Describe(FileDescriptor source, FileDescriptor copy, string path, FileStatus? before)
    {
        var status = before ?? Files.Status(source);
        if (before is null)
        {
            SetOwner(copy, "", path, status);
            foreach (var attribute in ExtendedAttributes.List(copy).Where(IsCopied))
            {
                ExtendedAttributes.Remove(copy, attribute);
            }

            CopyAttributes(source, copy);
        }

        Files.SetMode(copy, status.Permissions);
        Files.SetTimes(copy, "", status.AccessTime, status.ModificationTime);
    }

    void CopyFile(FileDescriptor from, FileDescriptor to, string name, string path, FileStatus status)
    {
        if (status.Links > 1 && !links.TryAdd((status.Inode, status.FileSystem), path))
        {
            LinkToCopy(links[(status.Inode, status.FileSystem)], to, name);
            return;
        }

        switch (status.Kind)
        {
            case FileKind.Regular:
                CopyRegular(from, to, name, path, status);
                return;
            case FileKind.Symlink:
                Files.MakeSymlink(Files.ReadLink(from, name), to, name);
                break;
            default:
                Files.MakeNode(to, name, status.Mode & 0xF1FF, status.DeviceNumber.Encoded);
                break;
        }

        SetOwner(to, name, path, status);
        foreach (var attribute in ExtendedAttributes.List(from, name).Where(IsCopied))
        {
            ExtendedAttributes.Set(to, name, attribute, ExtendedAttributes.Get(from, name, attribute));
        }

        if (status.Kind != FileKind.Symlink)
        {
            Files.SetMode(to, name, status.Permissions);
        }

        Files.SetTimes(to, name, status.AccessTime, status.ModificationTime);
    }

    void CopyRegular(FileDescriptor from, FileDescriptor to, string name, string path, FileStatus status)
    {
        using var source = Files.Open(from, name, OpenFlags.ReadOnly | OpenFlags.NoFollow);
        using var copy = Files.Open(to, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180);
        using var elsewhere = current!.TryOpenContent(source);
        if (status.Size > 0 && !Files.TryClone(elsewhere ?? source, copy))
        {
            CopyData(elsewhere ?? source, copy);
            Files.SetLength(copy, status.Size);
        }

        SetOwner(copy, "", path, status);
        CopyAttributes(source, copy);
        Files.SetMode(copy, status.Permissions);
        Files.SetTimes(copy, "", status.AccessTime, status.ModificationTime);
    }

    void CopyData(FileDescriptor source, FileDescriptor copy)
    {
        long end = 0;
        while (Files.NextData(source, end) is { } data)
        {
            if (!Files.TryCopyRange(source, copy, data.Start, data.End - data.Start))
            {
                Files.Seek(source, data.Start, SeekOrigin.Begin);
                Files.Seek(copy, data.Start, SeekOrigin.Begin);
                buffer ??= new byte[BufferSize];
                for (long left = data.End - data.Start; left > 0;)
                {
                    int count = Files.Read(source, buffer.AsSpan(0, (int)Math.Min(left, buffer.Length)));
                    if (count == 0)
                    {
                        throw new KernelException($"copy {source.Description}", Errno.EIO);
                    }

                    Files.Write(copy, buffer.AsSpan(0, count));
                    left -= count;
                }
            }

            end = data.End;
        }
    }

    /// <summary>The path is one that this copy has made, and is walked without following links all the same.</summary>
    void LinkToCopy(string path, FileDescriptor to, string name)
    {
        int slash = path.LastIndexOf('/');
        using var directory = slash < 0 ? null
            : Files.Open(target, path[..slash], OpenFlags.Path | OpenFlags.Directory, resolve: ResolveFlags.Beneath | ResolveFlags.NoSymlinks);
        Files.Link(directory ?? target, path[(slash + 1)..], to, name);
    }

    void SetOwner(FileDescriptor at, string name, string path, FileStatus status)
    {
        if (owners == OwnerPolicy.Ignore)
        {
            return;
        }

        if (!shift.TryApply(status.Owner, out uint owner) || !shift.TryApply(status.Group, out uint group))
        {
            throw new LayerException(path, $"belongs to {status.Owner}:{status.Group}, and the user namespace has only {shift.Count} ids");
        }

        Files.SetOwner(at, name, owner, group);
    }

    void CopyAttributes(FileDescriptor source, FileDescriptor copy)
    {
        foreach (var attribute in ExtendedAttributes.List(source).Where(IsCopied))
        {
            var value = ExtendedAttributes.Get(source, attribute);
            ExtendedAttributes.Set(copy, attribute, value is not null && attribute == "security.capability" ? shift.ApplyToCapability(value) : value);
        }
    }

    static bool IsOpaque(FileDescriptor directory) =>
        ExtendedAttributes.Get(directory, "trusted.overlay.opaque") is [(byte)'y'] || ExtendedAttributes.Get(directory, "user.overlay.opaque") is [(byte)'y'];

    /// <summary>Overlayfs's own attributes have done their work, and a label of SELinux belongs to a place, not to a file's content.</summary>
    internal static bool IsCopied(string attribute) => !Whiteout.SteersOverlay(attribute) && attribute != "security.selinux";
}
