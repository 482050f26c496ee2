namespace Nacelle.Linux;

/// <summary>What a set holds, so that nft(8) can show it.</summary>
/// <param name="Id">As in nftables' include/datatype.h.</param>
/// <param name="Size">In bytes.</param>
public readonly record struct NftablesType(uint Id, int Size)
{
    public static readonly NftablesType IPv4Address = new(7, 4), IPv6Address = new(8, 16), HardwareAddress = new(9, 6);
    public static readonly NftablesType Protocol = new(12, 1), Port = new(13, 2), DeviceName = new(41, 16);

    /// <summary>Several types, one after the other: each starts at a multiple of four bytes.</summary>
    internal static (uint Id, uint Size) Join(IReadOnlyList<NftablesType> types)
    {
        const int BitsOfOne = 6;
        return types.Count == 1
            ? (types[0].Id, (uint)types[0].Size)
            : (types.Aggregate(0u, (id, type) => (id << BitsOfOne) | type.Id), (uint)types.Sum(type => (type.Size + 3) & ~3));
    }
}
