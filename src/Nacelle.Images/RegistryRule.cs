using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>For which pulls a mirror is asked.</summary>
public enum MirrorUse
{
    All,
    DigestOnly,
    TagOnly,
}

/// <summary>Another place for what lies under a prefix, asked first.</summary>
public sealed record RegistryMirror(string Location, bool Insecure, MirrorUse Use);

/// <summary>What holds for the images whose names begin in a certain way.</summary>
/// <param name="Prefix">Host, or host and path, or <c>*.</c> and a domain for all hosts below it.</param>
/// <param name="Location">What takes the prefix's place; null leaves names as they are.</param>
/// <remarks>containers-registries.conf(5), "NAMESPACED [[registry]] SETTINGS".</remarks>
public sealed record RegistryRule(string Prefix, string? Location, bool Insecure, bool Blocked)
{
    public IReadOnlyList<RegistryMirror> Mirrors { get; init; } = [];

    /// <summary>The file that says so.</summary>
    public string Source { get; init; } = "registries.conf";

    /// <summary>How much of the name the prefix covers; 0 when it does not begin so.</summary>
    /// <param name="name">Host and repository, with tag or digest or without.</param>
    public int Match(string name)
    {
        if (Prefix.StartsWith("*.", StringComparison.Ordinal))
        {
            int host = name.AsSpan().IndexOfAny('/', ':') is >= 0 and var end ? end : name.Length;
            return host >= Prefix.Length && name.AsSpan(0, host).EndsWith(Prefix.AsSpan(1)) ? host : 0;
        }

        return name.StartsWith(Prefix, StringComparison.Ordinal) && (Prefix.Length == name.Length || name[Prefix.Length] is '/' or ':' or '@') ? Prefix.Length : 0;
    }

    /// <exception cref="SpecException">What comes out is not a reference.</exception>
    public ImageReference Rewrite(ImageReference reference, string? location) =>
        location is null ? reference : ImageReference.Parse("docker://" + location + reference.Name[Match(reference.Name)..]);

    internal static RegistryRule Of(RegistryEntry entry, string path)
    {
        string? location = Checked(entry.Location, $"{path}.location");
        string prefix = Checked(entry.Prefix, $"{path}.prefix") ?? location ?? throw new SpecException(path, "has neither prefix nor location");
        bool wild = prefix.StartsWith("*.", StringComparison.Ordinal);
        return prefix.AsSpan(wild ? 2 : 0).Contains('*') ? throw new SpecException($"{path}.prefix", $"'{prefix}': a * may only be the first part of a host, as in *.example.com")
            : location is null && !wild && entry.Mirrors is null && !entry.Blocked && !entry.Insecure ? throw new SpecException($"{path}.location", $"is missing for '{prefix}'")
            : new RegistryRule(prefix, location, entry.Insecure, entry.Blocked)
            {
                Mirrors = [.. (entry.Mirrors ?? []).Select((mirror, i) => MirrorOf(mirror, entry.MirrorByDigestOnly, $"{path}.mirror[{i}]"))],
            };
    }

    static RegistryMirror MirrorOf(MirrorEntry mirror, bool byDigestOnly, string path)
    {
        string location = Checked(mirror.Location, $"{path}.location") ?? throw new SpecException($"{path}.location", "is missing");
        if (byDigestOnly && mirror.PullFromMirror is not (null or ""))
        {
            throw new SpecException($"{path}.pull-from-mirror", "cannot be said beside mirror-by-digest-only");
        }

        var use = mirror.PullFromMirror switch
        {
            null or "" => byDigestOnly ? MirrorUse.DigestOnly : MirrorUse.All,
            "all" => MirrorUse.All,
            "digest-only" => MirrorUse.DigestOnly,
            "tag-only" => MirrorUse.TagOnly,
            var other => throw new SpecException($"{path}.pull-from-mirror", $"'{other}' is not all, digest-only or tag-only"),
        };
        return new RegistryMirror(location, mirror.Insecure, use);
    }

    /// <remarks>Without a host it would be taken for a directory of Docker's hub, and images come from whoever has that there.</remarks>
    static string? Checked(string? text, string path) =>
        string.IsNullOrEmpty(text) ? null
        : text.Contains("://", StringComparison.Ordinal) ? throw new SpecException(path, $"'{text}': no scheme is written here; say insecure = true for http")
        : text.TrimEnd('/') is { Length: > 0 } trimmed && (trimmed.StartsWith("*.", StringComparison.Ordinal) || ImageReference.HasHost(trimmed + "/")) ? trimmed
        : throw new SpecException(path, $"'{text}' does not begin with a registry's host, as in registry.example, localhost or registry:5000");
}
