using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>What of the context does not exist for a build: <c>.containerignore</c> or <c>.dockerignore</c>.</summary>
/// <remarks>The Dockerfile reference, ".dockerignore file": the last pattern that matches a path or a directory above it decides; <c>!</c> takes back.</remarks>
sealed class IgnorePatterns
{
    public static readonly IgnorePatterns None = new([]);

    const int Most = 10_000;

    readonly List<(PathPattern Pattern, bool Included)> patterns;

    IgnorePatterns(List<(PathPattern, bool)> patterns) => this.patterns = patterns;

    public bool IsEmpty => patterns.Count == 0;

    /// <summary>Whether something below a directory may be there although the directory is not.</summary>
    public bool HasExceptions => patterns.Exists(pattern => pattern.Included);

    /// <param name="name">For messages.</param>
    /// <exception cref="SpecException"><c>name:line: what is wrong</c></exception>
    public static IgnorePatterns Parse(string name, ReadOnlySpan<byte> content)
    {
        if (!System.Text.Unicode.Utf8.IsValid(content))
        {
            throw new SpecException(name, "is not UTF-8 text");
        }

        int number = 0;
        var patterns = new List<(PathPattern, bool)>();
        foreach (var raw in Encoding.UTF8.GetString(content).TrimStart('\uFEFF').Split('\n'))
        {
            number++;
            var line = raw.Trim();
            if (raw.StartsWith('#') || line.Length == 0)
            {
                continue;
            }

            if (patterns.Count == Most || line.Length > 4096)
            {
                throw new SpecException($"{name}:{number}", $"at most {Most} patterns of 4096 characters are read");
            }

            try
            {
                Add(patterns, line);
            }
            catch (FormatException problem)
            {
                throw new SpecException($"{name}:{number}", problem.Message);
            }
        }

        return new IgnorePatterns(patterns);
    }

    /// <exception cref="FormatException">A pattern is malformed.</exception>
    public static IgnorePatterns Of(IEnumerable<string> texts)
    {
        var patterns = new List<(PathPattern, bool)>();
        foreach (var text in texts)
        {
            Add(patterns, text);
        }

        return new IgnorePatterns(patterns);
    }

    /// <summary>The file that holds for a Containerfile: one with its name and an ending, else the context's own.</summary>
    public static IgnorePatterns Find(FileDescriptor context, string containerfile)
    {
        foreach (var ending in (ReadOnlySpan<string>)[".containerignore", ".dockerignore"])
        {
            if (containerfile != "-" && Files.Exists(FileDescriptor.WorkingDirectory, containerfile + ending))
            {
                return Parse(containerfile + ending, Files.ReadAll(FileDescriptor.WorkingDirectory, containerfile + ending));
            }
        }

        foreach (var name in (ReadOnlySpan<string>)[".containerignore", ".dockerignore"])
        {
            using var file = Files.TryOpen(context, name, OpenFlags.ReadOnly | OpenFlags.NonBlocking, out _, resolve: ResolveFlags.InRoot | ResolveFlags.NoMagicLinks);
            if (file is not null && Files.Status(file) is { Kind: FileKind.Regular } status)
            {
                return status.Size <= Containerfile.Longest ? Parse(name, Files.ReadToEnd(file)) : throw new SpecException(name, $"is longer than {Containerfile.Longest} bytes");
            }
        }

        return None;
    }

    /// <param name="path">Relative to the context, without a slash at either end.</param>
    public bool Excludes(string path)
    {
        bool excluded = false;
        foreach (var (pattern, included) in patterns)
        {
            if (excluded == included && MatchesWithParents(pattern, path))
            {
                excluded = !included;
            }
        }

        return excluded;
    }

    static bool MatchesWithParents(PathPattern pattern, string path)
    {
        for (int end = path.Length; end > 0; end = path.LastIndexOf('/', end - 1))
        {
            if (pattern.IsMatch(path[..end]))
            {
                return true;
            }
        }

        return false;
    }

    static void Add(List<(PathPattern, bool)> patterns, string line)
    {
        bool included = line[0] == '!';
        var text = string.Join('/', (included ? line[1..] : line).Trim().Split('/').Where(part => part.Length > 0 && part != "."));
        if (text.Length > 0)
        {
            patterns.Add((new PathPattern(text, directories: true), included));
        }
    }
}
