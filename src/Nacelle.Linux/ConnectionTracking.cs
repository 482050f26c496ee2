using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>What the kernel remembers of connections that pass. See conntrack(8) and linux/netfilter/nfnetlink_conntrack.h.</summary>
public sealed class ConnectionTracking : IDisposable
{
    const int NETLINK_NETFILTER = 12;
    const ushort NFNL_SUBSYS_CTNETLINK = 1, IPCTNL_MSG_CT_GET = 1, IPCTNL_MSG_CT_DELETE = 2;
    const ushort CTA_TUPLE_ORIG = 1, CTA_ZONE = 18, CTA_TUPLE_PROTO = 2, CTA_PROTO_NUM = 1, CTA_PROTO_DST_PORT = 3;
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

    /// <summary>Forgets the connections to such ports, as their senders see them.</summary>
    /// <param name="protocol">IPPROTO_*, one that has ports.</param>
    public void Remove(byte protocol, IReadOnlySet<ushort> ports)
    {
        foreach (byte family in (ReadOnlySpan<byte>)[AddressFamilies.AF_INET, AddressFamilies.AF_INET6])
        {
            var known = socket.Query("list connections", () => Message(IPCTNL_MSG_CT_GET, NetlinkSocket.NLM_F_DUMP, family));
            foreach (var connection in known)
            {
                Remove(connection, family, protocol, ports);
            }
        }
    }

    void Remove(NetlinkMessage connection, byte family, byte protocol, IReadOnlySet<ushort> ports)
    {
        var message = Message(IPCTNL_MSG_CT_DELETE, NetlinkSocket.NLM_F_ACK, family);
        bool isMeant = false;
        var attributes = connection.Attributes<Header>();
        while (attributes.MoveNext())
        {
            if (attributes.Type == CTA_TUPLE_ORIG && IsTo(attributes.Nested, protocol, ports))
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

    static bool IsTo(NetlinkAttributes tuple, byte protocol, IReadOnlySet<ushort> ports)
    {
        while (tuple.MoveNext())
        {
            if (tuple.Type == CTA_TUPLE_PROTO)
            {
                bool isProtocol = false, isPort = false;
                for (var parts = tuple.Nested; parts.MoveNext();)
                {
                    isProtocol |= parts.Type == CTA_PROTO_NUM && parts.Value is [var number] && number == protocol;
                    isPort |= parts.Type == CTA_PROTO_DST_PORT && parts.Value.Length == sizeof(ushort) && ports.Contains(BinaryPrimitives.ReadUInt16BigEndian(parts.Value));
                }

                return isProtocol && isPort;
            }
        }

        return false;
    }

    static NetlinkWriter Message(ushort type, ushort flags, byte family) => new NetlinkWriter((ushort)((NFNL_SUBSYS_CTNETLINK << 8) | type), flags).Structure(new Header { Family = family });
}
