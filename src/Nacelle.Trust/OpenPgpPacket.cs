using System.Buffers.Binary;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>The kinds of packets that are looked at. RFC 9580, 5.</summary>
enum PacketTag
{
    Signature = 2,
    OnePassSignature = 4,
    SecretKey = 5,
    PublicKey = 6,
    Compressed = 8,
    Marker = 10,
    Literal = 11,
    Trust = 12,
    UserId = 13,
    PublicSubkey = 14,
    UserAttribute = 17,
    Padding = 21,
}

/// <summary>A packet of an OpenPGP message: its kind and content.</summary>
/// <param name="Offset">Where it begins in the message.</param>
readonly record struct OpenPgpPacket(PacketTag Tag, ReadOnlyMemory<byte> Body, int Offset)
{
    const int MostPackets = 50_000;

    public string Place => $"packet at byte {Offset}";

    /// <summary>Takes a binary message apart; the bodies are parts of it, and nothing longer than it is made.</summary>
    /// <remarks>RFC 9580, 4.2; the older format too, which gnupg still writes.</remarks>
    /// <exception cref="SpecException">Not a sequence of packets; the path says where.</exception>
    public static List<OpenPgpPacket> ReadAll(ReadOnlyMemory<byte> message)
    {
        var packets = new List<OpenPgpPacket>();
        for (int at = 0; at < message.Length;)
        {
            if (packets.Count == MostPackets)
            {
                throw new SpecException($"byte {at}", $"there are more than {MostPackets} packets");
            }

            packets.Add(Read(message, ref at));
        }

        return packets;
    }

    static OpenPgpPacket Read(ReadOnlyMemory<byte> message, ref int at)
    {
        int start = at;
        string place = $"byte {start}";
        byte head = message.Span[at++];
        if ((head & 0x80) == 0)
        {
            throw new SpecException(place, "no OpenPGP packet begins here");
        }

        bool isNew = (head & 0x40) != 0;
        var tag = (PacketTag)(isNew ? head & 0x3F : (head >> 2) & 0x0F);
        if (!isNew)
        {
            int kind = head & 3;
            uint length = kind switch
            {
                0 => Number(message.Span, ref at, 1, place),
                1 => Number(message.Span, ref at, 2, place),
                2 => Number(message.Span, ref at, 4, place),
                _ => IsData(tag) ? (uint)(message.Length - at) : throw new SpecException(place, "a packet of this kind must say its length"),
            };
            return new OpenPgpPacket(tag, Take(message, ref at, length, place), start);
        }

        var first = Chunk(message, ref at, place, out bool isPartial);
        if (!isPartial)
        {
            return new OpenPgpPacket(tag, first, start);
        }

        if (!IsData(tag))
        {
            throw new SpecException(place, "a packet of this kind may not come in parts");
        }

        using var whole = new MemoryStream();
        whole.Write(first.Span);
        while (isPartial)
        {
            whole.Write(Chunk(message, ref at, place, out isPartial).Span);
        }

        return new OpenPgpPacket(tag, whole.ToArray(), start);
    }

    static ReadOnlyMemory<byte> Chunk(ReadOnlyMemory<byte> message, ref int at, string place, out bool isPartial)
    {
        uint first = Number(message.Span, ref at, 1, place);
        isPartial = first is >= 224 and < 255;
        uint length = first switch
        {
            < 192 => first,
            < 224 => ((first - 192) << 8) + Number(message.Span, ref at, 1, place) + 192,
            255 => Number(message.Span, ref at, 4, place),
            _ => 1u << (int)(first & 0x1F),
        };
        return Take(message, ref at, length, place);
    }

    static bool IsData(PacketTag tag) => tag is PacketTag.Literal or PacketTag.Compressed;

    static uint Number(ReadOnlySpan<byte> message, ref int at, int size, string place)
    {
        if (size > message.Length - at)
        {
            throw new SpecException(place, "the packet's length is missing");
        }

        var bytes = message.Slice(at, size);
        at += size;
        return size switch { 1 => bytes[0], 2 => BinaryPrimitives.ReadUInt16BigEndian(bytes), _ => BinaryPrimitives.ReadUInt32BigEndian(bytes) };
    }

    static ReadOnlyMemory<byte> Take(ReadOnlyMemory<byte> message, ref int at, uint length, string place)
    {
        if (length > message.Length - at)
        {
            throw new SpecException(place, $"the packet says it has {length} bytes; {message.Length - at} are left");
        }

        at += (int)length;
        return message.Slice(at - (int)length, (int)length);
    }
}
