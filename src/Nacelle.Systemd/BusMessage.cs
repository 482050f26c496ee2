using System.Buffers.Binary;

namespace Nacelle.Systemd;

enum BusMessageKind : byte
{
    Call = 1,
    Return = 2,
    Error = 3,
    Signal = 4,
}

/// <summary>One message. See the D-Bus specification, "Message Format".</summary>
sealed record BusMessage(BusMessageKind Kind)
{
    const byte ProtocolVersion = 1;

    /// <summary>The first part of a message, which tells how long it is.</summary>
    public const int PrefixLength = 16;

    /// <summary>Far above what systemd answers.</summary>
    const uint LongestMessage = 16 << 20;

    public uint Serial { get; init; }

    public uint ReplySerial { get; init; }

    public string Path { get; init; } = "";

    public string Interface { get; init; } = "";

    public string Member { get; init; } = "";

    /// <summary>The name of an error.</summary>
    public string Error { get; init; } = "";

    public string Destination { get; init; } = "";

    public IReadOnlyList<BusValue> Body { get; init; } = [];

    public byte[] ToBytes()
    {
        var body = new BusWriter();
        foreach (var value in Body)
        {
            body.Write(value);
        }

        List<BusValue> fields = [];
        Add(1, BusValue.ObjectPath(Path));
        Add(2, BusValue.Text(Interface));
        Add(3, BusValue.Text(Member));
        Add(4, BusValue.Text(Error));
        Add(6, BusValue.Text(Destination));
        Add(8, new BusValue("g", string.Concat(Body.Select(value => value.Signature))));
        if (ReplySerial != 0)
        {
            fields.Add(BusValue.Structure(BusValue.Byte(5), BusValue.Variant(BusValue.UInt32(ReplySerial))));
        }

        var header = new BusWriter();
        foreach (byte one in (ReadOnlySpan<byte>)[(byte)'l', (byte)Kind, 0, ProtocolVersion])
        {
            header.Write(BusValue.Byte(one));
        }

        header.WriteUInt32((uint)body.Length);
        header.WriteUInt32(Serial);
        header.Write(BusValue.Array("(yv)", [.. fields]));
        header.Align(8);
        return [.. header.Bytes, .. body.Bytes];

        void Add(byte code, BusValue value)
        {
            if (value.AsText.Length > 0)
            {
                fields.Add(BusValue.Structure(BusValue.Byte(code), BusValue.Variant(value)));
            }
        }
    }

    /// <summary>How long the message is that starts with these bytes.</summary>
    /// <exception cref="BusException">They start none.</exception>
    public static int LengthOf(ReadOnlySpan<byte> prefix)
    {
        if (prefix[0] != 'l' || prefix[3] != ProtocolVersion)
        {
            throw new BusException("read a D-Bus message", "", "not little-endian, or of another version of the protocol");
        }

        ulong body = BinaryPrimitives.ReadUInt32LittleEndian(prefix[4..]), fields = BinaryPrimitives.ReadUInt32LittleEndian(prefix[12..]);
        ulong length = ((PrefixLength + fields + 7) & ~7UL) + body;
        return length <= LongestMessage ? (int)length : throw new BusException("read a D-Bus message", "", $"{length} bytes are too many");
    }

    /// <exception cref="BusException">The bytes are no message.</exception>
    public static BusMessage Parse(ReadOnlySpan<byte> bytes)
    {
        int bodyLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        var message = new BusMessage((BusMessageKind)bytes[1]) { Serial = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) };
        string signature = "";

        // The length of the fields lies at 12: with the first three words before it they are aligned as in the whole message.
        var header = new BusReader(bytes[..^bodyLength]);
        _ = header.Read("(yyyyuu)");
        foreach (var field in header.Read("a(yv)").Items)
        {
            var value = field.Items[1].Inner;
            string text = value.Signature is "s" or "o" or "g" ? value.AsText : "";
            message = field.Items[0].AsNumber switch
            {
                1 => message with { Path = text },
                2 => message with { Interface = text },
                3 => message with { Member = text },
                4 => message with { Error = text },
                5 when value.Signature == "u" => message with { ReplySerial = (uint)value.AsNumber },
                6 => message with { Destination = text },
                _ => message,
            };
            signature = field.Items[0].AsNumber == 8 ? text : signature;
        }

        var body = new BusReader(bytes[^bodyLength..]);
        var values = new List<BusValue>();
        foreach (var type in BusSignature.Split(signature))
        {
            values.Add(body.Read(type));
        }

        return message with { Body = values };
    }
}
