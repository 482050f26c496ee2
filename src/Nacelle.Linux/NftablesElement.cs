using System.Text;

namespace Nacelle.Linux;

/// <summary>A key in a set, and what it leads to in a map.</summary>
/// <param name="Key">In network byte order; see <see cref="Join"/>.</param>
public sealed record NftablesElement(byte[] Key)
{
    const ushort NFTA_SET_ELEM_KEY = 1, NFTA_SET_ELEM_DATA = 2, NFTA_SET_ELEM_USERDATA = 6, NFTA_DATA_VALUE = 1, NFTA_LIST_ELEM = 1;

    /// <summary>What the key leads to; null in a set, or in a map to verdicts.</summary>
    public byte[]? Data { get; init; }

    /// <summary>What becomes of packets with that key; of what the kernel lists it is not read.</summary>
    public NftablesVerdict? Verdict { get; init; }

    /// <summary>For people, and for whoever has to know whose it is: at most 127 bytes.</summary>
    public string? Comment { get; init; }

    /// <summary>Several values as one, each filled up with zeros to a multiple of four bytes.</summary>
    public static byte[] Join(params ReadOnlySpan<byte[]> values)
    {
        var joined = new List<byte>();
        foreach (var value in values)
        {
            joined.AddRange(value);
            joined.AddRange(new byte[-value.Length & 3]);
        }

        return [.. joined];
    }

    internal void Write(NetlinkWriter list) => list.Nested(NFTA_LIST_ELEM, element =>
    {
        element.Nested(NFTA_SET_ELEM_KEY, key => key.Attribute(NFTA_DATA_VALUE, Key));
        if (Verdict is { } verdict)
        {
            element.Nested(NFTA_SET_ELEM_DATA, verdict.Write);
        }
        else if (Data is not null)
        {
            element.Nested(NFTA_SET_ELEM_DATA, data => data.Attribute(NFTA_DATA_VALUE, Data));
        }

        if (Comment is not null)
        {
            element.Attribute(NFTA_SET_ELEM_USERDATA, NftablesComment.Encode(Comment));
        }
    });

    internal static NftablesElement Parse(NetlinkAttributes attributes)
    {
        var element = new NftablesElement([]);
        while (attributes.MoveNext())
        {
            element = attributes.Type switch
            {
                NFTA_SET_ELEM_KEY => element with { Key = Value(attributes.Nested) ?? [] },
                NFTA_SET_ELEM_DATA => element with { Data = Value(attributes.Nested) },
                NFTA_SET_ELEM_USERDATA => element with { Comment = NftablesComment.Decode(attributes.Value) },
                _ => element,
            };
        }

        return element;
    }

    static byte[]? Value(NetlinkAttributes data)
    {
        while (data.MoveNext())
        {
            if (data.Type == NFTA_DATA_VALUE)
            {
                return data.Value.ToArray();
            }
        }

        return null;
    }
}

/// <summary>Comments as nft(8) writes and shows them: in what the kernel keeps for user space, a type, a length, and a string with the zero that ends it.</summary>
static class NftablesComment
{
    const byte CommentType = 0;
    const int HeaderSize = 2, Longest = 127;

    public static byte[] Encode(string comment)
    {
        byte[] text = Encoding.UTF8.GetBytes(comment);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(text.Length, Longest, nameof(comment));
        return [CommentType, (byte)(text.Length + 1), .. text, 0];
    }

    /// <returns>Null where there is none.</returns>
    public static string? Decode(ReadOnlySpan<byte> data)
    {
        while (data.Length >= HeaderSize && data.Length >= HeaderSize + data[1])
        {
            if (data[0] == CommentType)
            {
                return Encoding.UTF8.GetString(data.Slice(HeaderSize, data[1]).TrimEnd((byte)0));
            }

            data = data[(HeaderSize + data[1])..];
        }

        return null;
    }
}
