namespace Nacelle.Build;

/// <summary>A repository as ADD names it: <c>https://example.com/it.git#branch:directory</c>.</summary>
/// <param name="Reference">A branch, a tag or a commit; null for what the repository itself calls HEAD.</param>
/// <param name="Directory">The part of it that is wanted, relative; empty for all.</param>
sealed record GitAddress(string Repository, string? Reference, string Directory)
{
    const int CommitLength = 40, LongCommitLength = 64; // SHA-1 and SHA-256

    /// <summary>Whether the name of a whole commit is given, and with it the content.</summary>
    public bool IsPinned => Reference is { Length: CommitLength or LongCommitLength } && !Reference.AsSpan().ContainsAnyExcept("0123456789abcdef");

    /// <summary>Whether nobody on the way can put something else in its place.</summary>
    public bool IsProtected => IsPinned || !(Repository.StartsWith("http://", StringComparison.Ordinal) || Repository.StartsWith("git://", StringComparison.Ordinal));

    /// <returns>Null where the source is no repository.</returns>
    /// <exception cref="BuildException">It is one, and what stands behind <c>#</c> is wrong.</exception>
    public static GitAddress? TryParse(string source)
    {
        var (repository, fragment) = source.Split('#', 2) is [var before, var behind] ? (before, behind) : (source, "");
        if (!IsRepository(repository))
        {
            return null;
        }

        var (reference, directory) = fragment.Split(':', 2) is [var first, var rest] ? (first, rest) : (fragment, "");
        if (reference.StartsWith('-') || reference.AsSpan().ContainsAny(" \t~^:?*[\\") || reference.Any(char.IsControl))
        {
            throw new BuildException($"{source}: '{reference}' is neither a branch nor a tag nor a commit");
        }

        return new GitAddress(repository, reference.Length > 0 ? reference : null, directory.Trim('/'));
    }

    static bool IsRepository(string text) =>
        text.StartsWith("git://", StringComparison.Ordinal) || text.StartsWith("ssh://", StringComparison.Ordinal)
        || (text.StartsWith("git@", StringComparison.Ordinal) && text.Contains(':'))
        || (CopyStep.IsUrl(text) && text.EndsWith(".git", StringComparison.Ordinal));
}
