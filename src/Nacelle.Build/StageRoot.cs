using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>The root file system of a stage, mounted as an overlay whose changes can become a layer.</summary>
/// <remarks>In this process's own mount namespace, of its main thread; see <see cref="Mounts.EnterPrivateNamespace"/>.</remarks>
sealed class StageRoot : IDisposable
{
    readonly FileDescriptor directory;
    readonly string path;
    bool mounted;

    StageRoot(FileDescriptor directory, string path, FileDescriptor root) => (this.directory, this.path, Root, mounted) = (directory, path, root, true);

    /// <summary>Not O_PATH.</summary>
    public FileDescriptor Root { get; }

    public static StageRoot Mount(BuildSession session, IReadOnlyList<Digest> diffIds)
    {
        var directory = session.Work.MakeDirectory();
        foreach (var name in (ReadOnlySpan<string>)["upper", "work", "root", "empty"])
        {
            Files.MakeDirectory(directory, name);
            Files.SetMode(directory, name, 0x1ED);
        }

        var lower = PodPreparation.OpenLayers(session.Store.Layers, diffIds, session.Host.Check);
        try
        {
            using (var upper = Files.Open(directory, "upper", OpenFlags.ReadOnly | OpenFlags.Directory))
            {
                LayerCopy.RestoreImplied(lower, upper, OwnerShift.None);
            }

            using var empty = Files.Open(directory, "empty", OpenFlags.Path | OpenFlags.Directory);
            using var target = Files.Open(directory, "root", OpenFlags.Path | OpenFlags.Directory);
            if (lower is [{ Mount: not null }, ..])
            {
                VerifiedOverlay.Mount(lower, directory, OverlayChanges.Whole, target);
            }
            else
            {
                Overlay.Mount(lower.Count > 0 ? [.. lower.Select(layer => layer.Root).Reverse()] : [empty], directory, target);
            }
        }
        finally
        {
            foreach (var layer in lower)
            {
                layer.Dispose();
            }
        }

        var path = Files.ReadLink(FileDescriptor.WorkingDirectory, directory.ProcPath) + "/root";
        return new StageRoot(directory, path, Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory));
    }

    /// <summary>Ends the mount.</summary>
    /// <returns>The directory that has the changes in <c>upper</c>; it stays this object's.</returns>
    public FileDescriptor Detach()
    {
        Root.Dispose();
        if (mounted)
        {
            mounted = false;
            Mounts.TryDetach(path);
        }

        return directory;
    }

    public void Dispose()
    {
        Detach();
        directory.Dispose();
    }
}
