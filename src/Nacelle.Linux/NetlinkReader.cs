using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Nacelle.Linux;

/// <summary>What follows a message's header: a structure, then attributes.</summary>
/// <param name="Type">RTM_* of rtnetlink(7).</param>
readonly record struct NetlinkMessage(ushort Type, byte[] Payload)
{
    /// <exception cref="KernelException">EBADMSG: the message is too short for it.</exception>
    public T Structure<T>()
        where T : unmanaged => MemoryMarshal.TryRead<T>(Payload, out var value) ? value : throw new KernelException("read a netlink message", Errno.EBADMSG);

    /// <summary>The attributes after a structure of that type.</summary>
    public NetlinkAttributes Attributes<T>()
        where T : unmanaged => new(Payload.AsSpan(Math.Min((Unsafe.SizeOf<T>() + 3) & ~3, Payload.Length)));
}

/// <summary>Walks over attributes: <c>while (attributes.MoveNext())</c>. Ends where one is cut off.</summary>
ref struct NetlinkAttributes(ReadOnlySpan<byte> bytes)
{
    const ushort TypeMask = 0x3fff; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER

    ReadOnlySpan<byte> rest = bytes;

    public ushort Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>The value as a number; 0 where it is none of four bytes.</summary>
    public readonly uint Number => Value.Length == sizeof(uint) ? MemoryMarshal.Read<uint>(Value) : 0;

    /// <summary>The value as a number in network byte order, as nf_tables has all of them; 0 where it is none of four bytes.</summary>
    public readonly uint BigEndian => BinaryPrimitives.ReverseEndianness(Number);

    /// <summary>The value as a string, without the zero that ends it.</summary>
    public readonly string Text => Encoding.UTF8.GetString(Value.TrimEnd((byte)0));

    /// <summary>The attributes that the value holds.</summary>
    public readonly NetlinkAttributes Nested => new(Value);

    public bool MoveNext()
    {
        if (rest.Length < NetlinkWriter.AttributeHeaderSize)
        {
            return false;
        }

        int length = MemoryMarshal.Read<ushort>(rest);
        if (length < NetlinkWriter.AttributeHeaderSize || length > rest.Length)
        {
            return false;
        }

        Type = (ushort)(MemoryMarshal.Read<ushort>(rest[2..]) & TypeMask);
        Value = rest[NetlinkWriter.AttributeHeaderSize..length];
        rest = rest[Math.Min((length + 3) & ~3, rest.Length)..];
        return true;
    }
}
