using System.Net;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>An address of a network device. See rtnetlink(7), "RTM_NEWADDR".</summary>
/// <param name="Local">The address itself.</param>
/// <param name="PrefixLength">The bits of its network.</param>
/// <param name="Flags">IFA_F_* of linux/if_addr.h.</param>
/// <param name="Scope">RT_SCOPE_*: 0 is valid everywhere.</param>
public sealed record NetworkAddress(IPAddress Local, byte PrefixLength, uint Flags, byte Scope)
{
    const ushort RTM_NEWADDR = 20, RTM_DELADDR = 21, RTM_GETADDR = 22;
    const ushort IFA_ADDRESS = 1, IFA_LOCAL = 2, IFA_LABEL = 3, IFA_BROADCAST = 4, IFA_CACHEINFO = 6, IFA_FLAGS = 8, IFA_RT_PRIORITY = 9, IFA_PROTO = 11;
    const uint IFA_F_PERMANENT = 0x80;

    /// <summary>IFA_F_NODAD: usable at once, without asking first whether somebody else has it; for addresses that are ours alone. IPv6 only.</summary>
    public const uint WithoutDetection = 0x02;

    /// <summary>IFA_F_NOPREFIXROUTE: no route to its network comes with it. Linux 4.4 for IPv4.</summary>
    public const uint WithoutRoute = 0x200;

    /// <summary>IFA_F_NODAD, OPTIMISTIC, HOMEADDRESS, MANAGETEMPADDR, NOPREFIXROUTE and MCAUTOJOIN: what a user may ask for; the rest is the kernel's word.</summary>
    const uint Settable = 0x02 | 0x04 | 0x10 | 0x100 | 0x200 | 0x400;

    /// <summary>Whether it was set for good, not for a time.</summary>
    public bool IsPermanent => (Flags & IFA_F_PERMANENT) != 0;

    /// <summary>Whether it is valid beyond this link and this machine (RT_SCOPE_UNIVERSE).</summary>
    public bool IsGlobal => Scope == 0;

    /// <summary>The other end, of an address that goes to one peer.</summary>
    public IPAddress? Peer { get; init; }

    public IPAddress? Broadcast { get; init; }

    /// <summary>In IPv4 the device's name, or the name and an alias: <c>eth0:1</c>.</summary>
    public string? Label { get; init; }

    /// <summary>The metric of the route to its network.</summary>
    public uint? RoutePriority { get; init; }

    /// <summary>Who has set it: IFAPROT_* of linux/if_addr.h.</summary>
    public byte? Protocol { get; init; }

    /// <summary>Seconds for which it is preferred; <see cref="uint.MaxValue"/> for ever.</summary>
    public uint PreferredLifetime { get; init; } = uint.MaxValue;

    /// <summary>Seconds for which it is valid; <see cref="uint.MaxValue"/> for ever.</summary>
    public uint ValidLifetime { get; init; } = uint.MaxValue;

    /// <summary>struct ifaddrmsg.</summary>
    struct Header
    {
        public byte Family, PrefixLength, Flags, Scope;
        public int Link;
    }

    /// <summary>The addresses of a device, of both families, primary ones before those that depend on them.</summary>
    public static IReadOnlyList<NetworkAddress> List(NetlinkSocket network, NetworkLink link)
    {
        var replies = network.Query($"list the addresses of {link.Name}", () => new NetlinkWriter(RTM_GETADDR, NetlinkSocket.NLM_F_DUMP).Structure(new Header { Link = link.Index }));
        return [.. replies.Where(reply => reply.Structure<Header>().Link == link.Index).Select(Parse).OfType<NetworkAddress>()];
    }

    /// <summary>Gives the address to a device.</summary>
    /// <remarks>EEXIST: it has it already; EACCES: IPv6 is switched off there.</remarks>
    public NetworkChange Adding(NetworkLink link)
    {
        var message = Describe(RTM_NEWADDR, NetlinkSocket.NLM_F_CREATE | NetlinkSocket.NLM_F_EXCL, link)
            .Attribute(IFA_FLAGS, Flags & Settable)
            .Attribute(IFA_CACHEINFO, MemoryMarshal.AsBytes<uint>([PreferredLifetime, ValidLifetime, 0, 0]));
        if (Broadcast is not null)
        {
            message.Attribute(IFA_BROADCAST, Broadcast.GetAddressBytes());
        }

        if (Label is not null)
        {
            message.Attribute(IFA_LABEL, Label);
        }

        if (RoutePriority is { } priority)
        {
            message.Attribute(IFA_RT_PRIORITY, priority);
        }

        if (Protocol is { } protocol)
        {
            message.Attribute(IFA_PROTO, [protocol]);
        }

        return new NetworkChange($"give {Local}/{PrefixLength} to {link.Name}", message);
    }

    /// <summary>Takes the address from a device.</summary>
    /// <remarks>EADDRNOTAVAIL: it does not have it.</remarks>
    public NetworkChange Removing(NetworkLink link) => new($"take {Local}/{PrefixLength} from {link.Name}", Describe(RTM_DELADDR, 0, link));

    NetlinkWriter Describe(ushort type, ushort flags, NetworkLink link) => new NetlinkWriter(type, flags)
        .Structure(new Header { Family = AddressFamilies.Of(Local), PrefixLength = PrefixLength, Flags = (byte)(Flags & Settable), Scope = Scope, Link = link.Index })
        .Attribute(IFA_LOCAL, Local.GetAddressBytes())
        .Attribute(IFA_ADDRESS, (Peer ?? Local).GetAddressBytes());

    /// <returns>Null for an address that is neither IPv4 nor IPv6.</returns>
    static NetworkAddress? Parse(NetlinkMessage message)
    {
        var header = message.Structure<Header>();
        IPAddress? local = null, address = null;
        var result = new NetworkAddress(IPAddress.None, header.PrefixLength, header.Flags, header.Scope);
        var attributes = message.Attributes<Header>();
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                case IFA_LOCAL:
                    local = AddressFamilies.Read(attributes.Value);
                    break;
                case IFA_ADDRESS:
                    address = AddressFamilies.Read(attributes.Value);
                    break;
                case IFA_BROADCAST:
                    result = result with { Broadcast = AddressFamilies.Read(attributes.Value) };
                    break;
                case IFA_LABEL:
                    result = result with { Label = attributes.Text };
                    break;
                case IFA_FLAGS:
                    result = result with { Flags = attributes.Number };
                    break;
                case IFA_RT_PRIORITY:
                    result = result with { RoutePriority = attributes.Number };
                    break;
                case IFA_PROTO when attributes.Value.Length > 0:
                    result = result with { Protocol = attributes.Value[0] };
                    break;
                case IFA_CACHEINFO when attributes.Value.Length >= 2 * sizeof(uint):
                    // struct ifa_cacheinfo: preferred, valid, and when it was made and changed
                    result = result with
                    {
                        PreferredLifetime = MemoryMarshal.Read<uint>(attributes.Value), ValidLifetime = MemoryMarshal.Read<uint>(attributes.Value[sizeof(uint)..]),
                    };
                    break;
            }
        }

        // IFA_ADDRESS is the peer where there is one, and else the address again; IPv6 leaves IFA_LOCAL out then.
        return (local ?? address) is not { } own ? null : result with { Local = own, Peer = local is null || address is null || address.Equals(local) ? null : address };
    }
}
