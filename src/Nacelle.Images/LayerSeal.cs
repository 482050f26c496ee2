using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Makes a layer's metadata image: its whole tree but for the content of its files, and of that the digests; see <see cref="LayerStore.TryOpenSealed"/>.</summary>
/// <remarks>
/// A small EROFS image beside the layer's root, itself under fs-verity. Whoever knows its digest knows the layer: the kernel holds every piece of metadata and content against
/// it, at the moment in which that is read. The same archive always gives the same digest.
/// </remarks>
static class LayerSeal
{
    internal const string ImageName = "metadata.erofs";
    const string TemporaryName = ".metadata.erofs", ProbeName = ".probe";

    /// <summary>Whether the kernel and the file system of an open directory, which is written to, can do all that it takes.</summary>
    public static bool IsPossible(FileDescriptor directory)
    {
        if (!Overlay.CanVerify)
        {
            return false;
        }

        try
        {
            using var image = Write(directory, ProbeName, new ErofsInode { Mode = (uint)FileKind.Directory | 0x1ED });
            if (image is null)
            {
                return false;
            }

            Mount(image).Dispose();
            return true;
        }
        catch (KernelException)
        {
            return false; // no EROFS, or one that wants a block device (before Linux 6.12)
        }
        finally
        {
            Files.TryUnlink(directory, ProbeName);
        }
    }

    /// <summary>Mounts a metadata image, attached nowhere.</summary>
    /// <exception cref="KernelException">ENODEV: the kernel has no EROFS; ENOTBLK: it wants a block device.</exception>
    public static FileDescriptor Mount(FileDescriptor image) => Mounts.NewFileSystem("erofs", [$"source={image.ProcPath}"], MountAttributes.ReadOnly);

    /// <summary>Enables fs-verity on all files of a layer, and writes its metadata image where it is missing or another. Killed on the way it leaves nothing that harms.</summary>
    /// <param name="layer">The directory of the layer, which holds its root.</param>
    /// <param name="changed">Whether anything was not so before.</param>
    /// <returns>The image's fs-verity digest; null where the layer cannot be sealed.</returns>
    public static Digest? TryMake(FileDescriptor layer, Digest diffId, UnpackResult unpacked, out bool changed, CancellationToken cancellation)
    {
        changed = false;
        using var rootfs = Files.Open(layer, LayerStore.RootfsName, LayerStore.DirectoryFlags);
        if (SealedTree.TryRead(rootfs, $"{diffId.FileName}/{LayerStore.RootfsName}", out int enabled, cancellation) is not { } tree)
        {
            return null;
        }

        var root = new ErofsInode { Mode = (uint)FileKind.Directory | 0x1ED, Entries = { (Encoding.ASCII.GetBytes(LayerStore.RootfsName), tree) } };
        if (unpacked.RootIsOpaque)
        {
            tree.Attributes.Add(new TarAttribute(SealedTree.Opaque, [(byte)'y']));
        }

        if (unpacked.ImpliedDirectories.Count > 0)
        {
            var names = new ErofsInode { Mode = (uint)FileKind.Regular | 0x1A4, Content = LayerStore.EncodeNames(unpacked.ImpliedDirectories) };
            root.Entries.Add((Encoding.ASCII.GetBytes(LayerStore.ImpliedName), names));
        }

        using var image = Write(layer, TemporaryName, root);
        if (image is null)
        {
            return null;
        }

        var digest = Digest.Sha256(FileVerity.TryMeasure(image));
        using var existing = Files.TryOpen(layer, ImageName, OpenFlags.ReadOnly | OpenFlags.NoFollow, out _);
        bool same = existing is not null && FileVerity.TryMeasure(existing) is { } measured && Digest.Sha256(measured) == digest && CanBeRead(existing);
        changed = enabled > 0 || !same;
        if (same)
        {
            Files.Unlink(layer, TemporaryName);
        }
        else
        {
            Files.Rename(layer, TemporaryName, layer, ImageName);
        }

        return digest;
    }

    static bool CanBeRead(FileDescriptor image)
    {
        var buffer = new byte[128 * 1024];
        try
        {
            while (Files.Read(image, buffer) > 0)
            {
            }

            return true;
        }
        catch (KernelException failure) when (failure.Errno == Errno.EIO)
        {
            return false;
        }
    }

    /// <returns>Open for reading, with fs-verity; null where the file system has none, and then there is no file.</returns>
    static FileDescriptor? Write(FileDescriptor directory, string name, ErofsInode root)
    {
        Files.TryUnlink(directory, name);
        using (var file = Files.Open(directory, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x1A4))
        {
            using var stream = new BufferedStream(new DescriptorStream(file), 128 * 1024);
            ErofsWriter.Write(root, stream);
        }

        var image = Files.Open(directory, name, OpenFlags.ReadOnly | OpenFlags.NoFollow);
        if (FileVerity.TryEnable(image) == Errno.None)
        {
            return image;
        }

        image.Dispose();
        Files.Unlink(directory, name);
        return null;
    }
}
