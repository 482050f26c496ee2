using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Asks the kernel about its packet filter, and changes it. See nft(8) and linux/netfilter/nf_tables.h.</summary>
public sealed class NftablesSocket : IDisposable
{
    const int NETLINK_NETFILTER = 12;
    const ushort NFNL_SUBSYS_NFTABLES = 10, NFNL_MSG_BATCH_BEGIN = 16, NFNL_MSG_BATCH_END = 17;

    readonly NetlinkSocket socket;

    NftablesSocket(NetlinkSocket socket) => this.socket = socket;

    /// <summary>struct nfgenmsg.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 4)]
    struct Header
    {
        [FieldOffset(0)]
        public byte Family;
        [FieldOffset(2)]
        public ushort Resource;
    }

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    /// <exception cref="KernelException">EPROTONOSUPPORT: the kernel has no netfilter.</exception>
    public static NftablesSocket Open() => new(NetlinkSocket.Open(NETLINK_NETFILTER));

    public void Dispose() => socket.Dispose();

    /// <summary>Makes all changes of the batch, or none.</summary>
    /// <exception cref="KernelException">The first that failed.</exception>
    public void Commit(NftablesBatch batch)
    {
        if (batch.Changes.Count > 0)
        {
            socket.Commit(Bracket(NFNL_MSG_BATCH_BEGIN), batch.Changes, Bracket(NFNL_MSG_BATCH_END));
        }
    }

    /// <summary>The comment of a table, empty where it has none; null where there is no such table.</summary>
    public string? FindTable(NftablesFamily family, string table)
    {
        var replies = Find($"find table {family} {table}", () => Message(NftablesBatch.NFT_MSG_GETTABLE, NetlinkSocket.NLM_F_ACK, family).Attribute(NftablesBatch.NFTA_TABLE_NAME, table));
        if (replies.Count == 0)
        {
            return null;
        }

        var attributes = replies[0].Attributes<Header>();
        while (attributes.MoveNext())
        {
            if (attributes.Type == NftablesBatch.NFTA_TABLE_USERDATA)
            {
                return NftablesComment.Decode(attributes.Value) ?? "";
            }
        }

        return "";
    }

    /// <summary>The chains that packets come to by themselves, of all tables of all families.</summary>
    public IReadOnlyList<NftablesChain> ListChains() =>
    [
        .. socket.Query("list chains", () => Message(NftablesBatch.NFT_MSG_GETCHAIN, NetlinkSocket.NLM_F_DUMP, 0))
            .Select(reply => NftablesChain.Parse((NftablesFamily)reply.Structure<Header>().Family, reply.Attributes<Header>()))
            .OfType<NftablesChain>(),
    ];

    /// <summary>The numbers of a chain's rules, and their comments.</summary>
    public IReadOnlyList<(ulong Handle, string? Comment)> ListRules(NftablesChain chain) =>
    [
        .. Find(
            $"list chain {chain.Table} {chain.Name}",
            () => Message(NftablesBatch.NFT_MSG_GETRULE, NetlinkSocket.NLM_F_DUMP, chain.Family)
                .Attribute(NftablesBatch.NFTA_RULE_TABLE, chain.Table).Attribute(NftablesBatch.NFTA_RULE_CHAIN, chain.Name)).Select(ReadRule),
    ];

    /// <summary>The elements of a set; none where there is no such set.</summary>
    public IReadOnlyList<NftablesElement> ListElements(NftablesFamily family, string table, string set) => Parse(Find(
        $"list set {table} {set}",
        () => Message(NftablesBatch.NFT_MSG_GETSETELEM, NetlinkSocket.NLM_F_DUMP, family).Attribute(NftablesBatch.NFTA_SET_ELEM_LIST_TABLE, table).Attribute(NftablesBatch.NFTA_SET_ELEM_LIST_SET, set)));

    /// <summary>The element with that key; null where there is none.</summary>
    public NftablesElement? FindElement(NftablesFamily family, string table, string set, byte[] key) => Parse(Find(
        $"find an element of {table} {set}",
        () => Message(NftablesBatch.NFT_MSG_GETSETELEM, NetlinkSocket.NLM_F_ACK, family)
            .Attribute(NftablesBatch.NFTA_SET_ELEM_LIST_TABLE, table)
            .Attribute(NftablesBatch.NFTA_SET_ELEM_LIST_SET, set)
            .Nested(NftablesBatch.NFTA_SET_ELEM_LIST_ELEMENTS, new NftablesElement(key).Write))).SingleOrDefault();

    internal static NetlinkWriter Message(ushort type, ushort flags, NftablesFamily family) =>
        new NetlinkWriter((ushort)((NFNL_SUBSYS_NFTABLES << 8) | type), flags).Structure(new Header { Family = (byte)family });

    static NetlinkWriter Bracket(ushort type) => new NetlinkWriter(type, 0).Structure(new Header { Resource = BinaryPrimitives.ReverseEndianness(NFNL_SUBSYS_NFTABLES) });

    /// <returns>Empty where the kernel knows nothing of the kind.</returns>
    List<NetlinkMessage> Find(string operation, Func<NetlinkWriter> message)
    {
        try
        {
            return socket.Query(operation, message);
        }
        catch (KernelException failure) when (failure.Errno == Errno.ENOENT)
        {
            return [];
        }
    }

    static (ulong Handle, string? Comment) ReadRule(NetlinkMessage reply)
    {
        ulong handle = 0;
        string? comment = null;
        var attributes = reply.Attributes<Header>();
        while (attributes.MoveNext())
        {
            if (attributes.Type == NftablesBatch.NFTA_RULE_HANDLE && attributes.Value.Length == sizeof(ulong))
            {
                handle = BinaryPrimitives.ReadUInt64BigEndian(attributes.Value);
            }
            else if (attributes.Type == NftablesBatch.NFTA_RULE_USERDATA)
            {
                comment = NftablesComment.Decode(attributes.Value);
            }
        }

        return (handle, comment);
    }

    static List<NftablesElement> Parse(List<NetlinkMessage> replies)
    {
        var elements = new List<NftablesElement>();
        foreach (var reply in replies)
        {
            var attributes = reply.Attributes<Header>();
            while (attributes.MoveNext())
            {
                if (attributes.Type == NftablesBatch.NFTA_SET_ELEM_LIST_ELEMENTS)
                {
                    for (var list = attributes.Nested; list.MoveNext();)
                    {
                        elements.Add(NftablesElement.Parse(list.Nested));
                    }
                }
            }
        }

        return elements;
    }
}
