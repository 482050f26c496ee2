using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>What is done where a name without a host may mean several images and nobody can be asked.</summary>
public enum ShortNameMode
{
    /// <summary>It is an error.</summary>
    Enforcing,

    /// <summary>The registries are asked one after the other.</summary>
    Permissive,

    /// <summary>As <see cref="Permissive"/>, with nobody asked even where somebody could be.</summary>
    Disabled,
}

/// <summary>A place to pull an image from.</summary>
public sealed record PullSource(ImageReference Reference, bool Insecure);

/// <summary>How registries are used on this machine: mirrors, blocked ones, names without a host, credential helpers.</summary>
/// <remarks>containers-registries.conf(5).</remarks>
public sealed partial record RegistriesConfiguration
{
    /// <summary>The helper's name that stands for the files of credentials.</summary>
    public const string CredentialFiles = "containers-auth.json";

    public static readonly RegistriesConfiguration Empty = new();

    /// <summary>Where names without a host are looked for, in that order.</summary>
    public IReadOnlyList<string> SearchRegistries { get; init; } = [];

    public IReadOnlyList<RegistryRule> Rules { get; init; } = [];

    public ShortNameMode ShortNames { get; init; } = ShortNameMode.Permissive;

    /// <summary>Names without a host, and what they stand for.</summary>
    public IReadOnlyDictionary<string, string> Aliases { get; init; } = new Dictionary<string, string>();

    /// <summary>In what order credentials are looked for.</summary>
    public IReadOnlyList<string> CredentialHelpers { get; init; } = [CredentialFiles];

    /// <summary>The rule with the longest prefix of the name.</summary>
    public RegistryRule? FindRule(ImageReference reference) => Rules
        .Where(rule => rule.Match(reference.Name) > 0)
        .MaxBy(rule => rule.Prefix.Length);

    /// <summary>Where to pull an image from, the best place first: mirrors, then the registry itself.</summary>
    /// <exception cref="ImageException">The registry is blocked.</exception>
    public IReadOnlyList<PullSource> PullSources(ImageReference reference)
    {
        if (FindRule(reference) is not { } rule)
        {
            return [new PullSource(reference, false)];
        }

        RequireAllowed(rule, reference);
        var use = reference.Digest is null ? MirrorUse.TagOnly : MirrorUse.DigestOnly;
        try
        {
            return
            [
                .. rule.Mirrors.Where(mirror => mirror.Use == MirrorUse.All || mirror.Use == use)
                    .Select(mirror => new PullSource(rule.Rewrite(reference, mirror.Location), mirror.Insecure)),
                new PullSource(rule.Rewrite(reference, rule.Location), rule.Insecure),
            ];
        }
        catch (SpecException failure)
        {
            throw new ImageException($"{rule.Source} sends {reference.Name} to what is no place: {failure.Message}", failure);
        }
    }

    /// <summary>Whether the registry may be spoken to without TLS, or without its certificate being trusted, when an image is pushed.</summary>
    /// <exception cref="ImageException">The registry is blocked.</exception>
    public bool IsInsecure(ImageReference reference)
    {
        var rule = FindRule(reference);
        if (rule is not null)
        {
            RequireAllowed(rule, reference);
        }

        return rule?.Insecure ?? false;
    }

    /// <summary>What a name may stand for: itself when it has a host; else an alias, or the search registries, or (where neither is configured) Docker's hub.</summary>
    /// <param name="text">With or without <c>docker://</c>.</param>
    /// <returns>In the order in which to try.</returns>
    /// <exception cref="ImageException">It may stand for several images, and the configuration forbids to guess.</exception>
    /// <exception cref="SpecException">It is no reference.</exception>
    public IReadOnlyList<ImageReference> Candidates(string text)
    {
        var reference = ImageReference.Parse(text);
        string bare = Bare(text);
        if (ImageReference.HasHost(bare))
        {
            return [reference];
        }

        int end = bare.AsSpan().IndexOfAny(':', '@');
        string name = end < 0 ? bare : bare[..end], rest = end < 0 ? "" : bare[end..];
        if (Aliases.TryGetValue(name, out var alias))
        {
            return [ImageReference.Parse($"docker://{alias}{rest}")];
        }

        return SearchRegistries.Count == 0 ? [reference]
            : SearchRegistries.Count > 1 && ShortNames == ShortNameMode.Enforcing
                ? throw new ImageException($"'{bare}' may come from {string.Join(", ", SearchRegistries)}, and short-name-mode=enforcing: write which, as in docker://{SearchRegistries[0]}/{bare}")
            : [.. SearchRegistries.Select(registry => ImageReference.Parse($"docker://{registry}/{bare}"))];
    }

