using System.Net;
using System.Net.Sockets;

namespace Nacelle.Linux;

/// <summary>A rule, put together from left to right as nft(8) reads it: conditions first, and what happens when all are met.</summary>
public sealed class NftablesRule
{
    const ushort NFTA_EXPR_NAME = 1, NFTA_EXPR_DATA = 2, NFTA_LIST_ELEM = 1, NFTA_DATA_VALUE = 1;
    const uint NFT_REG_VERDICT = 0, NFT_REG32_00 = 8;
    const byte NFPROTO_IPV4 = 2, NFPROTO_IPV6 = 10;

    readonly List<Action<NetlinkWriter>> expressions = [];

    public NftablesRule WhenIPv4() => Load(NftablesField.Family).Compare([NFPROTO_IPV4], equal: true);

    public NftablesRule WhenIPv6() => Load(NftablesField.Family).Compare([NFPROTO_IPV6], equal: true);

    /// <summary>Goes on where the packet's source or destination lies in a network.</summary>
    /// <param name="family">Of the table: where packets of both come, the packet's is looked at too.</param>
    public NftablesRule WhenIn(IPNetwork network, bool source, NftablesFamily family = NftablesFamily.Inet)
    {
        bool four = network.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
        if (family == NftablesFamily.Inet)
        {
            _ = four ? WhenIPv4() : WhenIPv6();
        }

        Load(four ? source ? NftablesField.IPv4Source : NftablesField.IPv4Destination : source ? NftablesField.IPv6Source : NftablesField.IPv6Destination);
        var address = network.BaseAddress.GetAddressBytes();
        if (network.PrefixLength < address.Length * 8)
        {
            var mask = new byte[address.Length];
            for (int bit = 0; bit < network.PrefixLength; bit++)
            {
                mask[bit / 8] |= (byte)(0x80 >> (bit % 8));
            }

            Mask(mask);
        }

        return Compare(address, equal: true);
    }

    /// <summary>Goes on where the destination is an address of this machine.</summary>
    public NftablesRule WhenDestinationIsLocal()
    {
        const ushort NFTA_FIB_DREG = 1, NFTA_FIB_RESULT = 2, NFTA_FIB_FLAGS = 3;
        const uint NFT_FIB_RESULT_ADDRTYPE = 3, NFTA_FIB_F_DADDR = 2, RTN_LOCAL = 2;
        return Add("fib", fib => fib.BigEndian(NFTA_FIB_DREG, NFT_REG32_00).BigEndian(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE).BigEndian(NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR))
            .Compare(BitConverter.GetBytes(RTN_LOCAL), equal: true);
    }

    /// <summary>Goes on with packets of connections whose destination was translated.</summary>
    public NftablesRule WhenDestinationWasTranslated()
    {
        const uint NFT_CT_STATUS = 2, IPS_DST_NAT = 0x20;
        return Connection(NFT_CT_STATUS, IPS_DST_NAT);
    }

    /// <summary>Goes on with packets of connections that packets of both directions belong to, or that come of such.</summary>
    public NftablesRule WhenEstablishedOrRelated()
    {
        const uint NFT_CT_STATE = 0, EstablishedOrRelated = 0x2 | 0x4;
        return Connection(NFT_CT_STATE, EstablishedOrRelated);
    }

    /// <summary>Goes on with packets of connections that packets of both directions belong to, that come of such, or whose destination was translated.</summary>
    /// <remarks>As iptables writes it (-m conntrack --ctstate RELATED,ESTABLISHED,DNAT): it refuses to show a chain in which the same stands in another way.</remarks>
    public NftablesRule WhenEstablishedRelatedOrTranslated()
    {
        const ushort NFTA_MATCH_NAME = 1, NFTA_MATCH_REV = 2, NFTA_MATCH_INFO = 3;
        const uint Revision = 3;

        // struct xt_conntrack_mtinfo3: what is looked at (the state), and which are meant.
        const int Size = 168, FlagsOffset = 146, StatesOffset = 150;
        const ushort XT_CONNTRACK_STATE = 1, Established = 2, Related = 4, Translated = 128;
        var information = new byte[Size];
        BitConverter.TryWriteBytes(information.AsSpan(FlagsOffset), XT_CONNTRACK_STATE);
        BitConverter.TryWriteBytes(information.AsSpan(StatesOffset), (ushort)(Established | Related | Translated));
        return Add("match", match => match.Attribute(NFTA_MATCH_NAME, "conntrack").BigEndian(NFTA_MATCH_REV, Revision).Attribute(NFTA_MATCH_INFO, information));
    }

