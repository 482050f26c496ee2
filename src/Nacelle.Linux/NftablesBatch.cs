using System.Buffers.Binary;

namespace Nacelle.Linux;

/// <summary>Changes of one table, made all together or not at all. See nft(8).</summary>
public sealed class NftablesBatch(NftablesFamily family, string table)
{
    internal const ushort NFT_MSG_NEWTABLE = 0, NFT_MSG_GETTABLE = 1, NFT_MSG_NEWSETELEM = 12, NFT_MSG_GETSETELEM = 13;
    internal const ushort NFTA_TABLE_NAME = 1, NFTA_TABLE_USERDATA = 6, NFTA_SET_ELEM_LIST_TABLE = 1, NFTA_SET_ELEM_LIST_SET = 2, NFTA_SET_ELEM_LIST_ELEMENTS = 3;
    internal const ushort NFT_MSG_GETCHAIN = 4, NFT_MSG_GETRULE = 7, NFTA_RULE_TABLE = 1, NFTA_RULE_CHAIN = 2, NFTA_RULE_HANDLE = 3, NFTA_RULE_USERDATA = 7;
    const ushort NFT_MSG_NEWCHAIN = 3, NFT_MSG_NEWRULE = 6, NFT_MSG_DELRULE = 8, NFT_MSG_NEWSET = 9, NFT_MSG_DELSETELEM = 14;
    const ushort NFTA_CHAIN_TABLE = 1, NFTA_CHAIN_NAME = 3, NFTA_CHAIN_HOOK = 4, NFTA_CHAIN_TYPE = 7, NFTA_HOOK_HOOKNUM = 1, NFTA_HOOK_PRIORITY = 2;
    const ushort NFTA_RULE_EXPRESSIONS = 4;
    const ushort NLM_F_APPEND = 0x800;

    readonly List<NetworkChange> changes = [];
    uint sets;

    internal IReadOnlyList<NetworkChange> Changes => changes;

    /// <summary>Makes the table unless there is one.</summary>
    /// <param name="comment">Only for one that is made now.</param>
    public NftablesBatch AddTable(string comment) => Add(
        $"make table {family} {table}", NFT_MSG_NEWTABLE, NetlinkSocket.NLM_F_CREATE, message => message.Attribute(NFTA_TABLE_NAME, table).Attribute(NFTA_TABLE_USERDATA, NftablesComment.Encode(comment)));

    /// <summary>Makes a chain that rules lead to, unless there is one.</summary>
    public NftablesBatch AddChain(string name) => Add(
        $"make chain {table} {name}", NFT_MSG_NEWCHAIN, NetlinkSocket.NLM_F_CREATE, message => message.Attribute(NFTA_CHAIN_TABLE, table).Attribute(NFTA_CHAIN_NAME, name));

    /// <summary>Makes a chain that packets come to by themselves, unless there is one.</summary>
    /// <param name="type"><c>filter</c> or <c>nat</c>.</param>
    /// <param name="priority">Chains with less come first.</param>
    public NftablesBatch AddChain(string name, string type, NftablesHook hook, int priority) => Add(
        $"make chain {table} {name}",
        NFT_MSG_NEWCHAIN,
        NetlinkSocket.NLM_F_CREATE,
        message => message
            .Attribute(NFTA_CHAIN_TABLE, table)
            .Attribute(NFTA_CHAIN_NAME, name)
            .Nested(NFTA_CHAIN_HOOK, where => where.BigEndian(NFTA_HOOK_HOOKNUM, (uint)hook).BigEndian(NFTA_HOOK_PRIORITY, (uint)priority))
            .Attribute(NFTA_CHAIN_TYPE, type));

    /// <summary>Removes all rules of a chain.</summary>
    public NftablesBatch ClearChain(string name) => Add(
        $"clear chain {table} {name}", NFT_MSG_DELRULE, 0, message => message.Attribute(NFTA_RULE_TABLE, table).Attribute(NFTA_RULE_CHAIN, name));

