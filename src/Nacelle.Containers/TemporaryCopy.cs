using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>A tmpfs that starts with what the rootfs has at its place: the mount option "tmpcopyup".</summary>
static class TemporaryCopy
{
    const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;

    /// <param name="label">See <see cref="RuntimeLinux.MountLabel"/>.</param>
    /// <returns>The mount, attached nowhere yet.</returns>
    public static FileDescriptor Make(RuntimeMount mount, MountOptions options, string? label, FileDescriptor root)
    {
        var type = mount.Type ?? "tmpfs";
        var made = Mounts.NewFileSystem(type, MountLabels.AddTo(options.FileSystem, type, label, !UserNamespaces.IsInitial), options.Set | options.SetRecursively);
        try
        {
            using var source = Files.TryOpen(
                root, mount.Destination.TrimStart('/'), OpenFlags.ReadOnly | OpenFlags.Directory, out var error, resolve: ResolveFlags.InRoot | ResolveFlags.NoMagicLinks);
            if (source is not null)
            {
                using var target = Files.Open(made, ".", DirectoryFlags);
                CopyContent(source, target);
                Describe(Files.Status(source), target, "");
            }
            else if (error is not (Errno.ENOENT or Errno.ENOTDIR))
            {
                throw new KernelException($"open {mount.Destination} in the rootfs", error);
            }

            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    static void CopyContent(FileDescriptor source, FileDescriptor target)
    {
        foreach (var (name, _) in Directories.List(source))
        {
            var status = Files.Status(source, name);
            switch (status.Kind)
            {
                case FileKind.Directory:
                    Files.MakeDirectory(target, name);
                    using (var from = Files.Open(source, name, DirectoryFlags))
                    using (var to = Files.Open(target, name, DirectoryFlags))
                    {
                        CopyContent(from, to);
                    }

                    break;
                case FileKind.Regular:
                    using (var from = Files.Open(source, name, OpenFlags.ReadOnly | OpenFlags.NoFollow))
                    using (var to = Files.Open(target, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x180))
                    {
                        Files.CopyContent(from, to, status.Size);
                    }

                    break;
                case FileKind.Symlink:
                    Files.MakeSymlink(Files.ReadLink(source, name), target, name);
                    break;
                default:
                    Files.MakeNode(target, name, status.Mode, status.DeviceNumber.Encoded);
                    break;
            }

            Describe(status, target, name);
        }
    }

    static void Describe(FileStatus status, FileDescriptor target, string name)
    {
        Files.SetOwner(target, name, status.Owner, status.Group);
        if (status.Kind != FileKind.Symlink)
        {
            if (name.Length == 0)
            {
                Files.SetMode(target, status.Permissions);
            }
            else
            {
                Files.SetMode(target, name, status.Permissions);
            }
        }

        Files.SetTimes(target, name, status.AccessTime, status.ModificationTime);
    }
}
