using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>What the kernel remembers of connections that pass. See conntrack(8) and linux/netfilter/nfnetlink_conntrack.h.</summary>
public sealed class ConnectionTracking : IDisposable
{
    const int NETLINK_NETFILTER = 12;
    const ushort NFNL_SUBSYS_CTNETLINK = 1, IPCTNL_MSG_CT_GET = 1, IPCTNL_MSG_CT_DELETE = 2;
    const ushort CTA_TUPLE_ORIG = 1, CTA_ZONE = 18, CTA_FILTER = 25, CTA_TUPLE_PROTO = 2, CTA_PROTO_NUM = 1, CTA_PROTO_DST_PORT = 3, CTA_FILTER_ORIG_FLAGS = 1, CTA_FILTER_REPLY_FLAGS = 2;
    const ushort NLA_F_NESTED = 0x8000;

    readonly NetlinkSocket socket;

    ConnectionTracking(NetlinkSocket socket) => this.socket = socket;

    /// <summary>struct nfgenmsg.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 4)]
    struct Header
    {
        [FieldOffset(0)]
        public byte Family;
    }

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    public static ConnectionTracking Open() => new(NetlinkSocket.Open(NETLINK_NETFILTER));

    public void Dispose() => socket.Dispose();

    /// <summary>Forgets the connections to a port, as their senders see it.</summary>
    /// <param name="protocol">IPPROTO_*, one that has ports.</param>
    public void Remove(byte protocol, ushort port)
    {
        foreach (byte family in (ReadOnlySpan<byte>)[AddressFamilies.AF_INET, AddressFamilies.AF_INET6])
        {
            foreach (var connection in List(family, protocol, port))
            {
                Remove(connection, family, protocol, port);
            }
        }
    }

    /// <remarks>The kernel picks them since Linux 5.8, and gives all before. A busy machine has hundreds of thousands.</remarks>
    List<NetlinkMessage> List(byte family, byte protocol, ushort port)
    {
        const uint ByProtocol = 1 << 3, ByDestinationPort = 1 << 5; // of enum ctattr_filter's flags, which the kernel has in nf_conntrack_netlink.c
        return socket.Query($"list connections to port {port}", () => Message(IPCTNL_MSG_CT_GET, NetlinkSocket.NLM_F_DUMP, family)
            .Nested(CTA_TUPLE_ORIG, tuple => tuple.Nested(CTA_TUPLE_PROTO, parts => parts
                .Attribute(CTA_PROTO_NUM, [protocol])
                .Attribute(CTA_PROTO_DST_PORT, BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(port)))))
            .Nested(CTA_FILTER, filter => filter.Attribute(CTA_FILTER_ORIG_FLAGS, ByProtocol | ByDestinationPort).Attribute(CTA_FILTER_REPLY_FLAGS, 0u)));
    }

    void Remove(NetlinkMessage connection, byte family, byte protocol, ushort port)
    {
        var message = Message(IPCTNL_MSG_CT_DELETE, NetlinkSocket.NLM_F_ACK, family);
        bool isMeant = false;
        var attributes = connection.Attributes<Header>();
        while (attributes.MoveNext())
        {
            if (attributes.Type == CTA_TUPLE_ORIG && IsTo(attributes.Nested, protocol, port))
            {
                isMeant = true;
                message.Attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, attributes.Value);
            }
            else if (attributes.Type == CTA_ZONE)
            {
                message.Attribute(CTA_ZONE, attributes.Value);
            }
        }

        if (!isMeant)
        {
            return;
        }

        try
        {
            socket.Request("forget a connection", message);
        }
        catch (KernelException gone) when (gone.Errno == Errno.ENOENT)
        {
        }
    }

    static bool IsTo(NetlinkAttributes tuple, byte protocol, ushort port)
    {
        while (tuple.MoveNext())
        {
            if (tuple.Type == CTA_TUPLE_PROTO)
            {
                bool isProtocol = false, isPort = false;
                for (var parts = tuple.Nested; parts.MoveNext();)
                {
                    isProtocol |= parts.Type == CTA_PROTO_NUM && parts.Value is [var number] && number == protocol;
                    isPort |= parts.Type == CTA_PROTO_DST_PORT && parts.Value.Length == sizeof(ushort) && BinaryPrimitives.ReadUInt16BigEndian(parts.Value) == port;
                }

                return isProtocol && isPort;
            }
        }

        return false;
    }

    static NetlinkWriter Message(ushort type, ushort flags, byte family) => new NetlinkWriter((ushort)((NFNL_SUBSYS_CTNETLINK << 8) | type), flags).Structure(new Header { Family = family });
}
