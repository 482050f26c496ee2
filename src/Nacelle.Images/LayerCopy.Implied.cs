using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>
/// Overlayfs takes a directory's attributes from the highest layer that has it, also where that layer's archive had only something below it:
/// /tmp would lose its sticky bit, /root its privacy. A copy needs no repair, a mount does: in its upper directory, which is higher still.
/// </summary>
public sealed partial class LayerCopy
{
    /// <summary>Makes in an overlay's upper directory what its layers only imply, with the attributes that a lower layer tells, and gives it the root's own.</summary>
    /// <param name="layers">The lowest first.</param>
    /// <param name="upper">Open, not mounted yet; not O_PATH. Of what it holds already only directories are described anew.</param>
    public static void RestoreImplied(
        IReadOnlyList<LayerSource> layers, FileDescriptor upper, OwnerShift shift, OwnerPolicy owners = OwnerPolicy.Keep, CancellationToken cancellation = default)
    {
        var copy = new LayerCopy(upper, owners, shift, cancellation);
        var wanted = new SortedSet<string>(StringComparer.Ordinal) { "" };
        foreach (var path in layers.SelectMany(layer => layer.ImpliedDirectories))
        {
            cancellation.ThrowIfCancellationRequested();
            using var teller = FindTeller(layers, path, out bool implied);
            for (var parent = path; teller is not null && implied && wanted.Add(parent) && parent.Length > 0;)
            {
                // Made in the upper directory, parents count there too.
                parent = parent.LastIndexOf('/') is > 0 and var slash ? parent[..slash] : "";
            }
        }

        // The deepest first are described last to first: a parent's time is set after its children were made.
        foreach (var path in wanted)
        {
            if (path.Length > 0)
            {
                using var parent = OpenMade(upper, path.LastIndexOf('/') is > 0 and var slash ? path[..slash] : "");
                Files.EnsureDirectory(parent, path[(path.LastIndexOf('/') + 1)..], 0x1C0);
            }
        }

        foreach (var path in wanted.Reverse())
        {
            using var teller = FindTeller(layers, path, out _);
            using var made = OpenMade(upper, path);
            if (teller is not null)
            {
                copy.Describe(teller, made, path, null);
            }
        }
    }

    static FileDescriptor OpenMade(FileDescriptor upper, string path) =>
        Files.Open(upper, path.Length == 0 ? "." : path, DirectoryFlags, resolve: ResolveFlags.Beneath | ResolveFlags.NoSymlinks);

    /// <summary>The directory in the highest layer that tells its attributes, as far down as it shows; where none does, the highest that has it.</summary>
    /// <param name="implied">Whether a higher layer has the directory without telling.</param>
    static FileDescriptor? FindTeller(IReadOnlyList<LayerSource> layers, string path, out bool implied)
    {
        FileDescriptor? highest = null;
        implied = false;
        for (int i = layers.Count - 1; i >= 0; i--)
        {
            var directory = Look(layers[i], path, out bool hidesLower);
            if (directory is not null && !layers[i].ImpliedDirectories.Contains(path))
            {
                highest?.Dispose();
                return directory;
            }

            implied |= directory is not null;
            if (highest is null)
            {
                highest = directory;
            }
            else
            {
                directory?.Dispose();
            }

            if (hidesLower)
            {
                break;
            }
        }

        implied = false;
        return highest;
    }

    static FileDescriptor? Look(LayerSource layer, string path, out bool hidesLower)
    {
        var directory = layer.Root.Duplicate();
        bool above = layer.RootIsOpaque && path.Length > 0;
        hidesLower = false;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            using var parent = directory;
            directory = Files.TryOpen(parent, name, DirectoryFlags, out var error);
            if (directory is null)
            {
                hidesLower |= above || error != Errno.ENOENT;
                return null;
            }

            hidesLower |= above;
            above = IsOpaque(directory);
        }

        // An opaque directory hides what lower layers have in it. Itself it is theirs, unless it came in the place of a whiteout, and then it is not implied.
        hidesLower |= above && !layer.ImpliedDirectories.Contains(path);
        return directory;
    }
}
