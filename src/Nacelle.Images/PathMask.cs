using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>A layer of whiteouts for all that a whitelist of paths leaves out, and of the empty directories that it asks for.</summary>
sealed class PathMask
{
    const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;

    // With ".wh." before it, it has to be a name still.
    const int LongestHidden = 251;

    readonly HashSet<string> kept = new(StringComparer.Ordinal);
    readonly SortedSet<string> missing = new(StringComparer.Ordinal);
    readonly List<string> hidden = [];

    /// <param name="whitelist">Absolute paths; one that ends in a slash is a directory that has to be there.</param>
    public PathMask(IReadOnlyList<string> whitelist)
    {
        foreach (var path in whitelist)
        {
            var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != ".").ToArray();
            for (int i = 1; i <= parts.Length; i++)
            {
                kept.Add(string.Join('/', parts[..i]));
            }

            if (path.EndsWith('/') && parts.Length > 0)
            {
                missing.Add(string.Join('/', parts));
            }
        }
    }

    /// <summary>Writes the layer's archive.</summary>
    /// <param name="roots">The layers below, in any order.</param>
    /// <returns>The archive's digest; null when there is nothing to hide or add.</returns>
    public Digest? Write(IReadOnlyList<FileDescriptor> roots, FileDescriptor archive, CancellationToken cancellation)
    {
        Walk("", roots, cancellation);
        if (hidden.Count == 0 && missing.Count == 0)
        {
            return null;
        }

        using var sink = new LayerSink(archive, LayerCompression.None);
        var tar = new TarWriter(sink);
        foreach (var path in missing)
        {
            tar.Begin(new TarFile { Name = path, Kind = TarEntryKind.Directory, Mode = 0x1ED });
        }

        foreach (var path in hidden)
        {
            int name = path.LastIndexOf('/') + 1;
            tar.Begin(new TarFile { Name = $"{path[..name]}.wh.{path[name..]}", Kind = TarEntryKind.File, Mode = 0x1A4 });
        }

        tar.Finish();
        return Digest.Sha256(sink.Finish().DiffId);
    }

    void Walk(string path, IReadOnlyList<FileDescriptor> directories, CancellationToken cancellation)
    {
        missing.Remove(path);
        foreach (var name in directories.SelectMany(directory => Directories.List(directory)).Select(entry => entry.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            var inner = path.Length == 0 ? name : $"{path}/{name}";
            if (!kept.Contains(inner))
            {
                if (name.StartsWith(".wh.", StringComparison.Ordinal) || KernelString.Encode(name).Length > LongestHidden)
                {
                    throw new ImageException($"the path whitelist leaves out '{LayerException.Printable(inner)}', which no whiteout can name");
                }

                hidden.Add(inner);
                continue;
            }

            var further = directories.Select(directory => Files.TryOpen(directory, name, DirectoryFlags, out _)).OfType<FileDescriptor>().ToList();
            try
            {
                if (further.Count > 0)
                {
                    Walk(inner, further, cancellation);
                }
            }
            finally
            {
                further.ForEach(directory => directory.Dispose());
            }
        }
    }
}
