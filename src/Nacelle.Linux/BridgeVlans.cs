using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Which virtual networks the ports of a bridge belong to that knows of such. See bridge(8), "bridge vlan".</summary>
public static class BridgeVlans
{
    const ushort RTM_SETLINK = 19, IFLA_AF_SPEC = 26, IFLA_EXT_MASK = 29, IFLA_BRIDGE_VLAN_INFO = 2;
    const ushort BRIDGE_VLAN_INFO_PVID = 2, BRIDGE_VLAN_INFO_UNTAGGED = 4;
    const uint RTEXT_FILTER_BRVLAN = 2;

    /// <summary>struct bridge_vlan_info.</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct Membership
    {
        public ushort Flags, Vlan;
    }

    /// <summary>Those that a port belongs to.</summary>
    public static IReadOnlyList<ushort> List(NetlinkSocket network, NetworkLink port)
    {
        var replies = network.Query(
            $"list virtual networks of {port.Name}",
            () => new NetlinkWriter(NetworkLink.RTM_GETLINK, NetlinkSocket.NLM_F_DUMP).Structure(new NetworkLink.Header { Family = AddressFamilies.AF_BRIDGE }).Attribute(IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN));
        var vlans = new List<ushort>();
        foreach (var reply in replies.Where(reply => reply.Structure<NetworkLink.Header>().Index == port.Index))
        {
            var attributes = reply.Attributes<NetworkLink.Header>();
            while (attributes.MoveNext())
            {
                for (var specification = attributes.Nested; attributes.Type == IFLA_AF_SPEC && specification.MoveNext();)
                {
                    if (specification.Type == IFLA_BRIDGE_VLAN_INFO && MemoryMarshal.TryRead<Membership>(specification.Value, out var membership))
                    {
                        vlans.Add(membership.Vlan);
                    }
                }
            }
        }

        return vlans;
    }

    /// <param name="vlan">From 1 to 4094.</param>
    /// <param name="isNative">Whether what has no tag belongs to it, in both directions.</param>
    public static NetworkChange Adding(NetworkLink port, ushort vlan, bool isNative) => new(
        $"add {port.Name} to virtual network {vlan}", Describe(RTM_SETLINK, port, new Membership { Vlan = vlan, Flags = isNative ? (ushort)(BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED) : (ushort)0 }));

    public static NetworkChange Removing(NetworkLink port, ushort vlan) => new(
        $"remove {port.Name} from virtual network {vlan}", Describe(NetworkLink.RTM_DELLINK, port, new Membership { Vlan = vlan }));

    static NetlinkWriter Describe(ushort type, NetworkLink port, Membership membership) => new NetlinkWriter(type, 0)
        .Structure(new NetworkLink.Header { Family = AddressFamilies.AF_BRIDGE, Index = port.Index })
        .Nested(IFLA_AF_SPEC, specification => specification.Attribute(IFLA_BRIDGE_VLAN_INFO, MemoryMarshal.AsBytes(new ReadOnlySpan<Membership>(in membership))));
}
