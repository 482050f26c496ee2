using System.Buffers.Binary;
using System.Text;

namespace Nacelle.Systemd;

/// <summary>Takes values out of bytes, which may be anything. See the D-Bus specification, "Marshaling". Little-endian.</summary>
ref struct BusReader(ReadOnlySpan<byte> bytes)
{
    const int DeepestNesting = 64;

    readonly ReadOnlySpan<byte> bytes = bytes;
    int at;
    int depth;

    public readonly bool AtEnd => at >= bytes.Length;

    /// <exception cref="BusException">The bytes hold no such value.</exception>
    public BusValue Read(string type)
    {
        Align(BusSignature.Alignment(type[0]));
        switch (type[0])
        {
            case 'y':
                return new(type, (ulong)Take(1)[0]);
            case 'n':
                return new(type, (ulong)BinaryPrimitives.ReadInt16LittleEndian(Take(2)));
            case 'q':
                return new(type, (ulong)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
            case 'i':
                return new(type, (ulong)(int)ReadUInt32());
            case 'u' or 'h':
                return new(type, (ulong)ReadUInt32());
            case 'x' or 't':
                return new(type, BinaryPrimitives.ReadUInt64LittleEndian(Take(8)));
            case 'd':
                return new(type, BinaryPrimitives.ReadDoubleLittleEndian(Take(8)));
            case 'b':
                return new(type, ReadUInt32() != 0);
            case 's' or 'o':
                return new(type, ReadText(ReadUInt32()));
            case 'g':
                return new(type, ReadText(Take(1)[0]));
        }

        depth = depth < DeepestNesting ? depth + 1 : throw Wrong("nested too deeply");
        var value = type[0] switch
        {
            'a' => ReadArray(type),
            'v' => ReadVariant(),
            _ => ReadStructure(type),
        };
        depth--;
        return value;
    }

    BusValue ReadArray(string type)
    {
        uint length = ReadUInt32();
        Align(BusSignature.Alignment(type[1]));
        if (length > bytes.Length - at)
        {
            throw Wrong("cut off");
        }

        var items = new List<BusValue>();
        for (int end = at + (int)length; at < end;)
        {
            items.Add(Read(type[1..]));
        }

        return new(type, items.ToArray());
    }

    BusValue ReadVariant()
    {
        string signature = ReadText(Take(1)[0]);
        return BusSignature.Split(signature) is [var single] ? new("v", Read(single)) : throw Wrong($"a variant of type '{signature}'");
    }

    BusValue ReadStructure(string type)
    {
        var fields = new List<BusValue>();
        foreach (var field in BusSignature.Fields(type))
        {
            fields.Add(Read(field));
        }

        return new(type, fields.ToArray());
    }

    uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    string ReadText(uint length)
    {
        if (length > bytes.Length)
        {
            throw Wrong("cut off");
        }

        string text = Encoding.UTF8.GetString(Take((int)length));
        Take(1);
        return text;
    }

    void Align(int boundary) => Take((boundary - (at % boundary)) % boundary);

    ReadOnlySpan<byte> Take(int count)
    {
        if (count > bytes.Length - at)
        {
            throw Wrong("cut off");
        }

        at += count;
        return bytes.Slice(at - count, count);
    }

    static BusException Wrong(string what) => new("read a D-Bus message", "", what);
}
