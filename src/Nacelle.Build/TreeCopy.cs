using Nacelle.Linux;

namespace Nacelle.Build;

/// <summary>Copies from a tree into a mounted root file system, by the rules of COPY.</summary>
/// <remarks>
/// What is mounted came from images and commands: every directory there is opened with openat2 in the mount as its root, so links in it mean what they
/// would mean inside, and files are made by name in an open directory without following anything.
/// </remarks>
sealed class TreeCopy(SourceTree tree, FileDescriptor target, CopyRules rules, CancellationToken cancellation)
{
    const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory;

    readonly Dictionary<(ulong Inode, DeviceNumber FileSystem), string> links = [];

    /// <summary>A directory's content goes into the destination, a file into it or in its place.</summary>
    /// <param name="destination">Absolute.</param>
    /// <param name="intoDirectory">The destination is a directory, whether it is there or not.</param>
    public void Copy(SourceItem item, string destination, bool intoDirectory)
    {
        if (item.Status.Kind == FileKind.Directory)
        {
            using var source = Files.Open(tree.Root, item.Path.Length == 0 ? "." : item.Path, DirectoryFlags, resolve: SourceTree.Inside);
            EnsureDirectory(target, destination, rules.ParentOwner).Dispose();
            CopyContent(source, item.Path.Length == 0 ? "" : item.Path + "/", "", destination.TrimEnd('/'));
            return;
        }

        if (!rules.Excludes.IsEmpty && rules.Excludes.Excludes(item.Name))
        {
            return;
        }

        var path = intoDirectory || IsDirectory(target, destination) ? $"{destination.TrimEnd('/')}/{item.Name}" : destination;
        using var file = TreeHash.OpenFile(tree, item);
        CopyFile(file, item.Status, path);
    }

    /// <summary>Makes a file of text, as heredocs and downloads do.</summary>
    public void Write(ReadOnlySpan<byte> content, string path, uint mode)
    {
        using var parent = EnsureDirectory(target, Parent(path), rules.ParentOwner);
        using var made = Create(parent, Last(path), path);
        Files.Write(made, content);
        Files.SetOwner(made, "", rules.ParentOwner.User, rules.ParentOwner.Group);
        Files.SetMode(made, rules.Mode?.Apply(mode, FileKind.Regular) ?? mode);
    }

    public static bool IsDirectory(FileDescriptor root, string path)
    {
        using var opened = Files.TryOpen(root, Relative(path), OpenFlags.Path | OpenFlags.Directory, out _, resolve: SourceTree.Inside);
        return opened is not null;
    }

    /// <summary>Opens a directory, making what is missing of its path.</summary>
    /// <exception cref="BuildException">Something on the way is no directory.</exception>
    public static FileDescriptor EnsureDirectory(FileDescriptor root, string path, (uint User, uint Group) owner)
    {
        var opened = Files.TryOpen(root, Relative(path), DirectoryFlags, out var error, resolve: SourceTree.Inside);
        if (opened is not null)
        {
            return opened;
        }

        if (error != Errno.ENOENT || path.Trim('/').Length == 0)
        {
            throw new BuildException($"{path} {Reason(error)}");
        }

        using var parent = EnsureDirectory(root, Parent(path), owner);
        if (Last(path) is "." or "..")
        {
            return Files.Open(root, Relative(path), DirectoryFlags, resolve: SourceTree.Inside);
        }

        if (!Files.EnsureDirectory(parent, Last(path)))
        {
            throw new BuildException($"{path} is a link to what is not there");
        }

        var made = Files.Open(parent, Last(path), DirectoryFlags | OpenFlags.NoFollow);
        Files.SetOwner(made, "", owner.User, owner.Group);
        Files.SetMode(made, 0x1ED);
        return made;
    }

    void CopyContent(FileDescriptor source, string prefix, string relative, string destination)
    {
        foreach (var (name, status) in tree.Entries(source, prefix))
        {
            cancellation.ThrowIfCancellationRequested();
            if (!rules.Excludes.IsEmpty && rules.Excludes.Excludes(relative + name) && (status.Kind != FileKind.Directory || !rules.Excludes.HasExceptions))
            {
                continue;
            }

            var path = $"{destination}/{name}";
            switch (status.Kind)
            {
                case FileKind.Directory:
                    CopyDirectory(source, name, status, prefix, relative, path);
                    break;
                case FileKind.Regular:
                    using (var file = TreeHash.OpenEntry(source, name, status, prefix, tree))
                    {
                        CopyFile(file, status, path);
                    }

                    break;
                default:
                    CopyOther(source, name, status, path);
                    break;
            }
        }
    }

    /// <summary>Attributes come last: until then the directory can be written to, and its time is the source's.</summary>
    void CopyDirectory(FileDescriptor parent, string name, FileStatus status, string prefix, string relative, string path)
    {
        using var source = TreeHash.OpenEntry(parent, name, status, prefix, tree);
        using var made = EnsureDirectory(target, path, (0, 0));
        CopyContent(source, $"{prefix}{name}/", $"{relative}{name}/", path);
        Describe(source, made, status);
    }

