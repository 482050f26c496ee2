using System.Net;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>A route of one namespace. See rtnetlink(7), "RTM_NEWROUTE", and ip-route(8).</summary>
/// <param name="Destination">The network that it leads to; of no bits for the default route.</param>
/// <param name="Link">The number of the device that it goes by; 0 where the kernel finds it by the gateway.</param>
public sealed record LinkRoute(IPNetwork Destination, int Link)
{
    public const byte Everywhere = 0, OnLink = 253, OnHost = 254;
    public const uint MainTable = 254;

    const ushort RTM_NEWROUTE = 24, RTM_DELROUTE = 25, RTM_GETROUTE = 26;
    const ushort RTA_DST = 1, RTA_OIF = 4, RTA_GATEWAY = 5, RTA_PRIORITY = 6, RTA_PREFSRC = 7, RTA_METRICS = 8, RTA_TABLE = 15, RTAX_MTU = 2, RTAX_ADVMSS = 8;
    const byte RTN_UNICAST = 1, RTPROT_BOOT = 3;
    const uint RTNH_F_ONLINK = 4;

    public IPAddress? Gateway { get; init; }

    /// <summary>The address that packets leave from, unless their sender chose one.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>RT_SCOPE_*: how far the destination is; IPv6 has none.</summary>
    public byte Scope { get; init; } = Everywhere;

    public uint Table { get; init; } = MainTable;

    /// <summary>The metric: less is preferred.</summary>
    public uint? Priority { get; init; }

    /// <summary>The largest packet on the way, in bytes.</summary>
    public uint? Mtu { get; init; }

    /// <summary>The largest segment that is announced to TCP's other end, in bytes.</summary>
    public uint? AdvertisedSegment { get; init; }

    /// <summary>Whether the gateway counts as reachable by the device, whatever its addresses say.</summary>
    public bool GatewayIsOnLink { get; init; }

    /// <summary>struct rtmsg.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 12)]
    struct Header
    {
        [FieldOffset(0)]
        public byte Family;
        [FieldOffset(1)]
        public byte DestinationLength;
        [FieldOffset(5)]
        public byte Protocol;
        [FieldOffset(6)]
        public byte Scope;
        [FieldOffset(7)]
        public byte Type;
        [FieldOffset(8)]
        public uint Flags;
    }

    /// <summary>The routes of a table of both families, but for what the kernel keeps in a cache.</summary>
    public static IReadOnlyList<LinkRoute> List(NetlinkSocket network, uint table = MainTable)
    {
        var routes = new List<LinkRoute>();
        foreach (byte family in (ReadOnlySpan<byte>)[AddressFamilies.AF_INET, AddressFamilies.AF_INET6])
        {
            routes.AddRange(network.Query("list routes", () => new NetlinkWriter(RTM_GETROUTE, NetlinkSocket.NLM_F_DUMP).Structure(new Header { Family = family }))
                .Where(message => message.Structure<Header>().Type == RTN_UNICAST)
                .Select(Parse)
                .Where(route => route.Table == table));
        }

        return routes;
    }

    /// <summary>The number of the device by which packets to an address leave; null where none leads there.</summary>
    public static int? FindLink(NetlinkSocket network, IPAddress address)
    {
        try
        {
            var replies = network.Query($"find the route to {address}", () => new NetlinkWriter(RTM_GETROUTE, NetlinkSocket.NLM_F_ACK)
                .Structure(new Header { Family = AddressFamilies.Of(address), DestinationLength = (byte)(address.GetAddressBytes().Length * 8) })
                .Attribute(RTA_DST, address.GetAddressBytes()));
            return Parse(replies[0]).Link;
        }
        catch (KernelException failure) when (failure.Errno is Errno.ENETUNREACH or Errno.EHOSTUNREACH or Errno.EACCES or Errno.EINVAL)
        {
            return null;
        }
    }