    /// <summary>Adds a rule at the end of a chain.</summary>
    public NftablesBatch AddRule(string chain, NftablesRule rule) => Add(
        $"add a rule to chain {table} {chain}",
        NFT_MSG_NEWRULE,
        NetlinkSocket.NLM_F_CREATE | NLM_F_APPEND,
        message => message.Attribute(NFTA_RULE_TABLE, table).Attribute(NFTA_RULE_CHAIN, chain).Nested(NFTA_RULE_EXPRESSIONS, rule.Write));

    /// <summary>Puts a rule before all others of a chain.</summary>
    public NftablesBatch InsertRule(string chain, NftablesRule rule, string comment) => Add(
        $"insert a rule for {comment} into chain {table} {chain}",
        NFT_MSG_NEWRULE,
        NetlinkSocket.NLM_F_CREATE,
        message => message
            .Attribute(NFTA_RULE_TABLE, table)
            .Attribute(NFTA_RULE_CHAIN, chain)
            .Nested(NFTA_RULE_EXPRESSIONS, rule.Write)
            .Attribute(NFTA_RULE_USERDATA, NftablesComment.Encode(comment)));

    /// <param name="handle">The kernel's number of the rule; see <see cref="NftablesSocket.ListRules"/>.</param>
    /// <remarks>ENOENT: there is none of that number.</remarks>
    public NftablesBatch RemoveRule(string chain, ulong handle) => Add(
        $"remove a rule from chain {table} {chain}",
        NFT_MSG_DELRULE,
        0,
        message => message
            .Attribute(NFTA_RULE_TABLE, table)
            .Attribute(NFTA_RULE_CHAIN, chain)
            .Attribute(NFTA_RULE_HANDLE, BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(handle))));

    /// <summary>Makes a set or a map, unless there is one.</summary>
    public NftablesBatch AddSet(NftablesSet set) => Add($"make set {table} {set.Name}", NFT_MSG_NEWSET, NetlinkSocket.NLM_F_CREATE, message => set.Write(message, table, ++sets));

    /// <summary>Adds a key that the set does not have.</summary>
    /// <remarks>EEXIST, or EBUSY of old kernels: it has it. ENOENT: no such set, or no such chain.</remarks>
    public NftablesBatch AddElement(string set, NftablesElement element) =>
        Change($"add {element.Comment ?? "an element"} to {table} {set}", NFT_MSG_NEWSETELEM, NetlinkSocket.NLM_F_CREATE | NetlinkSocket.NLM_F_EXCL, set, element);

    /// <remarks>ENOENT: no such key, or no such set.</remarks>
    public NftablesBatch RemoveElement(string set, byte[] key) => Change($"remove an element from {table} {set}", NFT_MSG_DELSETELEM, 0, set, new NftablesElement(key));

    NftablesBatch Change(string operation, ushort type, ushort flags, string set, NftablesElement element) => Add(
        operation,
        type,
        flags,
        message => message.Attribute(NFTA_SET_ELEM_LIST_TABLE, table).Attribute(NFTA_SET_ELEM_LIST_SET, set).Nested(NFTA_SET_ELEM_LIST_ELEMENTS, element.Write));

    NftablesBatch Add(string operation, ushort type, ushort flags, Action<NetlinkWriter> content)
    {
        var message = NftablesSocket.Message(type, flags, family);
        content(message);
        changes.Add(new NetworkChange(operation, message));
        return this;
    }
}

/// <summary>Which packets a table sees: NFPROTO_*.</summary>
public enum NftablesFamily : byte
{
    /// <summary>IPv4 and IPv6.</summary>
    Inet = 1,

    IPv4 = 2,

    /// <summary>What a bridge passes on.</summary>
    Bridge = 7,

    IPv6 = 10,
}

/// <summary>Where on their way packets come to a chain: NF_INET_*, and NF_BR_*, which are the same.</summary>
public enum NftablesHook : uint
{
    Prerouting = 0,
    Forward = 2,
    Output = 3,
    Postrouting = 4,
}
