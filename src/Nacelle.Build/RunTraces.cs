using Nacelle.Linux;
using Nacelle.Pods;

namespace Nacelle.Build;

/// <summary>Takes out of a command's changes what the pod put there and the command did not: mount points, and the files that tell an app where it is.</summary>
sealed class RunTraces(FileDescriptor upper, LayeredFiles lower)
{
    const ResolveFlags Below = ResolveFlags.Beneath | ResolveFlags.NoSymlinks;

    static readonly string[] Standard = ["/proc", "/dev", "/sys"];

    /// <summary>As with other builders, what a command does to these is forgotten.</summary>
    static readonly string[] OwnFiles = ["etc/hostname", "etc/hosts", "etc/resolv.conf"];

    public void Remove(IEnumerable<string> mountTargets)
    {
        foreach (var file in OwnFiles)
        {
            RemoveName(file);
        }

        if (lower.TryEntry("etc/mtab") is null && Files.TryStatus(upper, "etc/mtab", out _) is { Kind: FileKind.Symlink } && Files.ReadLink(upper, "etc/mtab") == "../proc/mounts")
        {
            RemoveName("etc/mtab");
        }

        RemoveIdle("etc");
        foreach (var target in Standard.Concat(mountTargets))
        {
            var path = lower.RealPath(target);
            if (lower.TryEntry(path) is null && path.Length > 0 && Status(path) is { Kind: FileKind.Regular, Size: 0 })
            {
                RemoveName(path);
            }

            for (; path.Length > 0; path = ParentOf(path))
            {
                RemoveIdle(path);
            }
        }
    }

    /// <summary>A directory without content that below is none, or is the same: it would only be there because something was mounted in it.</summary>
    void RemoveIdle(string path)
    {
        if (Status(path) is not { Kind: FileKind.Directory } status
            || (lower.TryEntry(path) is { } below && (below.Mode != status.Mode || below.Owner != status.Owner || below.Group != status.Group)))
        {
            return;
        }

        using (var directory = Files.TryOpen(upper, path, OpenFlags.ReadOnly | OpenFlags.Directory, out _, resolve: Below))
        {
            if (directory is null || ExtendedAttributes.Get(directory, "trusted.overlay.opaque") is [(byte)'y'])
            {
                return;
            }
        }

        using var parent = OpenParent(path);
        if (parent is not null)
        {
            Files.TryUnlink(parent, NameOf(path), directory: true); // ENOTEMPTY where it has content
        }
    }

    void RemoveName(string path)
    {
        using var parent = OpenParent(path);
        if (parent is not null)
        {
            Directories.RemoveTree(parent, NameOf(path));
        }
    }

    FileStatus? Status(string path)
    {
        using var parent = OpenParent(path);
        return parent is null ? null : Files.TryStatus(parent, NameOf(path), out _);
    }

    FileDescriptor? OpenParent(string path) =>
        Files.TryOpen(upper, ParentOf(path) is { Length: > 0 } parent ? parent : ".", OpenFlags.ReadOnly | OpenFlags.Directory, out _, resolve: Below);

    static string ParentOf(string path) => path.LastIndexOf('/') is > 0 and var slash ? path[..slash] : "";

    static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];
}