    /// <summary>Counts the packets that come so far.</summary>
    public NftablesRule Count() => Add("counter", _ => { });

    /// <summary>Goes on with what came by another device than lo.</summary>
    public NftablesRule WhenNotFromLoopback() => Load(NftablesField.InputLink).Compare(BitConverter.GetBytes(1), equal: false); // lo has this number in every namespace

    /// <summary>Goes on where the fields together are a key of the set.</summary>
    public NftablesRule WhenIn(string set, params ReadOnlySpan<NftablesField> fields) => Load(fields).Look(set, null);

    /// <summary>Goes on where the fields together are no key of the set.</summary>
    public NftablesRule WhenNotIn(string set, params ReadOnlySpan<NftablesField> fields) => Load(fields).Look(set, null, inverted: true);

    /// <summary>Has the map decide what becomes of the packet; goes on where it has no such key.</summary>
    public NftablesRule Decide(string map, params ReadOnlySpan<NftablesField> fields) => Load(fields).Look(map, NFT_REG_VERDICT);

    /// <summary>Leads the connection to the address and port that a map has for the fields; goes on where it has no such key.</summary>
    /// <param name="addressSize">4 for IPv4, 16 for IPv6.</param>
    public NftablesRule TranslateDestination(string map, int addressSize, params ReadOnlySpan<NftablesField> fields)
    {
        const ushort NFTA_NAT_TYPE = 1, NFTA_NAT_FAMILY = 2, NFTA_NAT_REG_ADDR_MIN = 3, NFTA_NAT_REG_PROTO_MIN = 5;
        const uint NFT_NAT_DNAT = 1;
        return Load(fields).Look(map, NFT_REG32_00).Add("nat", nat => nat
            .BigEndian(NFTA_NAT_TYPE, NFT_NAT_DNAT)
            .BigEndian(NFTA_NAT_FAMILY, addressSize == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6)
            .BigEndian(NFTA_NAT_REG_ADDR_MIN, NFT_REG32_00)
            .BigEndian(NFTA_NAT_REG_PROTO_MIN, NFT_REG32_00 + (uint)(addressSize / 4)));
    }

    /// <summary>Gives the connection the source address of the device by which it leaves.</summary>
    public NftablesRule Masquerade() => Add("masq", _ => { });

    public NftablesRule Then(NftablesVerdict verdict)
    {
        const ushort NFTA_IMMEDIATE_DREG = 1, NFTA_IMMEDIATE_DATA = 2;
        return Add("immediate", immediate => immediate.BigEndian(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT).Nested(NFTA_IMMEDIATE_DATA, verdict.Write));
    }

    /// <summary>Writes the expressions into a list.</summary>
    internal void Write(NetlinkWriter list)
    {
        foreach (var expression in expressions)
        {
            list.Nested(NFTA_LIST_ELEM, expression);
        }
    }

    NftablesRule Add(string name, Action<NetlinkWriter> data)
    {
        expressions.Add(element => element.Attribute(NFTA_EXPR_NAME, name).Nested(NFTA_EXPR_DATA, data));
        return this;
    }

    /// <summary>Loads fields into registers of four bytes, one after the other.</summary>
    NftablesRule Load(params ReadOnlySpan<NftablesField> fields)
    {
        const ushort NFTA_META_DREG = 1, NFTA_META_KEY = 2, NFTA_PAYLOAD_DREG = 1, NFTA_PAYLOAD_BASE = 2, NFTA_PAYLOAD_OFFSET = 3, NFTA_PAYLOAD_LEN = 4;
        uint register = NFT_REG32_00;
        foreach (var field in fields)
        {
            uint at = register;
            if (field.Base is { } header)
            {
                Add("payload", payload => payload
                    .BigEndian(NFTA_PAYLOAD_DREG, at).BigEndian(NFTA_PAYLOAD_BASE, header).BigEndian(NFTA_PAYLOAD_OFFSET, field.Place).BigEndian(NFTA_PAYLOAD_LEN, field.Size));
            }
            else
            {
                Add("meta", meta => meta.BigEndian(NFTA_META_DREG, at).BigEndian(NFTA_META_KEY, field.Place));
            }

            register += (field.Size + 3) / 4;
        }

        return this;
    }

