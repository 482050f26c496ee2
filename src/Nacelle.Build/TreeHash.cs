using Nacelle.Linux;

namespace Nacelle.Build;

/// <summary>Adds to a key all that copying would copy: names, kinds, modes, owners, bytes, link targets, attributes; no times.</summary>
sealed class TreeHash(StepKey key, SourceTree tree, CopyRules rules, CancellationToken cancellation)
{
    public void Add(SourceItem item)
    {
        if (item.Status.Kind != FileKind.Directory)
        {
            using var file = OpenFile(tree, item);
            AddEntry(file, item.Name, item.Status, "");
            return;
        }

        using var directory = Files.Open(tree.Root, item.Path.Length == 0 ? "." : item.Path, OpenFlags.ReadOnly | OpenFlags.Directory, resolve: SourceTree.Inside);
        key.Add("directory");
        AddContent(directory, item.Path.Length == 0 ? "" : item.Path + "/", "");
    }

    /// <summary>A file that a source means, opened for reading without waiting for anybody.</summary>
    /// <exception cref="BuildException">It is neither a file nor a pipe.</exception>
    public static FileDescriptor OpenFile(SourceTree tree, SourceItem item)
    {
        if (item.Status.Kind != FileKind.Regular)
        {
            throw new BuildException($"'{item.Path}' in {tree.Description} is neither a file nor a directory");
        }

        return Files.TryOpen(tree.Root, item.Path, OpenFlags.ReadOnly | OpenFlags.NonBlocking, out var error, resolve: SourceTree.Inside)
            ?? throw new BuildException($"'{item.Path}' in {tree.Description} cannot be read: {error}");
    }

    void AddContent(FileDescriptor directory, string prefix, string relative)
    {
        foreach (var (name, status) in tree.Entries(directory, prefix))
        {
            cancellation.ThrowIfCancellationRequested();
            if (!rules.Excludes.IsEmpty && rules.Excludes.Excludes(relative + name) && (status.Kind != FileKind.Directory || !rules.Excludes.HasExceptions))
            {
                continue;
            }

            if (status.Kind is not (FileKind.Regular or FileKind.Directory))
            {
                AddEntry(null, name, status, status.Kind == FileKind.Symlink ? Files.ReadLink(directory, name) : status.DeviceNumber.ToString());
                continue;
            }

            using var opened = OpenEntry(directory, name, status, prefix, tree);
            AddEntry(opened, name, status, "");
            if (status.Kind == FileKind.Directory)
            {
                AddContent(opened, $"{prefix}{name}/", $"{relative}{name}/");
                key.Add("up");
            }
        }
    }

    /// <exception cref="BuildException">It may not be read.</exception>
    public static FileDescriptor OpenEntry(FileDescriptor directory, string name, FileStatus status, string prefix, SourceTree tree) =>
        Files.TryOpen(
            directory, name, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlocking | (status.Kind == FileKind.Directory ? OpenFlags.Directory : 0), out var error)
        ?? throw new BuildException($"'{prefix}{name}' in {tree.Description} cannot be read: {error}");

    void AddEntry(FileDescriptor? file, string name, FileStatus status, string link)
    {
        var (user, group) = rules.OwnerOf(tree, status);
        key.Add(name).Add((long)status.Kind).Add(rules.ModeOf(tree, status)).Add(user).Add(group).Add(link);
        if (file is null)
        {
            return;
        }

        foreach (var attribute in CopyRules.AttributesOf(file).Order(StringComparer.Ordinal))
        {
            key.Add(attribute).Add(ExtendedAttributes.Get(file, attribute) ?? []);
        }

        if (status.Kind == FileKind.Regular)
        {
            key.AddContent(file, status.Size, cancellation);
        }
    }
}
