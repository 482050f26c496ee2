using System.Buffers.Binary;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>Reads the numbers and strings of a packet one after the other; what is missing is said with its place.</summary>
/// <param name="place">What is read, for messages.</param>
ref struct ByteReader(ReadOnlySpan<byte> bytes, string place)
{
    readonly ReadOnlySpan<byte> all = bytes;
    int at;

    public readonly int Position => at;

    public readonly bool AtEnd => at == all.Length;

    public byte Byte() => Bytes(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Bytes(2));

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Bytes(4));

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count > all.Length - at)
        {
            throw new SpecException(place, $"ends after {all.Length} bytes, in the middle of something");
        }

        at += count;
        return all.Slice(at - count, count);
    }

    /// <summary>A multiprecision integer, without leading zeros. RFC 9580, 3.2.</summary>
    public ReadOnlySpan<byte> Mpi()
    {
        int bits = UInt16();
        return Bytes((bits + 7) / 8).TrimStart((byte)0);
    }

    public ReadOnlySpan<byte> Rest() => Bytes(all.Length - at);
}
