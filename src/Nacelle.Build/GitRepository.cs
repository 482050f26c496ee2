using System.Text;
using Nacelle.Linux;

namespace Nacelle.Build;

/// <summary>A repository that ADD names, fetched by the program git. Which commit it is is asked first; its files are fetched only for a layer.</summary>
sealed class GitRepository : IDisposable
{
    const int LargestAnswer = 16 << 20;

    static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    // Nobody is there to be asked, and what a repository says is not to be executed.
    static readonly string[] Settings = ["-c", "core.askPass=true", "-c", "core.sshCommand=ssh -o BatchMode=yes", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "init.defaultBranch=main", "-c", "advice.detachedHead=false"];

    readonly BuildSession session;
    readonly GitAddress address;
    readonly bool keepGit;
    readonly string program;
    FileDescriptor? directory;

    /// <param name="checksum">The commit, or its beginning, that it has to be; or null.</param>
    /// <param name="keepGit">The directories <c>.git</c> are copied too.</param>
    /// <exception cref="BuildException">There is no such commit, or it is another.</exception>
    public GitRepository(BuildSession session, GitAddress address, string? checksum, bool keepGit)
    {
        this.session = session;
        this.address = address;
        this.keepGit = keepGit;
        if (!address.IsProtected && !session.Options.AllowPlainHttp)
        {
            throw new BuildException($"{address.Repository} comes without protection: name the whole commit behind #, or allow it by --insecure-options=http");
        }

        program = InstalledPrograms.TryFindInPath("git") ?? throw new BuildException($"{address.Repository}: git is not installed, or not in $PATH");
        Commit = address.IsPinned ? address.Reference! : Resolve();
        if (checksum is not null && !(checksum.Length >= 7 && Commit.StartsWith(checksum, StringComparison.OrdinalIgnoreCase)))
        {
            throw new BuildException($"{address.Repository}: the commit is {Commit}, and {checksum} was expected");
        }
    }

    public string Commit { get; }

    /// <summary>What a step depends on.</summary>
    public IEnumerable<string> KeyParts() => [address.Repository, Commit, address.Directory, keepGit ? "with .git" : ""];

    /// <summary>Copies the files to a directory. Like those of the context they are root's.</summary>
    public void CopyTo(FileDescriptor root, string destination, CopyRules rules)
    {
        Fetch();
        var tree = new SourceTree(directory!, keepGit ? IgnorePatterns.None : IgnorePatterns.Of([".git", "**/.git"]), IsContext: true, $"{address.Repository} at {Commit}");

        // git knows of a file only whether it can be executed; the rest would be our umask.
        var modes = rules with { Mode = rules.Mode ?? ModeChange.TryParse("u=rwX,go=rX") };
        new TreeCopy(tree, root, modes, session.Cancellation).Copy(tree.Find(address.Directory.Length > 0 ? address.Directory : ".").Single(), destination, intoDirectory: true);
    }

    public void Dispose() => directory?.Dispose();

    string Resolve()
    {
        var name = address.Reference ?? "HEAD";
        var found = Run("ls-remote", "--quiet", "--", address.Repository, name, name + "^{}").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('\t')).Where(parts => parts.Length == 2).ToLookup(parts => parts[1], parts => parts[0]);

        // gitrevisions(7), and of a signed tag what it is about.
        return new[] { name, $"refs/{name}", $"refs/tags/{name}^{{}}", $"refs/tags/{name}", $"refs/heads/{name}" }.SelectMany(one => found[one]).FirstOrDefault()
            ?? throw new BuildException($"{address.Repository} has no {name}");
    }

    void Fetch()
    {
        if (directory is not null)
        {
            return;
        }

        directory = session.Work.MakeDirectory();
        var path = Files.ReadLink(FileDescriptor.WorkingDirectory, directory.ProcPath);
        string[] here = ["-C", path, $"--git-dir={path}/.git", $"--work-tree={path}"];
        Run([.. here, "init", "--quiet"]);
        if (!TryRun([.. here, "fetch", "--quiet", "--depth=1", "--no-tags", address.Repository, Commit], out _))
        {
            // Not every server gives single commits away.
            session.Host.Say($"{address.Repository} is fetched as a whole");
            Run([.. here, "fetch", "--quiet", address.Repository, "+refs/*:refs/remotes/origin/*"]);
        }

        Run([.. here, "checkout", "--quiet", "--force", "--detach", Commit]);
        if (Files.Exists(directory, ".gitmodules"))
        {
            Run([.. here, "submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"]);
        }
    }

    string Run(params IReadOnlyList<string> arguments) => TryRun(arguments, out var said) ? said
        : throw new BuildException($"{address.Repository}: git {arguments.SkipWhile(word => word.StartsWith('-') || word.StartsWith('/')).First()} fails");

    /// <summary>What is wrong it says itself, on our standard error.</summary>
    bool TryRun(IReadOnlyList<string> arguments, out string said)
    {
        try
        {
            var output = ProgramOutput.Of(program, [.. Settings, .. arguments], [], LargestAnswer, Patience, session.Cancellation);
            said = Encoding.UTF8.GetString(output.Output);
            return output.Status.ShellCode == 0;
        }
        catch (TimeoutException failure)
        {
            throw new BuildException($"{address.Repository}: {failure.Message}");
        }
    }
}
