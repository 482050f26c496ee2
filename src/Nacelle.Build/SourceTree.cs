using Nacelle.Linux;

namespace Nacelle.Build;

/// <summary>A tree to copy from: the context, or the root file system of a stage or an image.</summary>
/// <remarks>Every path is opened with openat2 in the tree as its root: no link leads out, absolute ones and ".." included.</remarks>
/// <param name="Root">Not O_PATH; the owner closes it.</param>
/// <param name="Ignore">What there is not.</param>
/// <param name="IsContext">Owners are not taken over, set-user-ID and set-group-ID bits neither, and there are no devices.</param>
/// <param name="Description">For messages: "the context", "stage x".</param>
sealed record SourceTree(FileDescriptor Root, IgnorePatterns Ignore, bool IsContext, string Description)
{
    public const ResolveFlags Inside = ResolveFlags.InRoot | ResolveFlags.NoMagicLinks;

    /// <summary>The files and directories that a source of COPY means, sorted; as written, or what its pattern matches.</summary>
    /// <exception cref="BuildException">There is none, or the path climbs out.</exception>
    public List<SourceItem> Find(string source)
    {
        var parts = new List<string>();
        foreach (var part in source.Split('/'))
        {
            if (part == "..")
            {
                if (parts.Count == 0)
                {
                    throw new BuildException($"'{source}' lies outside {Description}");
                }

                parts.RemoveAt(parts.Count - 1);
            }
            else if (part.Length > 0 && part != ".")
            {
                parts.Add(part);
            }
        }

        var items = new List<SourceItem>();
        try
        {
            Match(parts, 0, "", items);
        }
        catch (FormatException problem)
        {
            throw new BuildException($"'{source}': {problem.Message}");
        }

        return items.Count > 0 ? items : throw new BuildException($"'{source}' is not in {Description}{(Ignore.IsEmpty ? "" : ", or is ignored there")}");
    }

    void Match(List<string> parts, int index, string path, List<SourceItem> items)
    {
        while (index < parts.Count && !PathPattern.IsPattern(parts[index]))
        {
            path = Join(path, parts[index++]);
        }

        if (index == parts.Count)
        {
            if (TryOpen(path) is { } item)
            {
                items.Add(item);
            }

            return;
        }

        using var directory = Files.TryOpen(Root, path.Length == 0 ? "." : path, OpenFlags.ReadOnly | OpenFlags.Directory, out _, resolve: Inside);
        if (directory is null)
        {
            return;
        }

        var pattern = new PathPattern(parts[index], directories: false);
        foreach (var entry in Directories.List(directory).Where(entry => pattern.IsMatch(entry.Name)).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            Match(parts, index + 1, Join(path, entry.Name), items);
        }
    }

    /// <summary>A source itself may be a link, which is followed.</summary>
    SourceItem? TryOpen(string path)
    {
        if (path.Length > 0 && Ignore.Excludes(path) && !Ignore.HasExceptions)
        {
            return null;
        }

        using var opened = Files.TryOpen(Root, path.Length == 0 ? "." : path, OpenFlags.Path, out var error, resolve: Inside);
        if (opened is null)
        {
            return error is Errno.ENOENT or Errno.ENOTDIR ? null
                : throw new BuildException($"'{path}' in {Description} cannot be opened: {(error == Errno.ELOOP ? "its links go in a circle" : error.ToString())}");
        }

        var status = Files.Status(opened);
        return path.Length > 0 && Ignore.Excludes(path) && (status.Kind != FileKind.Directory || !HasIncluded(path)) ? null : new SourceItem(path, status);
    }

    /// <summary>What is in a directory and not ignored, sorted.</summary>
    /// <param name="prefix">The directory's path in the tree with a slash, or nothing for the root.</param>
    public IEnumerable<(string Name, FileStatus Status)> Entries(FileDescriptor directory, string prefix)
    {
        foreach (var (name, _) in Directories.List(directory).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            var status = Files.Status(directory, name);
            if (status.Kind == FileKind.Socket || (!Ignore.IsEmpty && Ignore.Excludes(prefix + name) && (status.Kind != FileKind.Directory || !HasIncluded(prefix + name))))
            {
                continue;
            }

            if (IsContext && status.Kind is FileKind.CharacterDevice or FileKind.BlockDevice)
            {
                throw new BuildException($"'{prefix}{name}' in {Description} is a device: only files, directories, links and pipes are copied from there");
            }

            yield return (name, status);
        }
    }

    /// <summary>Whether something below an ignored directory is not ignored; then the directory is there too.</summary>
    bool HasIncluded(string path)
    {
        if (!Ignore.HasExceptions)
        {
            return false;
        }

        using var directory = Files.TryOpen(Root, path, OpenFlags.ReadOnly | OpenFlags.Directory, out _, resolve: Inside);
        return directory is not null && Directories.List(directory).Exists(entry =>
            !Ignore.Excludes($"{path}/{entry.Name}") || (Files.Status(directory, entry.Name).Kind == FileKind.Directory && HasIncluded($"{path}/{entry.Name}")));
    }

    static string Join(string path, string name) => path.Length == 0 ? name : $"{path}/{name}";
}

/// <summary>A file or directory that a source means; its kind is that behind links.</summary>
sealed record SourceItem(string Path, FileStatus Status)
{
    public string Name => Path[(Path.LastIndexOf('/') + 1)..];
}