    void CopyFile(FileDescriptor source, FileStatus status, string path)
    {
        if (status.Links > 1 && !links.TryAdd((status.Inode, status.FileSystem), path))
        {
            LinkTo(links[(status.Inode, status.FileSystem)], path);
            return;
        }

        using var parent = EnsureDirectory(target, Parent(path), rules.ParentOwner);
        using var made = Create(parent, Last(path), path);
        if (status.Size > 0 && !Files.TryClone(source, made))
        {
            CopyData(source, made, status.Size);
        }

        Describe(source, made, status);
    }

    void CopyOther(FileDescriptor source, string name, FileStatus status, string path)
    {
        if (status is { Kind: FileKind.CharacterDevice, DeviceNumber: { Major: 0, Minor: 0 } })
        {
            throw new BuildException($"{path} would be a character device 0/0, which means to layers that the name is removed");
        }

        using var parent = EnsureDirectory(target, Parent(path), rules.ParentOwner);
        var last = Last(path);
        MakeRoom(parent, last, path);
        if (status.Kind == FileKind.Symlink)
        {
            Files.MakeSymlink(Files.ReadLink(source, name), parent, last);
        }
        else
        {
            Files.MakeNode(parent, last, (uint)status.Kind | 0x180, status.Kind == FileKind.Pipe ? 0 : status.DeviceNumber.Encoded);
        }

        var (user, group) = rules.OwnerOf(tree, status);
        Files.SetOwner(parent, last, user, group);
        if (status.Kind != FileKind.Symlink)
        {
            Files.SetMode(parent, last, rules.ModeOf(tree, status));
        }

        Files.SetTimes(parent, last, status.ModificationTime, status.ModificationTime);
    }

    /// <summary>An owner's change clears set-user-ID and capabilities (chown(2)), so it comes first; the time comes last.</summary>
    void Describe(FileDescriptor source, FileDescriptor made, FileStatus status)
    {
        var (user, group) = rules.OwnerOf(tree, status);
        Files.SetOwner(made, "", user, group);
        foreach (var attribute in CopyRules.AttributesOf(source))
        {
            ExtendedAttributes.Set(made, attribute, ExtendedAttributes.Get(source, attribute));
        }

        Files.SetMode(made, rules.ModeOf(tree, status));
        Files.SetTimes(made, "", status.ModificationTime, status.ModificationTime);
    }

    void CopyData(FileDescriptor source, FileDescriptor made, long size)
    {
        // In pieces, so that an interrupted build need not wait for a large file; what grows meanwhile is copied as it was.
        const long Piece = 64 << 20;
        for (long at = 0; at < size; at += Piece)
        {
            cancellation.ThrowIfCancellationRequested();
            long length = Math.Min(Piece, size - at);
            if (!Files.TryCopyRange(source, made, at, length))
            {
                CopyThroughMemory(source, made, at, length);
            }
        }
    }

    static void CopyThroughMemory(FileDescriptor source, FileDescriptor made, long at, long length)
    {
        Files.Seek(source, at, SeekOrigin.Begin);
        Files.Seek(made, at, SeekOrigin.Begin);
        var buffer = new byte[(int)Math.Min(length, 256 * 1024)];
        for (int count; length > 0 && (count = Files.Read(source, buffer.AsSpan(0, (int)Math.Min(length, buffer.Length)))) > 0; length -= count)
        {
            Files.Write(made, buffer.AsSpan(0, count));
        }
    }

    void LinkTo(string first, string path)
    {
        using var from = Files.Open(target, Relative(Parent(first)), OpenFlags.Path | OpenFlags.Directory, resolve: SourceTree.Inside);
        using var parent = EnsureDirectory(target, Parent(path), rules.ParentOwner);
        MakeRoom(parent, Last(path), path);
        Files.Link(from, Last(first), parent, Last(path));
    }

    static FileDescriptor Create(FileDescriptor parent, string name, string path)
    {
        MakeRoom(parent, name, path);
        return Files.Open(parent, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180);
    }

    static void MakeRoom(FileDescriptor parent, string name, string path)
    {
        switch (Files.TryUnlink(parent, name))
        {
            case Errno.None or Errno.ENOENT: break;
            case Errno.EISDIR or Errno.EPERM: throw new BuildException($"{path} is a directory, and a file shall be there");
            case var error: throw new KernelException($"remove {path}", error);
        }
    }

    static string Reason(Errno error) => error switch
    {
        Errno.ENOTDIR => "lies below what is no directory",
        Errno.ELOOP => "goes through links in a circle",
        _ => $"cannot be opened: {error}",
    };

    static string Relative(string path) => path.Trim('/') is { Length: > 0 } relative ? relative : ".";

    static string Parent(string path) => path.TrimEnd('/') is var trimmed && trimmed.LastIndexOf('/') is > 0 and var slash ? trimmed[..slash] : "/";

    static string Last(string path) => path.TrimEnd('/') is var trimmed ? trimmed[(trimmed.LastIndexOf('/') + 1)..] : "";
}
