namespace Nacelle.Linux;

/// <summary>A set of keys, or a map from keys to something. See nft(8), "SETS" and "MAPS".</summary>
/// <param name="Key">What a key is made of.</param>
public sealed record NftablesSet(string Name, params IReadOnlyList<NftablesType> Key)
{
    const ushort NFTA_SET_TABLE = 1, NFTA_SET_NAME = 2, NFTA_SET_FLAGS = 3, NFTA_SET_KEY_TYPE = 4, NFTA_SET_KEY_LEN = 5, NFTA_SET_DATA_TYPE = 6, NFTA_SET_DATA_LEN = 7, NFTA_SET_ID = 10, NFTA_SET_USERDATA = 13;
    const uint NFT_SET_MAP = 8, NFT_DATA_VERDICT = 0xffffff00;

    /// <summary>What a map leads to; empty for a set, or a map to verdicts.</summary>
    public IReadOnlyList<NftablesType> Data { get; init; } = [];

    /// <summary>Whether it is a map to verdicts.</summary>
    public bool LeadsToVerdicts { get; init; }

    /// <param name="id">No other set of the transaction has it.</param>
    internal void Write(NetlinkWriter message, string table, uint id)
    {
        var (keyType, keySize) = NftablesType.Join(Key);
        bool isMap = LeadsToVerdicts || Data.Count > 0;
        message.Attribute(NFTA_SET_TABLE, table).Attribute(NFTA_SET_NAME, Name).BigEndian(NFTA_SET_FLAGS, isMap ? NFT_SET_MAP : 0)
            .BigEndian(NFTA_SET_KEY_TYPE, keyType).BigEndian(NFTA_SET_KEY_LEN, keySize).BigEndian(NFTA_SET_ID, id);
        if (Key is [var only] && only == NftablesType.DeviceName)
        {
            // NFTNL_UDATA_SET_KEYBYTEORDER, of four bytes: that of the machine. Without it nft(8) reads names from the end.
            message.Attribute(NFTA_SET_USERDATA, [0, sizeof(uint), 1, 0, 0, 0]);
        }

        if (LeadsToVerdicts)
        {
            message.BigEndian(NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
        }
        else if (isMap)
        {
            var (dataType, dataSize) = NftablesType.Join(Data);
            message.BigEndian(NFTA_SET_DATA_TYPE, dataType).BigEndian(NFTA_SET_DATA_LEN, dataSize);
        }
    }
}
