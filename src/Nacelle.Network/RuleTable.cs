using System.Net;
using System.Net.Sockets;
using Nacelle.Linux;

namespace Nacelle.Network;

/// <summary>The rules for what pods send and receive: one table for all of them. <c>nft list table inet nacelle</c> shows it.</summary>
static class RuleTable
{
    /// <summary>Pods whose traffic is masqueraded where it leaves their network.</summary>
    public const string Sources = "sources";

    /// <summary>Pods that ports are forwarded to: what of it would not come back this way is masqueraded.</summary>
    public const string Targets = "targets";

    /// <summary>Ports of all addresses of the machine.</summary>
    public const string Ports = "ports";

    /// <summary>Ports of single addresses.</summary>
    public const string AddressPorts = "address_ports";

    /// <summary>Bridges whose pods are not reached from other such bridges; of them those whose own pods reach each other.</summary>
    public const string Bridges = "bridges", SameBridge = "same_bridge";

    const string Guard = "guard", Prerouting = "prerouting", Output = "output", Postrouting = "postrouting", Forward = "forward", Lead = "lead";

    public static PacketTable Open() => new(NftablesFamily.Inet, "Nacelle's networks, form 1", Make);

    /// <summary>The map of a family: <c>ports4</c>, <c>ports6</c>.</summary>
    public static string Of(string map, AddressFamily family) => map + (family == AddressFamily.InterNetwork ? '4' : '6');

    /// <summary>Where traffic of a masqueraded pod of that network goes on.</summary>
    public static string MasqueradeChain(IPNetwork network) => ChainOf("masquerade", network);

    /// <summary>Where traffic goes on that was led to a pod of that network.</summary>
    public static string HairpinChain(IPNetwork network) => ChainOf("hairpin", network);

    // ':' has a meaning of its own in nft's language.
    static string ChainOf(string purpose, IPNetwork network) => $"{purpose}_{network.ToString().Replace(':', '_')}";

    static void Make(NftablesBatch batch)
    {
        foreach (char family in "46")
        {
            var address = family == '4' ? NftablesType.IPv4Address : NftablesType.IPv6Address;
            batch
                .AddSet(new(Sources + family, address) { LeadsToVerdicts = true })
                .AddSet(new(Targets + family, address) { LeadsToVerdicts = true })
                .AddSet(new(Ports + family, NftablesType.Protocol, NftablesType.Port) { Data = [address, NftablesType.Port] })
                .AddSet(new(AddressPorts + family, address, NftablesType.Protocol, NftablesType.Port) { Data = [address, NftablesType.Port] });
        }

        batch
            .AddSet(new(Bridges, NftablesType.DeviceName))
            .AddSet(new(SameBridge, NftablesType.DeviceName, NftablesType.DeviceName))
            .AddChain(Lead)
            .AddChain(Guard, "filter", NftablesHook.Prerouting, -300)
            .AddChain(Prerouting, "nat", NftablesHook.Prerouting, -100)
            .AddChain(Output, "nat", NftablesHook.Output, -100)
            .AddChain(Postrouting, "nat", NftablesHook.Postrouting, 100)
            .AddChain(Forward, "filter", NftablesHook.Forward, 0);
        foreach (var chain in (ReadOnlySpan<string>)[Lead, Guard, Prerouting, Output, Postrouting, Forward])
        {
            batch.ClearChain(chain);
        }

        batch
            .AddRule(Lead, new NftablesRule().WhenIPv4().TranslateDestination(AddressPorts + '4', 4, NftablesField.IPv4Destination, NftablesField.Protocol, NftablesField.DestinationPort))
            .AddRule(Lead, new NftablesRule().WhenIPv4().TranslateDestination(Ports + '4', 4, NftablesField.Protocol, NftablesField.DestinationPort))
            .AddRule(Lead, new NftablesRule().WhenIPv6().TranslateDestination(AddressPorts + '6', 16, NftablesField.IPv6Destination, NftablesField.Protocol, NftablesField.DestinationPort))
            .AddRule(Lead, new NftablesRule().WhenIPv6().TranslateDestination(Ports + '6', 16, NftablesField.Protocol, NftablesField.DestinationPort))

            // CVE-2020-8558: connections of the machine to its own 127.0.0.1 are led to pods, which takes route_localnet; that would let neighbours and pods send to 127.0.0.0/8 too.
            .AddRule(Guard, new NftablesRule().WhenNotFromLoopback().WhenIn(IPNetwork.Parse("127.0.0.0/8"), source: false).Then(NftablesVerdict.Drop))
            .AddRule(Prerouting, new NftablesRule().WhenDestinationIsLocal().Then(NftablesVerdict.Jump(Lead)))
            .AddRule(Output, new NftablesRule().WhenDestinationIsLocal().Then(NftablesVerdict.Jump(Lead)))
            .AddRule(Postrouting, new NftablesRule().WhenDestinationWasTranslated().WhenIPv4().Decide(Targets + '4', NftablesField.IPv4Destination))
            .AddRule(Postrouting, new NftablesRule().WhenDestinationWasTranslated().WhenIPv6().Decide(Targets + '6', NftablesField.IPv6Destination))
            .AddRule(Postrouting, new NftablesRule().WhenIPv4().Decide(Sources + '4', NftablesField.IPv4Source))
            .AddRule(Postrouting, new NftablesRule().WhenIPv6().Decide(Sources + '6', NftablesField.IPv6Source))
            .AddRule(Forward, new NftablesRule().WhenIn(SameBridge, NftablesField.InputDevice, NftablesField.OutputDevice).Then(NftablesVerdict.Return))
            .AddRule(Forward, new NftablesRule().WhenIn(Bridges, NftablesField.InputDevice).WhenIn(Bridges, NftablesField.OutputDevice).Then(NftablesVerdict.Drop));
    }

    /// <summary>Makes the chains of a network, or fills them anew: they are the same at all times.</summary>
    public static void MakeChains(NftablesBatch batch, IPNetwork network)
    {
        bool four = network.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
        string masquerade = MasqueradeChain(network), hairpin = HairpinChain(network);
        batch
            .AddChain(masquerade)
            .ClearChain(masquerade)
            .AddRule(masquerade, new NftablesRule().WhenIn(network, source: false).Then(NftablesVerdict.Return))
            .AddRule(masquerade, new NftablesRule().WhenIn(IPNetwork.Parse(four ? "224.0.0.0/4" : "ff00::/8"), source: false).Then(NftablesVerdict.Return))
            .AddRule(masquerade, new NftablesRule().Masquerade())
            .AddChain(hairpin)
            .ClearChain(hairpin)
            .AddRule(hairpin, new NftablesRule().WhenIn(network, source: true).Masquerade());
        if (four)
        {
            batch.AddRule(hairpin, new NftablesRule().WhenIn(IPNetwork.Parse("127.0.0.0/8"), source: true).Masquerade());
        }
    }
}
