using System.Formats.Tar;
using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>A layer of whiteouts for all that a whitelist of paths leaves out, and of the empty directories that it asks for.</summary>
sealed class PathMask
{
    const OpenFlags DirectoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;

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

        using var content = new MemoryStream();
        using (var writer = new System.Formats.Tar.TarWriter(content, TarEntryFormat.Gnu, leaveOpen: true))
        {
            foreach (var path in missing)
            {
                writer.WriteEntry(new GnuTarEntry(TarEntryType.Directory, path + "/") { Mode = (UnixFileMode)0x1ED, ModificationTime = DateTimeOffset.UnixEpoch });
            }

            foreach (var path in hidden)
            {
                int name = path.LastIndexOf('/') + 1;
                writer.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, $"{path[..name]}.wh.{path[name..]}") { ModificationTime = DateTimeOffset.UnixEpoch });
            }
        }

        var bytes = content.GetBuffer().AsSpan(0, (int)content.Length);
        Files.Write(archive, bytes);
        return Digest.Sha256(SHA256.HashData(bytes));
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
