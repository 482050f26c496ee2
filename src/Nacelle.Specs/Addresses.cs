using System.Net;
using System.Net.Sockets;

namespace Nacelle.Specs;

/// <summary>Addresses of IPv4 and IPv6 as documents write them: in full, and without a zone.</summary>
public static class Addresses
{
    /// <returns>Null where the text is no address.</returns>
    public static IPAddress? TryParse(ReadOnlySpan<char> text) =>
        // The library also takes "10.1" and "0x0a000001", as the C library does.
        !text.ContainsAny('%', '[', '/') && IPAddress.TryParse(text, out var address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || text.SequenceEqual(address.ToString())) ? address : null;

    /// <summary>The member of that name; null where it is missing or empty.</summary>
    /// <exception cref="SpecException">It is no address; says where.</exception>
    public static IPAddress? Find(SpecNode node, string name) => node.Find(name) is { } member && member.Text().Length > 0 ? Read(member) : null;

    public static IPAddress Read(SpecNode node) => TryParse(node.Text()) ?? throw new SpecException(node.Path, $"'{node.Text()}' is not an address of IPv4 or IPv6");
}
