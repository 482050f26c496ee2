using System.Text.Json;

namespace Nacelle.Specs;

/// <summary>A network as an administrator describes it: plug-ins that are called one after the other. See the CNI specification 1.1.0, section 1.</summary>
public sealed record NetworkConfiguration
{
    /// <summary>See <see cref="NetworkName.IsIdentifier"/>.</summary>
    public required string Name { get; init; }

    /// <summary>Those of <c>cniVersion</c> and <c>cniVersions</c> that are spoken here, the newest first; at least one.</summary>
    public required IReadOnlyList<CniVersion> Versions { get; init; }

    public bool DisableCheck { get; init; }

    public bool DisableGC { get; init; }

    /// <summary>Whether plug-ins in files beside this one, in the folder of the network's name, do not count.</summary>
    public bool LoadOnlyInlinedPlugins { get; init; }

    /// <summary>In the order of ADD; at least one, once those of the folder are added.</summary>
    public required IReadOnlyList<PluginConfiguration> Plugins { get; init; }

    /// <summary>Reads a <c>.conflist</c>.</summary>
    /// <param name="source">Where the text comes from, for messages.</param>
    /// <exception cref="SpecException">Not JSON, not of the specification's shape, or against one of its rules; says where.</exception>
    public static NetworkConfiguration Parse(ReadOnlySpan<byte> json, string source) => SpecNode.Parse(json, source, Read);

    /// <summary>Reads a <c>.conf</c> or <c>.json</c>, which holds one plug-in's configuration with the network's name.</summary>
    /// <inheritdoc cref="Parse"/>
    public static NetworkConfiguration ParseSingle(ReadOnlySpan<byte> json, string source) => SpecNode.Parse(json, source, ReadSingle);

    /// <summary>Whether a plug-in of it takes that capability argument.</summary>
    public bool Supports(string capability) => Plugins.Any(plugin => plugin.Capabilities.Contains(capability));

    /// <summary>As a list that is complete: <see cref="Parse"/> gives the same network again, wherever it stands.</summary>
    public byte[] ToJson() => SpecWriter.Write(this, Write);

    public static NetworkConfiguration Read(SpecNode node)
    {
        bool onlyInlined = ReadFlag(node, "loadOnlyInlinedPlugins");
        var plugins = node.List("plugins", PluginConfiguration.Read);
        if (node.Find("plugins") is null ? onlyInlined : plugins.Count == 0)
        {
            throw new SpecException("plugins", onlyInlined ? "is missing, and loadOnlyInlinedPlugins forbids others" : "is empty");
        }

        return new NetworkConfiguration
        {
            Name = NetworkName.ReadNetwork(node),
            Versions = ReadVersions(node),
            DisableCheck = ReadFlag(node, "disableCheck"),
            DisableGC = ReadFlag(node, "disableGC"),
            LoadOnlyInlinedPlugins = onlyInlined,
            Plugins = plugins,
        };
    }

    static NetworkConfiguration ReadSingle(SpecNode node)
    {
        if (node.Find("plugins") is not null && node.Find("type") is null)
        {
            throw new SpecException("plugins", "is for lists, whose files are named *.conflist");
        }

        return new NetworkConfiguration { Name = NetworkName.ReadNetwork(node), Versions = ReadVersions(node), LoadOnlyInlinedPlugins = true, Plugins = [PluginConfiguration.Read(node)] };
    }

    public static void Write(SpecWriter json, NetworkConfiguration network)
    {
        json.Text("cniVersion", network.Versions[0].ToString());
        if (network.Versions.Count > 1)
        {
            json.Texts("cniVersions", [.. network.Versions.Select(version => version.ToString())]);
        }

        json.Text("name", network.Name);
        json.Flag("disableCheck", network.DisableCheck ? true : null);
        json.Flag("disableGC", network.DisableGC ? true : null);
        json.Flag("loadOnlyInlinedPlugins", true);
        json.List("plugins", network.Plugins, (one, plugin) => one.Members(plugin.Json));
    }

    static IReadOnlyList<CniVersion> ReadVersions(SpecNode node)
    {
        var said = node.List("cniVersions", one => (one.Path, Text: one.Text())).ToList();
        if (node.Find("cniVersion") is { } version)
        {
            said.Add((version.Path, version.Text()));
        }

        // An empty one is none, as with libcni; those of the future are passed over as long as there is another.
        said.RemoveAll(one => one.Text.Length == 0);
        var versions = said.ConvertAll(one => CniVersion.TryParse(one.Text) ?? throw new SpecException(one.Path, $"'{one.Text}' is not a version, as in {CniVersion.Newest}"));
        var known = versions.Where(one => one.IsKnown).Distinct().OrderDescending().ToList();
        return said.Count == 0 ? [CniVersion.Unsaid]
            : known.Count > 0 ? known
            : throw new SpecException(said[^1].Path, $"'{said[^1].Text}' is none of {string.Join(", ", CniVersion.Known)}");
    }

    /// <summary>True or false, which libcni also takes as text.</summary>
    static bool ReadFlag(SpecNode node, string name) => node.Find(name) is { } flag && (flag.Kind == JsonValueKind.String && bool.TryParse(flag.Text(), out bool said) ? said : flag.Flag());
}

/// <summary>What one plug-in of a network is to do; most of it is between the administrator and the plug-in.</summary>
/// <param name="Type">The name of its executable.</param>
/// <param name="Json">The whole object as it was written.</param>
public sealed record PluginConfiguration(string Type, JsonElement Json)
{
    /// <summary>The capability arguments that it takes.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>The plug-in that it has addresses from; null where it has none.</summary>
    public string? IpamType { get; init; }

    public NetworkDns Dns { get; init; } = new();

    /// <exception cref="SpecException">Not JSON, or not an object of the specification's shape; says where.</exception>
    public static PluginConfiguration Parse(ReadOnlySpan<byte> json, string source) => SpecNode.Parse(json, source, Read);

    internal static PluginConfiguration Read(SpecNode node) => new(NetworkName.ReadPlugin(node), node.Raw())
    {
        Capabilities = node.Map("capabilities", one => one.Flag())?.Where(one => one.Value).Select(one => one.Key).ToList() ?? [],
        IpamType = node.Find("ipam") is { } ipam && ipam.FindFilled("type") is not null ? NetworkName.ReadPlugin(ipam) : null,
        Dns = node.Find("dns", NetworkDns.Read) ?? new(),
    };
}
