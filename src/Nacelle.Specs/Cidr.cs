using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Nacelle.Specs;

/// <summary>An address and the length of its network's prefix, as in <c>10.1.0.5/16</c>; the bits after the prefix count. See RFC 4632, section 3.1.</summary>
/// <param name="PrefixLength">In bits: up to 32 of IPv4, up to 128 of IPv6.</param>
public readonly record struct Cidr(IPAddress Address, int PrefixLength)
{
    public bool IsIPv4 => Address.AddressFamily == AddressFamily.InterNetwork;

    /// <summary>The network that the address lies in.</summary>
    public IPNetwork Network => new(Masked(), PrefixLength);

    /// <exception cref="SpecException">It is none; the message does not say of what.</exception>
    public static Cidr Parse(string text) => TryParse(text) ?? throw new SpecException("", $"'{text}' is not an address with the length of a prefix, as in 10.1.0.5/16");

    public static Cidr? TryParse(string text)
    {
        int slash = text.IndexOf('/');
        return slash > 0
            && Addresses.TryParse(text.AsSpan(0, slash)) is { } address
            && int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int length)
            && length <= (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)
                ? new Cidr(address, length)
                : null;
    }

    /// <exception cref="SpecException">It is none; says where.</exception>
    public static Cidr Read(SpecNode node) => TryParse(node.Text()) ?? throw new SpecException(node.Path, $"'{node.Text()}' is not an address with the length of a prefix, as in 10.1.0.5/16");

    public override string ToString() => $"{Address}/{PrefixLength}";

    IPAddress Masked()
    {
        var bytes = Address.GetAddressBytes();
        for (int bit = PrefixLength; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPAddress(bytes);
    }
}
