using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Nacelle.Linux;

/// <summary>Builds one netlink message: a header, a structure of the message's type, attributes. See netlink(7).</summary>
sealed class NetlinkWriter
{
    public const int HeaderSize = 16, AttributeHeaderSize = 4;
    const ushort NLM_F_REQUEST = 1, NLA_F_NESTED = 0x8000;
    const int FlagsOffset = 6, SequenceOffset = 8;

    byte[] buffer = new byte[256];
    int length;

    /// <param name="type">RTM_* of rtnetlink(7).</param>
    /// <param name="flags">NLM_F_*; that it is a request goes without saying.</param>
    public NetlinkWriter(ushort type, ushort flags)
    {
        var header = Reserve(HeaderSize);
        MemoryMarshal.Write(header[4..], type);
        MemoryMarshal.Write(header[FlagsOffset..], (ushort)(flags | NLM_F_REQUEST));
    }

    /// <summary>The structure that follows the header.</summary>
    public NetlinkWriter Structure<T>(T value)
        where T : unmanaged
    {
        MemoryMarshal.Write(Reserve(Unsafe.SizeOf<T>()), value);
        return this;
    }

    public NetlinkWriter Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        var attribute = Reserve(AttributeHeaderSize + value.Length);
        MemoryMarshal.Write(attribute, (ushort)attribute.Length);
        MemoryMarshal.Write(attribute[2..], type);
        value.CopyTo(attribute[AttributeHeaderSize..]);
        return this;
    }

    public NetlinkWriter Attribute(ushort type, uint value) => Attribute(type, BitConverter.GetBytes(value));

    /// <summary>A number in network byte order, as nf_tables has all of them.</summary>
    public NetlinkWriter BigEndian(ushort type, uint value) => Attribute(type, BinaryPrimitives.ReverseEndianness(value));

    /// <summary>A string, with the zero that ends it.</summary>
    public NetlinkWriter Attribute(ushort type, string value) => Attribute(type, Encoding.UTF8.GetBytes(value + '\0'));

    /// <summary>An attribute whose value are attributes.</summary>
    public NetlinkWriter Nested(ushort type, Action<NetlinkWriter> content)
    {
        int start = length;
        Attribute((ushort)(type | NLA_F_NESTED), []);
        content(this);
        MemoryMarshal.Write(buffer.AsSpan(start), (ushort)(length - start));
        return this;
    }

    /// <summary>The whole message.</summary>
    /// <param name="sequence">Comes back in the answers.</param>
    /// <param name="acknowledge">Whether the kernel is to say so when it is done (NLM_F_ACK).</param>
    public ReadOnlySpan<byte> Finish(uint sequence, bool acknowledge = false)
    {
        MemoryMarshal.Write(buffer, length);
        MemoryMarshal.Write(buffer.AsSpan(SequenceOffset), sequence);
        if (acknowledge)
        {
            buffer[FlagsOffset] |= (byte)NetlinkSocket.NLM_F_ACK;
        }

        return buffer.AsSpan(0, length);
    }

    /// <summary>The next bytes, all zero; what comes after them is aligned to four.</summary>
    Span<byte> Reserve(int count)
    {
        int start = length;
        length += (count + 3) & ~3;
        if (length > buffer.Length)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length));
        }

        return buffer.AsSpan(start, count);
    }
}
