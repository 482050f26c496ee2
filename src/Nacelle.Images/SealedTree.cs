using System.Collections.Concurrent;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>
/// Reads an unpacked layer into the tree of its metadata image: all that statx and attributes tell of each file, and of each regular file with content where that
/// lies and what its fs-verity digest is, in the words of overlayfs. fs-verity is enabled on the way.
/// </summary>
/// <remarks>Documentation/filesystems/overlayfs.rst, "Data-only lower layers" and "fs-verity support". The tree tells nothing of the place and time of unpacking.</remarks>
sealed class SealedTree
{
    internal const string Redirect = "trusted.overlay.redirect", Metacopy = "trusted.overlay.metacopy", Opaque = "trusted.overlay.opaque";

    const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;
    const int LongestPath = 4095;

    readonly FileDescriptor root;
    readonly string place;
    readonly Dictionary<(ulong Inode, DeviceNumber FileSystem), ErofsInode> links = [];
    readonly List<(ErofsInode Inode, string Path)> contents = [];

    SealedTree(FileDescriptor root, string place) => (this.root, this.place) = (root, place);

    /// <param name="root">The layer's root; not O_PATH.</param>
    /// <param name="place">The path of the root below the directory that overlayfs takes content from.</param>
    /// <param name="changed">How many files got fs-verity only now.</param>
    /// <returns>Null where the layer cannot be said in this way: the file system has no fs-verity, or a path or an attribute is too long.</returns>
    public static ErofsInode? TryRead(FileDescriptor root, string place, out int changed, CancellationToken cancellation)
    {
        var tree = new SealedTree(root, place);
        var inode = tree.ReadDirectory(root, "", Files.Status(root), cancellation);
        return tree.TryMeasure(out changed, cancellation) ? inode : null;
    }

    ErofsInode ReadDirectory(FileDescriptor directory, string path, FileStatus status, CancellationToken cancellation)
    {
        var inode = Describe(status, ExtendedAttributes.List(directory), name => ExtendedAttributes.Get(directory, name));
        foreach (var (name, _) in Directories.List(directory))
        {
            cancellation.ThrowIfCancellationRequested();
            var child = Files.Status(directory, name);
            inode.Entries.Add((KernelString.Encode(name), Read(directory, name, path.Length == 0 ? name : $"{path}/{name}", child, cancellation)));
        }

        return inode;
    }

    ErofsInode Read(FileDescriptor directory, string name, string path, FileStatus status, CancellationToken cancellation)
    {
        if (status.Kind == FileKind.Directory)
        {
            using var inner = Files.Open(directory, name, DirectoryFlags);
            return ReadDirectory(inner, path, status, cancellation);
        }

        if (status.Links > 1 && links.TryGetValue((status.Inode, status.FileSystem), out var known))
        {
            return known;
        }

        var inode = Describe(
            status, ExtendedAttributes.List(directory, name), attribute => ExtendedAttributes.Get(directory, name, attribute),
            status.Kind == FileKind.Symlink ? KernelString.Encode(Files.ReadLink(directory, name)) : null);
        if (inode.Hole > 0)
        {
            contents.Add((inode, path));
        }

        if (status.Links > 1)
        {
            links.Add((status.Inode, status.FileSystem), inode);
        }

        return inode;
    }

    static ErofsInode Describe(FileStatus status, string[] names, Func<string, byte[]?> get, byte[]? content = null)
    {
        var inode = new ErofsInode
        {
            Mode = status.Mode,
            Owner = status.Owner,
            Group = status.Group,
            ModificationTime = status.ModificationTime,
            Device = status.DeviceNumber,
            Content = content,
            Hole = status.Kind == FileKind.Regular ? status.Size : 0,
        };
        foreach (var name in names.Where(name => name == Opaque || LayerCopy.IsCopied(name)))
        {
            if (get(name) is { } value && ErofsAttributes.CanHold(name, value.Length))
            {
                inode.Attributes.Add(new TarAttribute(name, value));
            }
        }

        return inode;
    }

    bool TryMeasure(out int changed, CancellationToken cancellation)
    {
        int enabled = 0;
        var failures = new ConcurrentBag<Errno>();
        Parallel.ForEach(contents, new ParallelOptions { CancellationToken = cancellation }, (file, loop) =>
        {
            var redirect = KernelString.Encode($"/{place}/{file.Path}");
            using var opened = Files.Open(root, file.Path, OpenFlags.ReadOnly | OpenFlags.NoFollow, resolve: ResolveFlags.Beneath | ResolveFlags.NoSymlinks);
            if (FileVerity.TryMeasure(opened) is not { } digest)
            {
                var before = Files.Status(opened);
                var error = redirect.Length > LongestPath ? Errno.ENAMETOOLONG : FileVerity.TryEnable(opened);
                digest = error == Errno.None ? FileVerity.TryMeasure(opened) : null;
                if (digest is null)
                {
                    failures.Add(error);
                    loop.Stop();
                    return;
                }

                Files.SetTimes(opened, "", before.AccessTime, before.ModificationTime); // ext4 takes it for a change
                Interlocked.Increment(ref enabled);
            }

            file.Inode.Attributes.Add(new TarAttribute(Redirect, redirect));
            file.Inode.Attributes.Add(new TarAttribute(Metacopy, [0, (byte)(4 + digest.Length), 0, FileVerity.Sha256, .. digest]));
        });
        changed = enabled;
        return failures.IsEmpty ? true
            : failures.First() is Errno.ENOSPC or Errno.EIO or Errno.ENOMEM or Errno.EDQUOT ? throw new KernelException($"enable fs-verity in {root}", failures.First())
            : false;
    }
}
