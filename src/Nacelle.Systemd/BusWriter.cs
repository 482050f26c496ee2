using System.Buffers.Binary;
using System.Text;

namespace Nacelle.Systemd;

/// <summary>Puts values into bytes. See the D-Bus specification, "Marshaling". Little-endian.</summary>
sealed class BusWriter
{
    byte[] buffer = new byte[256];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => buffer.AsSpan(0, Length);

    public void Write(BusValue value)
    {
        char type = value.Signature[0];
        Align(BusSignature.Alignment(type));
        switch (type)
        {
            case 'y':
                Reserve(1)[0] = (byte)value.AsNumber;
                break;
            case 'n' or 'q':
                BinaryPrimitives.WriteUInt16LittleEndian(Reserve(2), (ushort)value.AsNumber);
                break;
            case 'i' or 'u':
                WriteUInt32((uint)value.AsNumber);
                break;
            case 'x' or 't':
                BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value.AsNumber);
                break;
            case 'd':
                BinaryPrimitives.WriteDoubleLittleEndian(Reserve(8), value.AsDouble);
                break;
            case 'b':
                WriteUInt32(value.AsBoolean ? 1u : 0);
                break;
            case 's' or 'o':
                WriteUInt32((uint)Encoding.UTF8.GetByteCount(value.AsText));
                WriteText(value.AsText);
                break;
            case 'g':
                WriteSignature(value.AsText);
                break;
            case 'v':
                WriteSignature(value.Inner.Signature);
                Write(value.Inner);
                break;
            case 'a':
                WriteArray(value);
                break;
            default:
                foreach (var field in value.Items)
                {
                    Write(field);
                }

                break;
        }
    }

    public void WriteUInt32(uint number) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(4), number);

    public void Align(int boundary) => Reserve((boundary - (Length % boundary)) % boundary);

    /// <summary>The length is that of the items alone, without the padding before the first.</summary>
    void WriteArray(BusValue array)
    {
        int lengthAt = Length;
        Reserve(4);
        Align(BusSignature.Alignment(array.Signature[1]));
        int start = Length;
        foreach (var item in array.Items)
        {
            Write(item);
        }

        BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(lengthAt), Length - start);
    }

    void WriteSignature(string signature)
    {
        Reserve(1)[0] = checked((byte)signature.Length);
        WriteText(signature);
    }

    void WriteText(string text)
    {
        Encoding.UTF8.GetBytes(text, Reserve(Encoding.UTF8.GetByteCount(text)));
        Reserve(1);
    }

    /// <summary>The next bytes, all zero.</summary>
    Span<byte> Reserve(int count)
    {
        if (Length + count > buffer.Length)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, Length + count));
        }

        Length += count;
        return buffer.AsSpan(Length - count, count);
    }
}
