using Nacelle.Images;
using Nacelle.Linux;

namespace Nacelle.Pods;

/// <summary>What the upper directory of an overlay holds of a file whose attributes were changed, or of a directory that was renamed.</summary>
public enum OverlayChanges
{
    /// <summary>Only what has changed, where that is quicker.</summary>
    MayRefer,

    /// <summary>All of it: the directory can become a layer, or be read by itself.</summary>
    Whole,
}

/// <summary>A root file system on sealed layers: what is read there is what was unpacked, or it cannot be read (EIO).</summary>
public static class VerifiedOverlay
{
    /// <param name="layers">Opened through their metadata images, the lowest first.</param>
    /// <param name="changes">The directory with upper and work.</param>
    /// <param name="users">Owners show shifted by so much, in a range of so many ids.</param>
    public static void Mount(
        IReadOnlyList<LayerSource> layers, FileDescriptor changes, OverlayChanges kept, FileDescriptor target, (uint Shift, uint Count)? users = null, OverlayUse use = OverlayUse.Run)
    {
        Files.EnsureDirectory(changes, "layers");
        using var place = Files.Open(changes, "layers", OpenFlags.Path | OpenFlags.Directory);
        using var userNamespace = users is var (shift, count) ? UserNamespaces.Create([new(0, shift, count)], [new(0, shift, count)]) : null;
        using var attached = new Attachments(place);
        var topFirst = attached.Add(layers, userNamespace);
        if (kept == OverlayChanges.MayRefer)
        {
            Overlay.MountVerified(topFirst, layers[0].Content!, changes, target, use);
            return;
        }

        // No kernel verifies several layers without references in the changes; but one overlay may lie upon another.
        attached.Add(() => Overlay.MountVerified(topFirst, layers[0].Content!, null, place));
        using var whole = Files.Open(changes, "layers", OpenFlags.Path | OpenFlags.Directory);
        Overlay.Mount([whole], changes, target, use);
    }

    /// <summary>Mounts what a pod has seen, its changes and its layers, so that nobody can write to it.</summary>
    /// <param name="changes">The directory upper of an overlay that was mounted here; it may refer.</param>
    /// <param name="place">An empty directory, which is mounted on for a moment.</param>
    internal static void MountReadOnly(IReadOnlyList<LayerSource> layers, FileDescriptor changes, FileDescriptor place, FileDescriptor target)
    {
        using var attached = new Attachments(place);
        Overlay.MountVerified([changes, .. attached.Add(layers, null)], layers[0].Content!, null, target);
    }

    /// <summary>Says which file of which layer it is that cannot be read in an app's root file system.</summary>
    /// <exception cref="ImageException">It is not as it was unpacked.</exception>
    internal static void Explain(IReadOnlyList<LayerSource> layers, string path)
    {
        try
        {
            new LayeredFiles(layers).TryRead(path);
        }
        catch (KernelException failure) when (failure.Errno == Errno.EIO)
        {
            throw new ImageException($"{failure.Message}: the file is damaged; see nacelle image verify", failure);
        }
    }
    /// <summary>Mounts that lie one upon the other on a directory until they are disposed of.</summary>
    /// <remarks>Overlayfs takes layers only from mounts that are attached somewhere (before Linux 6.15); it keeps copies of them.</remarks>
    sealed class Attachments(FileDescriptor place) : IDisposable
    {
        int count;

        /// <returns>The layers' roots, the topmost first.</returns>
        public IReadOnlyList<FileDescriptor> Add(IReadOnlyList<LayerSource> layers, FileDescriptor? userNamespace)
        {
            foreach (var layer in layers)
            {
                if (userNamespace is not null)
                {
                    Mounts.SetAttributes(layer.Mount!, MountAttributes.IdMap, userNamespace: userNamespace);
                }

                Add(() => Mounts.Move(layer.Mount!, place));
            }

            return [.. layers.Select(layer => layer.Root).Reverse()];
        }

        public void Add(Action mount)
        {
            mount();
            count++;
        }

        public void Dispose()
        {
            for (; count > 0; count--)
            {
                Mounts.Detach(place);
            }
        }
    }
}
