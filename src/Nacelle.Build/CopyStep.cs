using System.Text;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>COPY and ADD: files of the context, of a stage or an image, of the Containerfile itself, from archives, URLs and repositories; they become a layer.</summary>
sealed class CopyStep(BuildSession session, StageState stage, int stageIndex)
{
    const uint DownloadMode = 0x180, HeredocMode = 0x1A4;

    public void Do(CopyInstruction copy, Expansion expansion)
    {
        var sources = copy.Sources.Select(expansion.Word).ToList();
        var destination = AbsolutePath(expansion.Word(copy.Destination));
        var rules = new CopyRules(ReadOwner(copy.Flags.Chown, expansion), ReadMode(copy.Flags.Chmod, expansion), ReadExcludes(copy.Flags.Excludes));
        var from = copy.Flags.From is { } name ? new Expansion(session.Variables.Global, session.File.Escape).Word(name) : null;
        var origin = from is null ? null : session.StageOf(from, stageIndex);
        var heredocs = copy.Heredocs.Select(heredoc => (heredoc.Name, Content: Encoding.UTF8.GetBytes(heredoc.Expand ? expansion.FileText(heredoc.Content) : heredoc.Content))).ToList();
        var remote = copy.IsAdd ? sources.Where(IsRemote).ToList() : [];
        var repositories = remote.Select(GitAddress.TryParse).OfType<GitAddress>().Select(address => new GitRepository(session, address, copy.Flags.Checksum, copy.Flags.KeepGit)).ToList();
        var downloads = remote.Where(source => GitAddress.TryParse(source) is null).Select(url => new Download(session, url, copy.Flags.Checksum)).ToList();
        if (copy.Flags.Checksum is not null && (remote.Count != 1 || sources.Count != 1))
        {
            throw new BuildException("--checksum is for one URL");
        }

        using var parts = session.Key("copy", stage);
        parts.Add(destination).Add(rules.Owner is { } owner ? $"{owner.User}:{owner.Group}" : null).Add(rules.Mode?.Text)
            .Add(copy.Flags.Parents ? "parents" : null).Add(copy.IsAdd ? $"add {copy.Flags.Unpack}" : null).Add(copy.Flags.Excludes);
        heredocs.ForEach(heredoc => parts.Add(heredoc.Name).Add(heredoc.Content));
        downloads.ForEach(download => parts.Add(download.Url).Add(download.Identity));
        repositories.ForEach(repository => parts.Add(repository.KeyParts()));
        var plain = sources.Where(source => !copy.IsAdd || !IsRemote(source)).ToList();
        string what;
        if (origin is not null)
        {
            parts.Add(origin.DiffIds.Select(diffId => diffId.ToString())).Add(plain);
            what = "dir";
        }
        else
        {
            what = AddContent(parts, plain, rules, copy.Flags.Parents);
        }

        var key = parts.Finish();
        var step = session.Find(key);
        session.SayIfCached(step);
        if (step is null)
        {
            var tree = origin is null ? session.Context : session.TreeOf(origin, from!);
            using var root = StageRoot.Mount(session, stage.DiffIds);
            bool many = plain.Count + heredocs.Count + remote.Count > 1 || plain.Any(PathPattern.IsPattern);
            var target = new CopyTarget(session, root.Root, destination, many, rules, copy);
            target.Copy(tree, plain);
            heredocs.ForEach(heredoc => target.Write(heredoc.Name, heredoc.Content, HeredocMode));
            downloads.ForEach(download => target.Write(download.FileName, download.Read(), DownloadMode));
            repositories.ForEach(repository => repository.CopyTo(root.Root, destination, rules));
            step = session.Commit(stage, key, root.Detach());
        }

        stage.Add($"/bin/sh -c #(nop) {copy.Keyword} {(plain.Count + heredocs.Count + remote.Count > 1 ? "multi" : what)}:{key.Hex} in {copy.Destination} ", step);
        downloads.ForEach(download => download.Dispose());
        repositories.ForEach(repository => repository.Dispose());
    }

    public static bool IsUrl(string source) => source.StartsWith("http://", StringComparison.Ordinal) || source.StartsWith("https://", StringComparison.Ordinal);

    static bool IsRemote(string source) => IsUrl(source) || GitAddress.TryParse(source) is not null;

    /// <returns>What the history calls it: a file or a directory.</returns>
    string AddContent(StepKey parts, List<string> sources, CopyRules rules, bool parents)
    {
        var what = "";
        var hash = new TreeHash(parts, session.Context, rules, session.Cancellation);
        foreach (var source in sources)
        {
            foreach (var item in session.Context.Find(source))
            {
                what = what.Length > 0 ? "multi" : item.Status.Kind == FileKind.Directory ? "dir" : "file";
                parts.Add(parents ? item.Path : "");
                hash.Add(item);
            }
        }

        return what.Length > 0 ? what : "file";
    }

    string AbsolutePath(string path) => path.StartsWith('/') ? path : $"{stage.WorkingDirectory.TrimEnd('/')}/{path}";

    (uint User, uint Group)? ReadOwner(string? text, Expansion expansion)
    {
        if (text is null)
        {
            return null;
        }

        var owner = expansion.Word(text);
        int colon = owner.IndexOf(':');
        var (user, group) = colon < 0 ? (owner, "") : (owner[..colon], owner[(colon + 1)..]);
        if (uint.TryParse(user, out uint uid) && (group.Length == 0 || uint.TryParse(group, out _)))
        {
            return (uid, group.Length == 0 ? uid : uint.Parse(group, System.Globalization.CultureInfo.InvariantCulture)); // a number alone is both
        }

        try
        {
            var found = session.Read(stage, files => AppUser.Find(user, group, [], files));
            return (found.Uid, found.Gid);
        }
        catch (PodException problem)
        {
            throw new BuildException($"--chown={owner}: {problem.Message}");
        }
    }

    static ModeChange? ReadMode(string? text, Expansion expansion)
    {
        if (text is null)
        {
            return null;
        }

        var mode = expansion.Word(text);
        return ModeChange.TryParse(mode) ?? throw new BuildException($"--chmod={mode}: write an octal number, as in 0755, or changes as in u=rwX,go=rX");
    }

    static IgnorePatterns ReadExcludes(IReadOnlyList<string> texts)
    {
        try
        {
            return texts.Count == 0 ? IgnorePatterns.None : IgnorePatterns.Of(texts);
        }
        catch (FormatException problem)
        {
            throw new BuildException($"--exclude: {problem.Message}");
        }
    }
}