    static void RequireRegistry(string text)
    {
        try
        {
            if (ImageReference.Parse($"docker://{text}/x").Host.Length > 0 && ImageReference.HasHost(text + "/"))
            {
                return;
            }
        }
        catch (SpecException)
        {
            // Said below in this file's terms.
        }

        throw new SpecException("unqualified-search-registries", $"'{text}' is not a registry's host, as in registry.example, localhost or registry:5000");
    }

    /// <summary>The stored image that a person means, by a name that may leave out the registry: only then is the machine's configuration read.</summary>
    /// <param name="text">As <see cref="ImageStore.Find(string)"/> takes it.</param>
    /// <exception cref="ImageException">It may stand for several images, and the configuration forbids to guess.</exception>
    public static StoredImage? FindStored(ImageStore store, string text)
    {
        string bare = Bare(text);
        bool isShort = bare.Length > 0 && bare[0] is not ('/' or '.') && !ImageReference.HasHost(bare) && ImageIdText.Parse(text) is null;
        return isShort ? Load().FindStoredShort(store, text) : store.Find(text);
    }

    internal StoredImage? FindStoredShort(ImageStore store, string text)
    {
        try
        {
            return Candidates(text).Select(store.Find).FirstOrDefault(found => found is not null) ?? store.Find(text);
        }
        catch (SpecException)
        {
            return store.Find(text); // an id with its algorithm, or a name of another kind
        }
    }

    static string Bare(string text) =>
        text.StartsWith("docker://", StringComparison.Ordinal) ? text[9..] : text.StartsWith("docker:", StringComparison.Ordinal) ? text[7..] : text;

    static void RequireAllowed(RegistryRule rule, ImageReference reference)
    {
        if (rule.Blocked)
        {
            throw new ImageException($"{reference.Name} is blocked: {rule.Source} says so of {rule.Prefix}");
        }
    }

    /// <summary>The same with what a further file says, which counts more.</summary>
    internal RegistriesConfiguration With(RegistriesFile file, string path)
    {
        try
        {
            var rules = (file.Registries ?? []).Select((entry, i) => RegistryRule.Of(entry, $"registry[{i}]") with { Source = path }).ToList();
            if (rules.CountBy(rule => rule.Prefix).FirstOrDefault(count => count.Value > 1) is { Key: { } twice })
            {
                throw new SpecException("registry", $"there are two with the prefix '{twice}'");
            }

            foreach (string registry in file.SearchRegistries ?? [])
            {
                RequireRegistry(registry);
            }

            var aliases = new Dictionary<string, string>(Aliases, StringComparer.Ordinal);
            foreach (var (name, target) in file.Aliases ?? [])
            {
                CheckAlias(name, target);
                aliases[name] = target;
                if (target.Length == 0)
                {
                    aliases.Remove(name); // how a later file takes one away
                }
            }

            return this with
            {
                SearchRegistries = file.SearchRegistries ?? SearchRegistries,
                Rules = [.. Rules.Where(old => !rules.Exists(rule => rule.Prefix == old.Prefix)), .. rules],
                ShortNames = string.IsNullOrEmpty(file.ShortNameMode) ? ShortNames : ParseMode(file.ShortNameMode),
                Aliases = aliases,
                CredentialHelpers = file.CredentialHelpers is { Count: > 0 } helpers ? helpers : CredentialHelpers,
            };
        }
        catch (SpecException failure)
        {
            throw failure.In(path);
        }
    }

    static void CheckAlias(string name, string target)
    {
        string path = $"aliases.{name}";
        if (name.AsSpan().ContainsAny(':', '@') || ImageReference.HasHost(name))
        {
            throw new SpecException(path, "is not a name without host, tag and digest");
        }

        ImageReference.Parse(name);
        if (target.Length > 0 && (!ImageReference.HasHost(target) || ImageReference.Parse(target) is { Digest: not null }))
        {
            throw new SpecException(path, $"'{target}' is not a host and a repository");
        }
    }

    static ShortNameMode ParseMode(string text) => text switch
    {
        "enforcing" => ShortNameMode.Enforcing,
        "permissive" => ShortNameMode.Permissive,
        "disabled" => ShortNameMode.Disabled,
        _ => throw new SpecException("short-name-mode", $"'{text}' is not enforcing, permissive or disabled"),
    };
}
