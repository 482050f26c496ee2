using Nacelle.Images;
using Nacelle.Linux;

namespace Nacelle.Pods;

/// <summary>Reads single files of an image through its layers, before anything is mounted.</summary>
/// <remarks>What overlayfs would show, for the few small files that preparing a pod must know: /etc/passwd, /etc/group, the owner of a path.</remarks>
/// <param name="open">Gives the layers, the lowest first; asked only when a file is.</param>
public sealed class LayeredFiles(Func<IReadOnlyList<LayerSource>> open)
{
    /// <param name="layers">The lowest first.</param>
    public LayeredFiles(IReadOnlyList<LayerSource> layers)
        : this(() => layers)
    {
    }

    const int MaximumLinks = 40;

    public byte[]? TryRead(string path)
    {
        if (Find(path) is not { Status.Kind: FileKind.Regular } found)
        {
            return null;
        }

        using var file = found.Layer.OpenFile(found.Layer.Root, found.Path);
        return Files.ReadToEnd(file);
    }

    public FileStatus? TryStatus(string path) => Find(path)?.Status;

    /// <summary>What is at the path itself; its last name is not followed, and its parents are no links.</summary>
    public FileStatus? TryEntry(string path) => Look(path.Length == 0 ? "." : path)?.Status;

    /// <summary>Where a path leads, without links and a leading slash; what is missing of it stays as it is.</summary>
    public string RealPath(string path)
    {
        Find(path, out var real);
        return real;
    }

    (LayerSource Layer, string Path, FileStatus Status)? Find(string path) => Find(path, out _);

    /// <summary>Follows a path component by component, since each component may come from another layer.</summary>
    (LayerSource Layer, string Path, FileStatus Status)? Find(string path, out string real)
    {
        real = "";
        var left = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var done = new List<string>();
        (LayerSource, string, FileStatus)? found = null;
        for (int links = 0; left.TryPop(out var part);)
        {
            if (part is "." or "..")
            {
                if (part == ".." && done.Count > 0)
                {
                    done.RemoveAt(done.Count - 1);
                }

                continue;
            }

            done.Add(part);
            real = string.Join('/', done);
            if (Look(real) is not { } here)
            {
                real = string.Join('/', [real, .. left]);
                return null;
            }

            if (here.Status.Kind == FileKind.Symlink)
            {
                if (++links > MaximumLinks)
                {
                    return null;
                }

                var target = Files.ReadLink(here.Layer.Root, here.Path);
                done.RemoveAt(done.Count - 1);
                if (target.StartsWith('/'))
                {
                    done.Clear();
                }

                foreach (var one in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                {
                    left.Push(one);
                }

                continue;
            }

            found = here;
        }

        return found;
    }

    /// <summary>The topmost layer that has the path, unless a layer above removed it or its parent.</summary>
    (LayerSource Layer, string Path, FileStatus Status)? Look(string path)
    {
        foreach (var layer in open().Reverse())
        {
            using var opened = Files.TryOpen(layer.Root, path, OpenFlags.Path | OpenFlags.NoFollow, out var error, resolve: ResolveFlags.InRoot | ResolveFlags.NoSymlinks);
            if (opened is not null)
            {
                var status = Files.Status(opened);
                return status is { Kind: FileKind.CharacterDevice, DeviceNumber: { Major: 0, Minor: 0 } } ? null : (layer, path, status);
            }

            if (error == Errno.ENOTDIR || IsOpaqueAbove(layer.Root, path))
            {
                return null; // a parent is a whiteout or a file here, or a directory that hides those below
            }
        }

        return null;
    }

    static bool IsOpaqueAbove(FileDescriptor layer, string path)
    {
        for (int slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
        {
            using var parent = Files.TryOpen(layer, path[..slash], OpenFlags.ReadOnly | OpenFlags.Directory, out _, resolve: ResolveFlags.InRoot | ResolveFlags.NoSymlinks);
            if (parent is not null && ExtendedAttributes.Get(parent, "trusted.overlay.opaque") is [(byte)'y'])
            {
                return true;
            }
        }

        return false;
    }
}
