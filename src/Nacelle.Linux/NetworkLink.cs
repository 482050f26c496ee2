namespace Nacelle.Linux;

/// <summary>A network device of one namespace. See rtnetlink(7), "RTM_NEWLINK", and netdevice(7).</summary>
/// <param name="Index">Its number, in this namespace.</param>
/// <param name="IsUp">Whether it is meant to carry traffic (IFF_UP).</param>
/// <param name="Mtu">The largest packet, in bytes.</param>
/// <param name="HardwareAddress">Empty where devices of its kind have none.</param>
public sealed record NetworkLink(int Index, string Name, bool IsUp, uint Mtu, byte[] HardwareAddress)
{
    internal const ushort RTM_NEWLINK = 16, RTM_DELLINK = 17, RTM_GETLINK = 18;
    internal const ushort IFLA_ADDRESS = 1, IFLA_IFNAME = 3, IFLA_MTU = 4, IFLA_LINKINFO = 18, IFLA_NET_NS_FD = 28, IFLA_INFO_KIND = 1, IFLA_INFO_DATA = 2;
    const ushort IFLA_LINK = 5, IFLA_MASTER = 10, IFLA_TXQLEN = 13, IFLA_OPERSTATE = 16, IFLA_PROMISCUITY = 30;
    const uint IFF_UP = 1, IFF_PROMISC = 0x100, IFF_ALLMULTI = 0x200;
    const byte IF_OPER_UNKNOWN = 0, IF_OPER_UP = 6;

    /// <summary>The driver, as in <c>veth</c>; empty for devices that are not virtual.</summary>
    public string Kind { get; init; } = "";

    /// <summary>The other end of a veth pair, or the device below: its number, in its own namespace; 0 for none.</summary>
    public int Peer { get; init; }

    /// <summary>The bridge whose port it is; 0 for none.</summary>
    public int Master { get; init; }

    /// <summary>Whether traffic passes already: it is up, and its other end too.</summary>
    public bool Carries { get; init; }

    public bool IsPromiscuous { get; init; }

    /// <summary>Whether it takes all packets to groups (IFF_ALLMULTI).</summary>
    public bool TakesAllGroups { get; init; }

    /// <summary>In packets.</summary>
    public uint QueueLength { get; init; }

    /// <summary>struct ifinfomsg.</summary>
    internal struct Header
    {
        public byte Family, Padding;
        public ushort Kind;
        public int Index;
        public uint Flags, Change;
    }

    /// <summary>The device of that name, at most 15 bytes; null where there is none.</summary>
    public static NetworkLink? Find(NetlinkSocket network, string name) =>
        Find(network, $"find network device {name}", () => new NetlinkWriter(RTM_GETLINK, NetlinkSocket.NLM_F_ACK).Structure(default(Header)).Attribute(IFLA_IFNAME, name));

    /// <summary>The device of that number; null where there is none.</summary>
    public static NetworkLink? Find(NetlinkSocket network, int index) =>
        Find(network, $"find network device {index}", () => new NetlinkWriter(RTM_GETLINK, NetlinkSocket.NLM_F_ACK).Structure(new Header { Index = index }));

    /// <summary>All devices of the namespace.</summary>
    public static IReadOnlyList<NetworkLink> List(NetlinkSocket network) =>
        network.Query("list network devices", () => new NetlinkWriter(RTM_GETLINK, NetlinkSocket.NLM_F_DUMP).Structure(default(Header))).ConvertAll(Parse);

    /// <param name="operation">For the error; left out where the settings say it all.</param>
    public NetworkChange Changing(LinkSettings settings, string? operation = null)
    {
        uint flags = 0, change = 0;
        Set(settings.IsUp, IFF_UP);
        Set(settings.IsPromiscuous, IFF_PROMISC);
        Set(settings.TakesAllGroups, IFF_ALLMULTI);
        var message = new NetlinkWriter(RTM_NEWLINK, 0).Structure(new Header { Index = Index, Flags = flags, Change = change });
        if (settings.Namespace is { } space)
        {
            message.Attribute(IFLA_NET_NS_FD, (uint)space.Number);
        }

        if (settings.Name is { } name)
        {
            message.Attribute(IFLA_IFNAME, name);
        }

        if (settings.Mtu is { } mtu)
        {
            message.Attribute(IFLA_MTU, mtu);
        }

        if (settings.HardwareAddress is { } address)
        {
            message.Attribute(IFLA_ADDRESS, address);
        }

        if (settings.Master is { } master)
        {
            message.Attribute(IFLA_MASTER, (uint)master);
        }

        if (settings.QueueLength is { } length)
        {
            message.Attribute(IFLA_TXQLEN, length);
        }

        return new NetworkChange(operation ?? $"change network device {Name}", message);

        void Set(bool? wanted, uint flag)
        {
            change |= wanted is null ? 0 : flag;
            flags |= wanted == true ? flag : 0;
        }
    }

    /// <summary>Removes the device; of a pair both.</summary>
    /// <remarks>ENODEV: it is gone already; EOPNOTSUPP: not one that somebody made.</remarks>
    public NetworkChange Removing() => new($"remove network device {Name}", new NetlinkWriter(RTM_DELLINK, 0).Structure(new Header { Index = Index }));

    static NetworkLink? Find(NetlinkSocket network, string operation, Func<NetlinkWriter> message)
    {
        try
        {
            return Parse(network.Query(operation, message)[0]);
        }
        catch (KernelException failure) when (failure.Errno == Errno.ENODEV)
        {
            return null;
        }
    }

    static NetworkLink Parse(NetlinkMessage message)
    {
        var header = message.Structure<Header>();
        var link = new NetworkLink(header.Index, "", (header.Flags & IFF_UP) != 0, 0, []) { TakesAllGroups = (header.Flags & IFF_ALLMULTI) != 0 };
        var attributes = message.Attributes<Header>();
        while (attributes.MoveNext())
        {
            link = attributes.Type switch
            {
                IFLA_IFNAME => link with { Name = attributes.Text },
                IFLA_MTU => link with { Mtu = attributes.Number },
                IFLA_ADDRESS => link with { HardwareAddress = attributes.Value.ToArray() },
                IFLA_LINK => link with { Peer = (int)attributes.Number },
                IFLA_MASTER => link with { Master = (int)attributes.Number },
                IFLA_TXQLEN => link with { QueueLength = attributes.Number },
                IFLA_PROMISCUITY => link with { IsPromiscuous = attributes.Number != 0 },
                IFLA_OPERSTATE => link with { Carries = link.IsUp && attributes.Value is [IF_OPER_UNKNOWN or IF_OPER_UP] },
                IFLA_LINKINFO => link with { Kind = ReadKind(attributes.Nested) },
                _ => link,
            };
        }

        return link;
    }

    static string ReadKind(NetlinkAttributes information)
    {
        while (information.MoveNext())
        {
            if (information.Type == IFLA_INFO_KIND)
            {
                return information.Text;
            }
        }

        return "";
    }
}
