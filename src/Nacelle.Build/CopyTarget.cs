using Nacelle.Images;
using Nacelle.Linux;

namespace Nacelle.Build;

/// <summary>Where COPY and ADD put things: a path in a mounted root file system.</summary>
sealed class CopyTarget(BuildSession session, FileDescriptor root, string destination, bool many, CopyRules rules, CopyInstruction copy)
{
    bool IntoDirectory => many || destination.EndsWith('/') || destination.EndsWith("/.", StringComparison.Ordinal) || copy.Flags.Parents;

    public void Copy(SourceTree tree, IEnumerable<string> sources)
    {
        var copying = new TreeCopy(tree, root, rules, session.Cancellation);
        foreach (var source in sources)
        {
            foreach (var item in tree.Find(source))
            {
                if (copy.IsAdd && copy.Flags.Unpack != false && item.Status.Kind == FileKind.Regular && Archive.TryUnpack(session, tree, item) is { } unpacked)
                {
                    using (unpacked)
                    {
                        var archive = new SourceTree(unpacked, IgnorePatterns.None, IsContext: false, $"the archive '{item.Path}'");
                        new TreeCopy(archive, root, rules, session.Cancellation).Copy(archive.Find(".").Single(), destination, intoDirectory: true);
                    }

                    continue;
                }

                copying.Copy(item, copy.Flags.Parents ? WithParents(source, item) : destination, IntoDirectory);
            }
        }
    }

    public void Write(string name, ReadOnlySpan<byte> content, uint mode)
    {
        bool directory = IntoDirectory || TreeCopy.IsDirectory(root, destination);
        new TreeCopy(session.Context, root, rules, session.Cancellation).Write(content, directory ? $"{destination.TrimEnd('/')}/{name}" : destination, mode);
    }

    /// <summary>With <c>--parents</c> the path of a source counts, from <c>/./</c> on where that stands in it.</summary>
    string WithParents(string source, SourceItem item)
    {
        int pivot = source.IndexOf("/./", StringComparison.Ordinal);
        int skipped = pivot < 0 ? 0 : source[..pivot].Split('/', StringSplitOptions.RemoveEmptyEntries).Count(part => part != ".");
        var parts = item.Path.Split('/', StringSplitOptions.RemoveEmptyEntries)[skipped..];
        var kept = item.Status.Kind == FileKind.Directory ? parts : parts[..^1];
        return $"{destination.TrimEnd('/')}/{string.Join('/', kept)}";
    }
}
