using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>The directories of a layer being unpacked, known by descriptor, so that no entry's path is ever walked by string.</summary>
/// <remarks>
/// Each component is opened or made in its parent's descriptor without following links. Symlinks that the layer itself has put in an entry's way are
/// followed here, component by component, with the layer's root as root: what a container would see. Descriptors are kept open for the directories used last.
/// Directories are made with mode 0700 and get their real attributes at the end: until then nobody else can look in, set-group-ID does not spread to new
/// files, default ACLs do not either, a directory may be read-only, and what is put into it does not spoil its time.
/// </remarks>
sealed class LayerTree : IDisposable
{
    const int OpenAtMost = 64, LinksAtMost = 40;
    const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;

    readonly UnpackLimits limits;
    readonly LinkedList<LayerDirectory> used = new();
    readonly byte[] lastPath = new byte[TarEntry.LongestName];
    LayerDirectory? last;
    int lastLength;

    public LayerTree(FileDescriptor root, UnpackLimits limits)
    {
        this.limits = limits;
        Root = new LayerDirectory(null, "") { Descriptor = root };
    }

    public LayerDirectory Root { get; }

    /// <summary>Files of all kinds that were made.</summary>
    public long Entries { get; private set; }

    /// <exception cref="LayerException">One more would be one too many.</exception>
    public void CountEntry(string entry)
    {
        if (++Entries > limits.Entries)
        {
            throw new LayerException(entry, $"is one too many: a layer has at most {limits.Entries} entries");
        }
    }

    /// <summary>The descriptor, valid until the next call.</summary>
    public FileDescriptor Open(LayerDirectory directory)
    {
        if (directory.Descriptor is { } open)
        {
            if (directory.Use is { } use && use != used.First)
            {
                used.Remove(use);
                used.AddFirst(use);
            }

            return open;
        }

        directory.Descriptor = Files.Open(Open(directory.Parent!), directory.Name, DirectoryFlags);
        directory.Use = used.AddFirst(directory);
        while (used.Count > OpenAtMost)
        {
            Close(used.Last!.Value);
        }

        return directory.Descriptor;
    }

    /// <summary>The directory at a path that an entry names, made where it is missing unless <paramref name="make"/> is false.</summary>
    /// <param name="path">Without "..", NUL and over-long components: see <see cref="LayerPath"/>.</param>
    /// <param name="entry">For messages.</param>
    /// <returns>Null where it is missing.</returns>
    public LayerDirectory? Resolve(ReadOnlySpan<byte> path, TarEntry entry, bool make)
    {
        if (last is not null && path.SequenceEqual(lastPath.AsSpan(0, lastLength)))
        {
            return last;
        }

        var directory = Walk(KernelString.Decode(path), entry, make);
        if (directory is not null && path.Length <= lastPath.Length)
        {
            path.CopyTo(lastPath);
            (last, lastLength) = (directory, path.Length);
        }

        return directory;
    }

    /// <summary>Finds or makes a directory in another; whatever else has its name gives way.</summary>
    public LayerDirectory Enter(LayerDirectory parent, string name, string entry)
    {
        if (parent.Children is { } children && children.TryGetValue(name, out var known))
        {
            return known;
        }

        if (parent.Depth >= limits.Depth)
        {
            throw new LayerException(entry, $"lies deeper than {limits.Depth} directories");
        }

        var at = Open(parent);
        bool found = false, replaces = false;
        if (!Files.EnsureDirectory(at, name, 0x1C0))
        {
            found = Files.Status(at, name).Kind == FileKind.Directory;
            if (!found)
            {
                Files.Unlink(at, name);
                Files.MakeDirectory(at, name, 0x1C0);
                replaces = true;
                last = null;
            }
        }

        CountEntry(entry);
        // A directory in the place of something else, a whiteout above all, has nothing to do with what lower layers have there.
        var made = new LayerDirectory(parent, name) { Found = found, Fresh = replaces };
        parent.Add(made);
        return made;
    }

    /// <summary>Makes way for something that is no directory.</summary>
    public void Remove(LayerDirectory parent, string name)
    {
        last = null;
        if (parent.Children?.Remove(name, out var directory) == true)
        {
            Forget(directory);
        }

        Directories.RemoveTree(Open(parent), name);
    }

    /// <summary>Every directory, children before their parent, with its descriptor; each is opened but once more.</summary>
    public void Finish(Action<LayerDirectory, FileDescriptor> finish) => Finish(Root, Root.Descriptor!, finish);

    public void Dispose()
    {
        while (used.Last is { } oldest)
        {
            Close(oldest.Value);
        }
    }

    LayerDirectory? Walk(string path, TarEntry entry, bool make)
    {
        var directory = Root;
        int links = 0;
        var rest = path.AsSpan();
        while (!(rest = rest.TrimStart('/')).IsEmpty)
        {
            int slash = rest.IndexOf('/');
            var name = (slash < 0 ? rest : rest[..slash]).ToString();
            rest = slash < 0 ? [] : rest[slash..];
            if (name is "." or "..")
            {
                // Only a symlink's text can have "..": the parent known here is the real one, and the root is its own.
                directory = name == "." ? directory : directory.Parent ?? directory;
                continue;
            }

            if (directory.Children is { } children && children.TryGetValue(name, out var child))
            {
                directory = child;
                continue;
            }

            var status = Files.TryStatus(Open(directory), name, out var error);
            if (status is null && error != Errno.ENOENT)
            {
                throw new KernelException($"stat {directory.Path}/{name}", error);
            }

            switch (status?.Kind)
            {
                case FileKind.Symlink:
                    var target = Files.ReadLink(Open(directory), name);
                    if (++links > LinksAtMost || target.Length + rest.Length > 2 * TarEntry.LongestName)
                    {
                        throw new LayerException(entry.ToString(), $"lies below '{LayerException.Printable(name)}', which leads through too many symlinks");
                    }

                    directory = target.StartsWith('/') ? Root : directory;
                    rest = $"{target}{rest}";
                    break;
                case FileKind.Directory:
                case FileKind.CharacterDevice when status.Value.DeviceNumber == default && make:
                case null when make:
                    directory = Enter(directory, name, entry.ToString());
                    break;
                case null:
                    return null;
                default:
                    throw new LayerException(entry.ToString(), $"lies below '{LayerException.Printable(name)}', which is no directory");
            }
        }

        return directory;
    }

    static void Finish(LayerDirectory directory, FileDescriptor descriptor, Action<LayerDirectory, FileDescriptor> finish)
    {
        foreach (var child in directory.Children?.Values ?? Enumerable.Empty<LayerDirectory>())
        {
            using var opened = child.Descriptor is null ? Files.Open(descriptor, child.Name, DirectoryFlags) : null;
            Finish(child, child.Descriptor ?? opened!, finish);
        }

        finish(directory, descriptor);
    }

    void Forget(LayerDirectory directory)
    {
        Close(directory);
        foreach (var child in directory.Children?.Values ?? Enumerable.Empty<LayerDirectory>())
        {
            Forget(child);
        }
    }

    void Close(LayerDirectory directory)
    {
        if (directory.Use is { } use)
        {
            used.Remove(use);
            directory.Use = null;
            directory.Descriptor!.Dispose();
            directory.Descriptor = null;
        }
    }
}
