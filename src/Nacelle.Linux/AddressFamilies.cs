using System.Net;
using System.Net.Sockets;

namespace Nacelle.Linux;

/// <summary>The kernel's numbers of address families.</summary>
static class AddressFamilies
{
    public const byte AF_UNSPEC = 0, AF_INET = 2, AF_BRIDGE = 7, AF_INET6 = 10;

    public static byte Of(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? AF_INET : AF_INET6;

    /// <returns>Null for one that is neither IPv4 nor IPv6.</returns>
    public static IPAddress? Read(ReadOnlySpan<byte> bytes) => bytes.Length is 4 or 16 ? new IPAddress(bytes) : null;
}
