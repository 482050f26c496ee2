using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>What bridge is told. See the documentation of the plug-in.</summary>
sealed record BridgeConfiguration
{
    const string UsualBridge = "cni0";

    public required string Bridge { get; init; }

    /// <summary>Whether the bridge gets the gateways' addresses.</summary>
    public bool IsGateway { get; private init; }

    public bool IsDefaultGateway { get; private init; }

    /// <summary>Whether a bridge that has other addresses loses them.</summary>
    public bool ForceAddress { get; private init; }

    public bool Masquerades { get; private init; }

    public uint? Mtu { get; private init; }

    public bool Reflects { get; private init; }

    public bool IsPromiscuous { get; private init; }

    /// <summary>Whether pods that are so reach each other.</summary>
    public bool IsIsolated { get; private init; }

    /// <summary>Whether the pod may send from its own hardware address only.</summary>
    public bool ChecksSource { get; private init; }

    /// <summary>Whether it is asked first if somebody else has an address.</summary>
    public bool DetectsDuplicates { get; private init; }

    /// <summary>Whether the pod's end of the link stays down.</summary>
    public bool StaysDown { get; private init; }

    /// <summary>The virtual network that what the pod sends without a tag belongs to; 0 for none.</summary>
    public ushort Vlan { get; private init; }

    /// <summary>Virtual networks whose tags the pod sees; null where none are said.</summary>
    public IReadOnlyList<ushort>? Trunk { get; private init; }

    /// <summary>Whether the port stays in the virtual network that the bridge puts ports into.</summary>
    public bool KeepsDefaultVlan { get; private init; }

    public bool KnowsVlans => Vlan != 0 || Trunk is not null;

    public byte[]? Mac { get; private init; }

    public NetworkDns? Dns { get; private init; }

    public static BridgeConfiguration Read(PluginCall call)
    {
        var root = SpecNode.Of(call.Configuration);
        var name = root.FindFilled("bridge") ?? UsualBridge;
        bool isDefault = root.FindFlag("isDefaultGateway");
        var configuration = new BridgeConfiguration
        {
            Bridge = NetworkName.IsDevice(name) ? name : throw new SpecException("bridge", $"'{name}' is not a device's name"),
            IsGateway = root.FindFlag("isGateway") || isDefault,
            IsDefaultGateway = isDefault,
            ForceAddress = root.FindFlag("forceAddress"),
            Masquerades = root.FindFlag("ipMasq"),
            Mtu = PluginOptions.ReadMtu(root),
            Reflects = root.FindFlag("hairpinMode"),
            IsPromiscuous = root.FindFlag("promiscMode"),
            IsIsolated = root.FindFlag("portIsolation"),
            ChecksSource = root.FindFlag("macspoofchk"),
            DetectsDuplicates = root.FindFlag("enabledad"),
            StaysDown = root.FindFlag("disableContainerInterface"),
            Vlan = root.Find("vlan") is { } vlan && vlan.Int() != 0 ? ReadVlan(vlan) : (ushort)0,
            Trunk = root.Find("vlanTrunk")?.Items(ReadRange).SelectMany(range => range).Distinct().Order().ToList(),
            KeepsDefaultVlan = root.FindFlag("preserveDefaultVlan"),
            Mac = PluginOptions.FindMac(call),
            Dns = PluginOptions.ReadDns(root),
        };
        if (configuration is { Reflects: true, IsPromiscuous: true })
        {
            throw new SpecException("hairpinMode", "cannot be set together with promiscMode");
        }

        return configuration.StaysDown && root.Find("ipam")?.FindFilled("type") is not null
            ? throw new SpecException("disableContainerInterface", "cannot be set together with ipam: a device that is down has no use for addresses")
            : configuration;
    }

    public static string? NeedsProgram(SpecNode root) => PluginOptions.IptablesKey(root, "ipMasqBackend");

    static ushort ReadVlan(SpecNode node) => node.Int() is >= 1 and <= 4094 and var number ? (ushort)number : throw new SpecException(node.Path, $"{node.Int()} is not the number of a virtual network: 1 to 4094");

    /// <summary>One by its <c>id</c>, those from <c>minID</c> to <c>maxID</c>, or both.</summary>
    static IEnumerable<ushort> ReadRange(SpecNode node)
    {
        List<ushort> vlans = node.Find("id") is { } id ? [ReadVlan(id)] : [];
        if (node.Find("minID") is not null || node.Find("maxID") is not null)
        {
            ushort first = ReadVlan(node.Need("minID")), last = ReadVlan(node.Need("maxID"));
            vlans.AddRange(last >= first ? Enumerable.Range(first, last - first + 1).Select(number => (ushort)number) : throw new SpecException(node.Path, "minID is greater than maxID"));
        }

        return vlans;
    }
}
