using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>A layer to mount or to copy from.</summary>
/// <param name="Root">Not O_PATH; owned.</param>
/// <param name="RootIsOpaque">Nothing of lower layers shows.</param>
/// <param name="ImpliedDirectories">Paths whose attributes a lower layer tells.</param>
public sealed record LayerSource(FileDescriptor Root, bool RootIsOpaque, IReadOnlySet<string> ImpliedDirectories) : IDisposable
{
    /// <summary>Of a layer that is opened through its metadata image: the mount of that, attached nowhere; owned.</summary>
    public FileDescriptor? Mount { get; private init; }

    /// <summary>With <see cref="Mount"/>: where overlayfs finds the content of files, the store's directory of layers; not owned.</summary>
    public FileDescriptor? Content { get; private init; }

    /// <summary>Opens a layer through its metadata image.</summary>
    /// <param name="image">Has been held against the layer's seal.</param>
    /// <returns>Null where the kernel cannot mount it.</returns>
    internal static LayerSource? TryMount(FileDescriptor image, FileDescriptor layers)
    {
        FileDescriptor? mount = null, root = null;
        try
        {
            mount = LayerSeal.Mount(image);
            root = Files.Open(mount, LayerStore.RootfsName, LayerStore.DirectoryFlags);
            using var names = Files.TryOpen(mount, LayerStore.ImpliedName, OpenFlags.ReadOnly | OpenFlags.NoFollow, out _);
            var implied = names is null ? [] : LayerStore.DecodeNames(Files.ReadToEnd(names));
            var opaque = ExtendedAttributes.Get(root, SealedTree.Opaque) is [(byte)'y'];
            return new LayerSource(root, opaque, implied.ToHashSet(StringComparer.Ordinal)) { Mount = mount, Content = layers };
        }
        catch (KernelException failure) when (failure.Errno is Errno.ENODEV or Errno.ENOTBLK or Errno.EINVAL or Errno.EPERM && mount is null)
        {
            return null;
        }
        catch
        {
            root?.Dispose();
            mount?.Dispose();
            throw;
        }
    }

    /// <summary>Opens a regular file of the layer for reading, at its content.</summary>
    /// <param name="directory">The layer's root, or a directory in it.</param>
    /// <exception cref="ImageException">The content is not the layer's.</exception>
    public FileDescriptor OpenFile(FileDescriptor directory, string path)
    {
        var file = Files.Open(directory, path, OpenFlags.ReadOnly | OpenFlags.NoFollow, resolve: ResolveFlags.InRoot | ResolveFlags.NoSymlinks);
        if (TryOpenContent(file) is { } content)
        {
            file.Dispose();
            return content;
        }

        return file;
    }

    /// <summary>Opens the content of a file that a metadata image only describes, and holds it against its digest.</summary>
    /// <returns>Null where the file has its content itself.</returns>
    /// <exception cref="ImageException">The content is not the layer's.</exception>
    internal FileDescriptor? TryOpenContent(FileDescriptor file)
    {
        if (Content is null || ExtendedAttributes.Get(file, SealedTree.Metacopy) is not { } digest)
        {
            return null;
        }

        var place = KernelString.Decode(ExtendedAttributes.Get(file, SealedTree.Redirect))[1..];
        var content = Files.TryOpen(Content, place, OpenFlags.ReadOnly | OpenFlags.NoFollow, out _, resolve: ResolveFlags.Beneath | ResolveFlags.NoSymlinks);
        if (content is not null && FileVerity.TryMeasure(content) is { } measured && measured.AsSpan().SequenceEqual(digest.AsSpan(4)))
        {
            return content;
        }

        content?.Dispose();
        throw new ImageException($"{Describe(place)} is not as it was unpacked: see nacelle image verify");
    }

    /// <summary>What of which layer lies at a path below the store's directory of layers.</summary>
    static string Describe(string place) => place.Split('/', 3) is [var layer, _, var path] ? $"{LayerException.Printable(path)} of the layer {layer.Replace('-', ':')}" : place;

    public void Dispose()
    {
        Root.Dispose();
        Mount?.Dispose();
    }
}