    NftablesRule Compare(byte[] value, bool equal)
    {
        const ushort NFTA_CMP_SREG = 1, NFTA_CMP_OP = 2, NFTA_CMP_DATA = 3;
        const uint NFT_CMP_EQ = 0, NFT_CMP_NEQ = 1;
        return Add("cmp", compare => compare
            .BigEndian(NFTA_CMP_SREG, NFT_REG32_00).BigEndian(NFTA_CMP_OP, equal ? NFT_CMP_EQ : NFT_CMP_NEQ).Nested(NFTA_CMP_DATA, data => data.Attribute(NFTA_DATA_VALUE, value)));
    }

    NftablesRule Mask(byte[] mask)
    {
        const ushort NFTA_BITWISE_SREG = 1, NFTA_BITWISE_DREG = 2, NFTA_BITWISE_LEN = 3, NFTA_BITWISE_MASK = 4, NFTA_BITWISE_XOR = 5;
        return Add("bitwise", bitwise => bitwise
            .BigEndian(NFTA_BITWISE_SREG, NFT_REG32_00).BigEndian(NFTA_BITWISE_DREG, NFT_REG32_00).BigEndian(NFTA_BITWISE_LEN, (uint)mask.Length)
            .Nested(NFTA_BITWISE_MASK, data => data.Attribute(NFTA_DATA_VALUE, mask))
            .Nested(NFTA_BITWISE_XOR, data => data.Attribute(NFTA_DATA_VALUE, new byte[mask.Length])));
    }

    NftablesRule Connection(uint key, uint bits)
    {
        const ushort NFTA_CT_DREG = 1, NFTA_CT_KEY = 2;
        return Add("ct", connection => connection.BigEndian(NFTA_CT_DREG, NFT_REG32_00).BigEndian(NFTA_CT_KEY, key)).Mask(BitConverter.GetBytes(bits)).Compare(new byte[4], equal: false);
    }

    /// <param name="destination">The register for what a map leads to.</param>
    NftablesRule Look(string set, uint? destination, bool inverted = false)
    {
        const ushort NFTA_LOOKUP_SET = 1, NFTA_LOOKUP_SREG = 2, NFTA_LOOKUP_DREG = 3, NFTA_LOOKUP_FLAGS = 5;
        const uint NFT_LOOKUP_F_INV = 1;
        return Add("lookup", lookup =>
        {
            lookup.Attribute(NFTA_LOOKUP_SET, set).BigEndian(NFTA_LOOKUP_SREG, NFT_REG32_00);
            if (destination is { } register)
            {
                lookup.BigEndian(NFTA_LOOKUP_DREG, register);
            }

            if (inverted)
            {
                lookup.BigEndian(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
            }
        });
    }
}

/// <summary>Something of a packet that rules look at.</summary>
/// <param name="Base">NFT_PAYLOAD_*_HEADER; null for what is not in the packet itself.</param>
/// <param name="Place">The offset in that header, or NFT_META_*.</param>
/// <param name="Size">In bytes.</param>
public sealed record NftablesField(uint? Base, uint Place, uint Size)
{
    const uint LinkLayer = 0, Network = 1, Transport = 2;

    public static readonly NftablesField IPv4Source = new(Network, 12, 4), IPv4Destination = new(Network, 16, 4), IPv6Source = new(Network, 8, 16), IPv6Destination = new(Network, 24, 16);
    public static readonly NftablesField HardwareSource = new(LinkLayer, 6, 6), DestinationPort = new(Transport, 2, 2), Protocol = new(null, 16, 1);
    public static readonly NftablesField InputDevice = new(null, 6, 16), OutputDevice = new(null, 7, 16);
    internal static readonly NftablesField Family = new(null, 15, 1), InputLink = new(null, 4, 4);
}
