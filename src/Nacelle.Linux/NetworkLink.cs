namespace Nacelle.Linux;

/// <summary>A network device of one namespace. See rtnetlink(7), "RTM_NEWLINK", and netdevice(7).</summary>
/// <param name="Index">Its number, in this namespace.</param>
/// <param name="IsUp">Whether it is meant to carry traffic (IFF_UP).</param>
/// <param name="Mtu">The largest packet, in bytes.</param>
/// <param name="HardwareAddress">Empty where devices of its kind have none.</param>
public sealed record NetworkLink(int Index, string Name, bool IsUp, uint Mtu, byte[] HardwareAddress)
{
    internal const ushort RTM_NEWLINK = 16, RTM_GETLINK = 18;
    internal const ushort IFLA_ADDRESS = 1, IFLA_IFNAME = 3, IFLA_MTU = 4, IFLA_NET_NS_FD = 28;
    const uint IFF_UP = 1;

    /// <summary>struct ifinfomsg.</summary>
    internal struct Header
    {
        public byte Family, Padding;
        public ushort Kind;
        public int Index;
        public uint Flags, Change;
    }

    /// <summary>The device of that name, at most 15 bytes; null where there is none.</summary>
    public static NetworkLink? Find(NetlinkSocket network, string name)
    {
        try
        {
            var replies = network.Query($"find network device {name}", () => new NetlinkWriter(RTM_GETLINK, NetlinkSocket.NLM_F_ACK).Structure(default(Header)).Attribute(IFLA_IFNAME, name));
            return Parse(replies[0]);
        }
        catch (KernelException failure) when (failure.Errno == Errno.ENODEV)
        {
            return null;
        }
    }

    /// <summary>All devices of the namespace.</summary>
    public static IReadOnlyList<NetworkLink> List(NetlinkSocket network) =>
        network.Query("list network devices", () => new NetlinkWriter(RTM_GETLINK, NetlinkSocket.NLM_F_DUMP).Structure(default(Header))).ConvertAll(Parse);

    /// <summary>Lets the device carry traffic.</summary>
    public void SetUp(NetlinkSocket network) => network.Request(
        $"set network device {Name} up",
        new NetlinkWriter(RTM_NEWLINK, NetlinkSocket.NLM_F_ACK).Structure(new Header { Index = Index, Flags = IFF_UP, Change = IFF_UP }));

    static NetworkLink Parse(NetlinkMessage message)
    {
        var header = message.Structure<Header>();
        var link = new NetworkLink(header.Index, "", (header.Flags & IFF_UP) != 0, 0, []);
        var attributes = message.Attributes<Header>();
        while (attributes.MoveNext())
        {
            link = attributes.Type switch
            {
                IFLA_IFNAME => link with { Name = attributes.Text },
                IFLA_MTU => link with { Mtu = attributes.Number },
                IFLA_ADDRESS => link with { HardwareAddress = attributes.Value.ToArray() },
                _ => link,
            };
        }

        return link;
    }
}
