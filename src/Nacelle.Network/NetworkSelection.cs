using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Which networks a pod is to have.</summary>
/// <remarks>rkt 1.30, Documentation/networking/overview.md: <c>--net=host|none|all|NAME[:KEY=VALUE[;KEY=VALUE…]][,NAME…]</c>.</remarks>
public sealed partial record NetworkSelection
{
    /// <summary>The network of the machine that is there without a configuration.</summary>
    public const string Default = "default";

    /// <summary>As <see cref="Default"/>, but without a way out of the machine.</summary>
    public const string DefaultRestricted = "default-restricted";

    public static readonly NetworkSelection Host = new() { IsHost = true };

    public static readonly NetworkSelection None = new();

    /// <summary>The pod shares the host's network.</summary>
    public bool IsHost { get; private init; }

    /// <summary>All networks that are configured.</summary>
    public bool IsAll { get; private init; }

    /// <summary>By name, with the arguments for the plug-ins (CNI_ARGS) in their order.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<KeyValuePair<string, string>>> Named { get; private init; } = new Dictionary<string, IReadOnlyList<KeyValuePair<string, string>>>();

    /// <summary>The pod has its own loopback alone.</summary>
    public bool IsNone => !IsHost && !IsAll && Named.Count == 0;

    /// <summary>As a stage1 is told it: <c>--net=…</c>.</summary>
    public string Text => IsHost ? "host" : IsAll ? "all" : IsNone ? "none"
        : string.Join(',', Named.Select(one => one.Value.Count == 0 ? one.Key : $"{one.Key}:{string.Join(';', one.Value.Select(pair => $"{pair.Key}={pair.Value}"))}"));

    /// <param name="values">Of all flags <c>--net</c>; none, or an empty one, stands for <see cref="Default"/>.</param>
    /// <exception cref="SpecException">It is none; the message is meant to stand behind the flag.</exception>
    public static NetworkSelection Parse(IEnumerable<string> values)
    {
        var parts = values.SelectMany(value => value.Split(',', StringSplitOptions.RemoveEmptyEntries)).ToList();
        if (parts.Count == 0)
        {
            parts.Add(Default);
        }

        if (parts.Find(part => part is "host" or "none" or "all") is { } alone)
        {
            return parts.Count > 1 ? throw new SpecException("", $"'{alone}' stands alone")
                : alone switch { "host" => Host, "none" => None, _ => new() { IsAll = true } };
        }

        var named = new Dictionary<string, IReadOnlyList<KeyValuePair<string, string>>>(StringComparer.Ordinal);
        foreach (var part in parts)
        {
            int colon = part.IndexOf(':');
            var name = colon < 0 ? part : part[..colon];
            if (name.Length == 0)
            {
                throw new SpecException("", $"'{part}' names no network");
            }

            if (!named.TryAdd(name, colon < 0 ? [] : [.. part[(colon + 1)..].Split(';', StringSplitOptions.RemoveEmptyEntries).Select(Pair)]))
            {
                throw new SpecException("", $"the network '{name}' is named twice");
            }
        }

        return new() { Named = named };
    }

    static KeyValuePair<string, string> Pair(string text)
    {
        int equals = text.IndexOf('=');
        return equals > 0 ? new(text[..equals], text[(equals + 1)..]) : throw new SpecException("", $"'{text}' is not KEY=VALUE");
    }
}
