namespace Nacelle.Linux;

/// <summary>Network devices that exist in the kernel only. See ip-link(8), "TYPES", and veth(4).</summary>
public static class VirtualLinks
{
    const ushort VETH_INFO_PEER = 1, IFLA_BR_VLAN_FILTERING = 7;
    const ushort Creation = NetlinkSocket.NLM_F_CREATE | NetlinkSocket.NLM_F_EXCL;

    /// <summary>A pair of devices: what one is given, the other receives. Both are down.</summary>
    /// <param name="peer">The second, made in its namespace at once: moving a device takes the kernel milliseconds.</param>
    /// <remarks>EEXIST: one of the names is taken; ERANGE: no such MTU.</remarks>
    public static NetworkChange CreatingPair(NewLink one, NewLink peer) => new(
        $"make network devices {one.Name} and {peer.Name}",
        Describe(new NetlinkWriter(NetworkLink.RTM_NEWLINK, Creation), one)
            .Nested(NetworkLink.IFLA_LINKINFO, information => information
                .Attribute(NetworkLink.IFLA_INFO_KIND, "veth")
                .Nested(NetworkLink.IFLA_INFO_DATA, data => data.Nested(VETH_INFO_PEER, other => Describe(other, peer)))));

    /// <summary>A switch whose ports are other devices.</summary>
    /// <param name="knowsVlans">Whether its ports belong to virtual networks; see <see cref="BridgeVlans"/>.</param>
    /// <remarks>EEXIST: the name is taken; EOPNOTSUPP: bridges of this kernel know of no virtual networks.</remarks>
    public static NetworkChange CreatingBridge(NewLink bridge, bool knowsVlans = false) =>
        Creating(bridge, "bridge", knowsVlans ? data => data.Attribute(IFLA_BR_VLAN_FILTERING, [1]) : null);

    /// <summary>An intermediate functional block: a device through which another's incoming traffic is led, so that it can be queued.</summary>
    public static NetworkChange CreatingIntermediate(NewLink block) => Creating(block, "ifb");

    static NetworkChange Creating(NewLink link, string kind, Action<NetlinkWriter>? data = null) => new(
        $"make {kind} {link.Name}{(data is null ? "" : " with virtual networks")}",
        Describe(new NetlinkWriter(NetworkLink.RTM_NEWLINK, Creation), link).Nested(NetworkLink.IFLA_LINKINFO, information =>
        {
            information.Attribute(NetworkLink.IFLA_INFO_KIND, kind);
            if (data is not null)
            {
                information.Nested(NetworkLink.IFLA_INFO_DATA, data);
            }
        }));

    static NetlinkWriter Describe(NetlinkWriter message, NewLink link)
    {
        message.Structure(default(NetworkLink.Header)).Attribute(NetworkLink.IFLA_IFNAME, link.Name);
        if (link.Mtu is { } mtu)
        {
            message.Attribute(NetworkLink.IFLA_MTU, mtu);
        }

        if (link.HardwareAddress is { } address)
        {
            message.Attribute(NetworkLink.IFLA_ADDRESS, address);
        }

        return link.Namespace is { } space ? message.Attribute(NetworkLink.IFLA_NET_NS_FD, (uint)space.Number) : message;
    }
}

/// <summary>A network device that is to be made.</summary>
/// <param name="Name">At most 15 bytes.</param>
public sealed record NewLink(string Name)
{
    /// <summary>The largest packet, in bytes; null for what is usual.</summary>
    public uint? Mtu { get; init; }

    /// <summary>Null for one that the kernel draws, and that others may change then.</summary>
    public byte[]? HardwareAddress { get; init; }

    /// <summary>Where it is made; null for the socket's namespace. Open until the change is applied.</summary>
    public FileDescriptor? Namespace { get; init; }
}
