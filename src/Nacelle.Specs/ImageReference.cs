using System.Buffers;

namespace Nacelle.Specs;

/// <summary>An image in a registry: host, repository, and a tag, a digest, or both (then the digest counts).</summary>
/// <remarks>The grammar of github.com/distribution/reference, with its defaults: docker.io, library/, latest.</remarks>
public sealed record ImageReference : ImageName
{
    const int LongestName = 255, LongestTag = 128;

    static readonly SearchValues<char> LowerAlphanumeric = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789");
    static readonly SearchValues<char> HostCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    static readonly SearchValues<char> TagCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    ImageReference(string host, string repository, string? tag, Digest? digest)
    {
        Host = host;
        Repository = repository;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>Name or address, and the port where one was given: <c>docker.io</c>, <c>127.0.0.1:5000</c>, <c>[::1]:5000</c>.</summary>
    public string Host { get; }

    /// <summary>The path within the registry: <c>library/redis</c>.</summary>
    public string Repository { get; }

    public string? Tag { get; }

    public Digest? Digest { get; }

    /// <summary>What comes after <c>/manifests/</c> in a request: the digest where there is one, else the tag.</summary>
    public string Selector => Digest?.ToString() ?? Tag!;

    /// <summary>Without scheme: <c>docker.io/library/redis:7</c>.</summary>
    public string Name => $"{Host}/{Repository}{(Tag is null ? "" : ":" + Tag)}{(Digest is null ? "" : "@" + Digest)}";

    /// <summary>The name as Docker's tools show it: without the hub's own host and directory.</summary>
    public string FamiliarName => Name.StartsWith("docker.io/library/", StringComparison.Ordinal) ? Name[18..]
        : Name.StartsWith("docker.io/", StringComparison.Ordinal) ? Name[10..] : Name;

    public override string ToString() => "docker://" + Name;

    /// <param name="text">With <c>docker://</c> or <c>docker:</c> before it, or bare.</param>
    /// <exception cref="SpecException">The grammar is broken; the message says where.</exception>
    public static new ImageReference Parse(string text)
    {
        string rest = text.StartsWith("docker://", StringComparison.Ordinal) ? text[9..]
            : text.StartsWith("docker:", StringComparison.Ordinal) ? text[7..] : text;

        Digest? digest = null;
        if (rest.IndexOf('@') is >= 0 and var at)
        {
            digest = Specs.Digest.Parse(rest[(at + 1)..], text);
            rest = rest[..at];
        }

        string? tag = null;
        if (rest.LastIndexOf(':') is >= 0 and var colon && rest.IndexOf('/', colon) < 0)
        {
            tag = rest[(colon + 1)..];
            rest = rest[..colon];
        }

        bool hasHost = HasHost(rest);
        int slash = rest.IndexOf('/');
        string host = hasHost ? rest[..slash] : "docker.io";
        string repository = hasHost ? rest[(slash + 1)..] : rest;
        host = host == "index.docker.io" ? "docker.io" : host;

        string? fault = repository.Length == 0 ? "the repository is missing"
            : host.Length + 1 + repository.Length > LongestName ? $"host and repository are longer than {LongestName} characters"
            : !IsHost(host) ? $"'{host}' is not a host name with an optional port"
            : repository.AsSpan().ContainsAnyInRange('A', 'Z') ? $"repository '{repository}' must be lower case"
            : !IsRepository(repository) ? $"repository '{repository}' must be words of a-z and 0-9 joined by '/', '.', '_', '__' or '-'"
            : tag is not null && !IsTag(tag) ? $"tag '{tag}' must be 1 to {LongestTag} of A-Z, a-z, 0-9, '_', '.' and '-', and not start with '.' or '-'"
            : null;
        if (fault is not null)
        {
            throw new SpecException("", $"'{text}' is not an image reference: {fault}");
        }

        repository = host == "docker.io" && !repository.Contains('/') ? "library/" + repository : repository;
        return new ImageReference(host, repository, tag ?? (digest is null ? "latest" : null), digest);
    }

    /// <summary>Whether a name, without scheme, says which registry it is in.</summary>
    /// <remarks>A first component is a host when it cannot be a repository's: it has a dot, a colon or a capital, or is localhost.</remarks>
    public static bool HasHost(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : name.AsSpan(0, slash);
        return first is "localhost" || first.ContainsAny('.', ':', '[') || first.ContainsAnyInRange('A', 'Z');
    }

    static bool IsTag(string tag) =>
        tag.Length is > 0 and <= LongestTag && tag[0] is not ('.' or '-') && !tag.AsSpan().ContainsAnyExcept(TagCharacters);

    static bool IsRepository(string repository)
    {
        foreach (var range in repository.AsSpan().Split('/'))
        {
            var component = repository.AsSpan(range);
            while (true)
            {
                int word = component.IndexOfAnyExcept(LowerAlphanumeric);
                if (word == -1 && component.Length > 0)
                {
                    break;
                }

                int separator = word <= 0 ? 0 : component[word..].IndexOfAny(LowerAlphanumeric);
                if (separator <= 0 || !IsSeparator(component.Slice(word, separator)))
                {
                    return false;
                }

                component = component[(word + separator)..];
            }
        }

        return true;
    }

    static bool IsSeparator(ReadOnlySpan<char> text) => text is "." or "_" or "__" || !text.ContainsAnyExcept('-');

    static bool IsHost(ReadOnlySpan<char> host)
    {
        if (host is ['[', ..])
        {
            int end = host.IndexOf(']');
            return end > 1 && !host[1..end].ContainsAnyExcept("0123456789abcdefABCDEF:") && IsPort(host[(end + 1)..]);
        }

        int colon = host.IndexOf(':');
        var name = colon < 0 ? host : host[..colon];
        foreach (var range in name.Split('.'))
        {
            var label = name[range];
            if (label.IsEmpty || label[0] == '-' || label[^1] == '-' || label.ContainsAnyExcept(HostCharacters))
            {
                return false;
            }
        }

        return colon < 0 || IsPort(host[colon..]);
    }

    static bool IsPort(ReadOnlySpan<char> text) =>
        text.IsEmpty || (text[0] == ':' && text.Length <= 6 && ushort.TryParse(text[1..], System.Globalization.NumberStyles.None, null, out _));
}
