namespace Nacelle.Linux;

/// <summary>What becomes of a packet. See nft(8), "VERDICT STATEMENT".</summary>
/// <param name="Code">NF_* or NFT_*.</param>
/// <param name="Chain">Where it goes on.</param>
public readonly record struct NftablesVerdict(int Code, string? Chain)
{
    const int NFT_JUMP = -3, NFT_GOTO = -4, NFT_RETURN = -5;
    const ushort NFTA_DATA_VERDICT = 2, NFTA_VERDICT_CODE = 1, NFTA_VERDICT_CHAIN = 2;

    public static readonly NftablesVerdict Drop = new(0, null), Accept = new(1, null), Return = new(NFT_RETURN, null);

    /// <summary>Into another chain, and back at its end.</summary>
    public static NftablesVerdict Jump(string chain) => new(NFT_JUMP, chain);

    /// <summary>Into another chain, and not back.</summary>
    public static NftablesVerdict Goto(string chain) => new(NFT_GOTO, chain);

    internal void Write(NetlinkWriter data)
    {
        var (code, chain) = this;
        data.Nested(NFTA_DATA_VERDICT, verdict =>
        {
            verdict.BigEndian(NFTA_VERDICT_CODE, (uint)code);
            if (chain is not null)
            {
                verdict.Attribute(NFTA_VERDICT_CHAIN, chain);
            }
        });
    }
}
