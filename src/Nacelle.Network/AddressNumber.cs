using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Nacelle.Network;

/// <summary>Addresses as numbers, to count with.</summary>
static class AddressNumber
{
    public static UInt128 Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    public static IPAddress ToAddress(UInt128 number, AddressFamily family)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(family == AddressFamily.InterNetwork ? bytes[12..] : bytes);
    }

    /// <summary>The last address of a network, which in IPv4 is its broadcast address.</summary>
    public static UInt128 LastOf(IPNetwork network)
    {
        int hostBits = (network.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 32 : 128) - network.PrefixLength;
        return Of(network.BaseAddress) | (hostBits == 128 ? UInt128.MaxValue : (UInt128.One << hostBits) - 1);
    }
}
