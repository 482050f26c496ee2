namespace Nacelle.Linux;

/// <summary>A chain that packets come to by themselves, in whosever table. See nft(8), "CHAINS".</summary>
/// <param name="DropsTheRest">Whether its policy is to drop what no rule of it decides about.</param>
public sealed record NftablesChain(NftablesFamily Family, string Table, string Name, NftablesHook Hook, bool DropsTheRest)
{
    const ushort NFTA_CHAIN_TABLE = 1, NFTA_CHAIN_NAME = 3, NFTA_CHAIN_HOOK = 4, NFTA_CHAIN_POLICY = 5, NFTA_HOOK_HOOKNUM = 1;

    /// <summary>Whether iptables has made it, which knows the rules of its own making only.</summary>
    public bool IsOfIptables => Family is NftablesFamily.IPv4 or NftablesFamily.IPv6 && Table == "filter" && Name is "FORWARD" or "INPUT" or "OUTPUT";

    /// <returns>Null for a chain that only rules lead to.</returns>
    internal static NftablesChain? Parse(NftablesFamily family, NetlinkAttributes attributes)
    {
        const uint NF_DROP = 0;
        string table = "", name = "";
        uint? hook = null;
        bool drops = false;
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                case NFTA_CHAIN_TABLE:
                    table = attributes.Text;
                    break;
                case NFTA_CHAIN_NAME:
                    name = attributes.Text;
                    break;
                case NFTA_CHAIN_POLICY:
                    drops = attributes.BigEndian == NF_DROP;
                    break;
                case NFTA_CHAIN_HOOK:
                    for (var where = attributes.Nested; where.MoveNext();)
                    {
                        hook = where.Type == NFTA_HOOK_HOOKNUM ? where.BigEndian : hook;
                    }

                    break;
            }
        }

        return hook is { } number ? new NftablesChain(family, table, name, (NftablesHook)number, drops) : null;
    }
}