    /// <summary>Adds the route beside others to the same destination.</summary>
    /// <remarks>EEXIST: there is this very one; ENETUNREACH: the gateway is not on the link.</remarks>
    public NetworkChange Adding() => new($"add {this}", Describe(RTM_NEWROUTE, NetlinkSocket.NLM_F_CREATE));

    /// <summary>Adds the route in the place of another to the same destination, if there is one.</summary>
    public NetworkChange Replacing() => new($"replace {this}", Describe(RTM_NEWROUTE, NetlinkSocket.NLM_F_CREATE | NetlinkSocket.NLM_F_REPLACE));

    /// <remarks>ESRCH: there is none.</remarks>
    public NetworkChange Removing() => new($"remove {this}", Describe(RTM_DELROUTE, 0));

    public override string ToString() => Gateway is null ? $"route to {Destination}" : $"route to {Destination} by {Gateway}";

    NetlinkWriter Describe(ushort type, ushort flags)
    {
        bool four = Destination.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;
        var message = new NetlinkWriter(type, flags)
            .Structure(new Header
            {
                Family = AddressFamilies.Of(Destination.BaseAddress), DestinationLength = (byte)Destination.PrefixLength, Protocol = RTPROT_BOOT,
                Scope = four ? Scope : Everywhere, Type = RTN_UNICAST, Flags = GatewayIsOnLink ? RTNH_F_ONLINK : 0,
            })
            .Attribute(RTA_TABLE, Table);
        if (Destination.PrefixLength > 0)
        {
            message.Attribute(RTA_DST, Destination.BaseAddress.GetAddressBytes());
        }

        if (Link != 0)
        {
            message.Attribute(RTA_OIF, (uint)Link);
        }

        if (Gateway is not null)
        {
            message.Attribute(RTA_GATEWAY, Gateway.GetAddressBytes());
        }

        if (Source is not null)
        {
            message.Attribute(RTA_PREFSRC, Source.GetAddressBytes());
        }

        if (Priority is { } priority)
        {
            message.Attribute(RTA_PRIORITY, priority);
        }

        if (Mtu is not null || AdvertisedSegment is not null)
        {
            message.Nested(RTA_METRICS, metrics =>
            {
                if (Mtu is { } mtu)
                {
                    metrics.Attribute(RTAX_MTU, mtu);
                }

                if (AdvertisedSegment is { } segment)
                {
                    metrics.Attribute(RTAX_ADVMSS, segment);
                }
            });
        }

        return message;
    }

    static LinkRoute Parse(NetlinkMessage message)
    {
        var header = message.Structure<Header>();
        var any = header.Family == AddressFamilies.AF_INET ? IPAddress.Any : IPAddress.IPv6Any;
        var route = new LinkRoute(new IPNetwork(any, 0), 0) { Scope = header.Scope, GatewayIsOnLink = (header.Flags & RTNH_F_ONLINK) != 0 };
        var attributes = message.Attributes<Header>();
        while (attributes.MoveNext())
        {
            route = attributes.Type switch
            {
                RTA_DST => route with { Destination = new IPNetwork(AddressFamilies.Read(attributes.Value)!, header.DestinationLength) },
                RTA_OIF => route with { Link = (int)attributes.Number },
                RTA_GATEWAY => route with { Gateway = AddressFamilies.Read(attributes.Value) },
                RTA_PREFSRC => route with { Source = AddressFamilies.Read(attributes.Value) },
                RTA_PRIORITY => route with { Priority = attributes.Number },
                RTA_TABLE => route with { Table = attributes.Number },
                RTA_METRICS => ReadMetrics(route, attributes.Nested),
                _ => route,
            };
        }

        return route;
    }

    static LinkRoute ReadMetrics(LinkRoute route, NetlinkAttributes metrics)
    {
        while (metrics.MoveNext())
        {
            route = metrics.Type switch
            {
                RTAX_MTU => route with { Mtu = metrics.Number },
                RTAX_ADVMSS => route with { AdvertisedSegment = metrics.Number },
                _ => route,
            };
        }

        return route;
    }
}
