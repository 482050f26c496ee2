using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>What may give way to files that are put in their places.</summary>
public enum PlacementPolicy
{
    /// <summary>Files to files; directories are filled up.</summary>
    SameKind,

    /// <summary>Anything to anything.</summary>
    Anything,
}

/// <summary>
/// Files on their way into a directory that others may change meanwhile. They are made in a directory beside it that only this process's user can enter,
/// and put in their places by renaming: nobody sees half a file, and until then nothing has changed.
/// </summary>
/// <remarks>
/// Whoever may write to the directory may put anything in the place of anything there. So nothing there is described by its name: what is new gets its owner
/// and mode where nobody else has a hand in it.
/// </remarks>
public sealed class TreePlacement : IDisposable
{
    const string Prefix = ".nacelle-copy-", ContentName = "content";
    const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;

    readonly FileDescriptor target;
    readonly string name;
    readonly FileDescriptor directory;

    TreePlacement(FileDescriptor target)
    {
        this.target = target;
        name = Prefix + Guid.NewGuid().ToString("N");
        Files.MakeDirectory(target, name, 0x1C0);
        directory = Files.Open(target, name, DirectoryFlags);
        try
        {
            Files.MakeDirectory(directory, ContentName, 0x1C0);
            Content = Files.Open(directory, ContentName, DirectoryFlags);
            var status = Files.Status(directory);
            Identity = (status.Inode, status.FileSystem);
        }
        catch
        {
            Remove();
            throw;
        }
    }

    /// <summary>An empty directory, to be filled.</summary>
    public FileDescriptor Content { get; }

    /// <summary>This object's own directory in the target.</summary>
    public (ulong Inode, DeviceNumber FileSystem) Identity { get; }

    /// <param name="target">A directory; stays the caller's. May be O_PATH.</param>
    public static TreePlacement Beside(FileDescriptor target) => new(target);

    /// <summary>Puts all of the content in its place. Directories that are there already take on the attributes of those that come, if their owners are in the range.</summary>
    /// <param name="owners">Whose directories may change.</param>
    /// <param name="undescribed">Paths of directories in the content that have no attributes of their own.</param>
    /// <exception cref="LayerException">Something there does not give way; nothing was changed.</exception>
    /// <exception cref="KernelException">Something failed; what was placed before stays.</exception>
    public void Place(PlacementPolicy policy, OwnerShift owners, IReadOnlyCollection<string> undescribed)
    {
        using var into = Files.Open(target, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
        if (policy == PlacementPolicy.SameKind)
        {
            RequireSameKinds(Content, into, "");
        }

        foreach (var path in undescribed.Where(path => path.Length > 0))
        {
            using var made = Files.Open(Content, path, DirectoryFlags, resolve: ResolveFlags.Beneath | ResolveFlags.NoSymlinks);
            Files.SetTimes(made, "", Timestamp.Now, Timestamp.Now);
        }

        new Moving(policy, owners, undescribed).Move(Content, into, "");
    }

    static void RequireSameKinds(FileDescriptor content, FileDescriptor into, string prefix)
    {
        foreach (var (name, _) in Directories.List(content))
        {
            bool comes = Files.Status(content, name).Kind == FileKind.Directory;
            if (Files.TryStatus(into, name, out _) is not { } there)
            {
                continue;
            }

            if (comes != (there.Kind == FileKind.Directory))
            {
                throw new LayerException(prefix + name, comes ? "is a directory, and what is in its place is none" : "is no directory, and what is in its place is one");
            }

            if (comes)
            {
                using var from = Files.Open(content, name, DirectoryFlags);
                using var to = Files.Open(into, name, DirectoryFlags);
                RequireSameKinds(from, to, $"{prefix}{name}/");
            }
        }
    }

    public void Dispose()
    {
        Content.Dispose();
        Remove();
    }

    /// <summary>By descriptor: something else may have the name by now, and then only an empty directory would go.</summary>
    void Remove()
    {
        Directories.RemoveTree(directory, ContentName);
        Files.TryUnlink(target, name, directory: true);
        directory.Dispose();
    }

    sealed class Moving(PlacementPolicy policy, OwnerShift owners, IReadOnlyCollection<string> undescribed)
    {
        public void Move(FileDescriptor content, FileDescriptor into, string prefix)
        {
            foreach (var (name, _) in Directories.List(content))
            {
                var path = prefix + name;
                bool comes = Files.Status(content, name).Kind == FileKind.Directory;
                var there = Files.TryStatus(into, name, out _);
                if (comes && there?.Kind == FileKind.Directory)
                {
                    Merge(content, into, name, path);
                    continue;
                }

                if (there is not null && comes != (there.Value.Kind == FileKind.Directory) && policy == PlacementPolicy.Anything)
                {
                    Directories.RemoveTree(into, name);
                }

                switch (Files.TryRename(content, name, into, name))
                {
                    case Errno.None: break;
                    case Errno.EBUSY: throw new LayerException(path, "cannot be put in its place: what is there is mounted");
                    case var error: throw new KernelException($"put {path} in its place", error);
                }
            }
        }

        void Merge(FileDescriptor content, FileDescriptor into, string name, string path)
        {
            using var from = Files.Open(content, name, DirectoryFlags);
            using var to = Files.Open(into, name, DirectoryFlags);
            if (Files.Status(to).MountId == Files.Status(from).MountId)
            {
                Move(from, to, path + "/");
            }
            else
            {
                // Something is mounted there, to which nothing can be renamed: it is copied beside it first.
                using var nearer = Beside(to);
                LayerCopy.Flatten([new LayerSource(from, false, new HashSet<string>())], nearer.Content, OwnerShift.None);
                Move(nearer.Content, to, path + "/");
            }

            if (!undescribed.Contains(path) && owners.TryUndo(Files.Status(to).Owner, out _))
            {
                Describe(from, to);
            }
        }

        static void Describe(FileDescriptor from, FileDescriptor to)
        {
            var status = Files.Status(from);
            Files.SetOwner(to, "", status.Owner, status.Group);
            foreach (var attribute in TreeArchive.AttributesOf(from))
            {
                ExtendedAttributes.Set(to, attribute.Name, attribute.Value);
            }

            Files.SetMode(to, status.Permissions);
            Files.SetTimes(to, "", status.AccessTime, status.ModificationTime);
        }
    }
}
