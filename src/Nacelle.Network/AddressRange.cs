using System.Net;
using System.Net.Sockets;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Addresses that host-local gives away: part of a network, or all of it. See the documentation of the plug-in, "Range object".</summary>
/// <param name="First">Given away too, as is <paramref name="Last"/>, unless it is the gateway.</param>
sealed record AddressRange(IPNetwork Subnet, UInt128 First, UInt128 Last, IPAddress Gateway)
{
    public AddressFamily Family => Subnet.BaseAddress.AddressFamily;

    public UInt128 Count => Last - First + 1 - (Contains(Gateway) ? UInt128.One : UInt128.Zero);

    public static AddressRange Parse(SpecNode node)
    {
        var written = node.Need("subnet");
        var cidr = Cidr.Read(written);
        var subnet = cidr.Network;
        if (!subnet.BaseAddress.Equals(cidr.Address))
        {
            throw new SpecException(written.Path, $"'{cidr}' has bits beyond its prefix: the network is {subnet}");
        }

        if (subnet.PrefixLength > (cidr.IsIPv4 ? 30 : 126))
        {
            throw new SpecException(written.Path, $"{subnet} is too small to give addresses from: at least two bits are needed");
        }

        var lowest = AddressNumber.Of(subnet.BaseAddress) + 1;
        var highest = AddressNumber.LastOf(subnet) - (cidr.IsIPv4 ? UInt128.One : UInt128.Zero); // without the broadcast address
        var first = AddressIn(node, "rangeStart", subnet) is { } start ? AddressNumber.Of(start) : lowest;
        var last = AddressIn(node, "rangeEnd", subnet) is { } end ? AddressNumber.Of(end) : highest;
        if (last < first)
        {
            throw new SpecException(node.Path, "rangeEnd is less than rangeStart");
        }

        var gateway = Addresses.Find(node, "gateway") ?? AddressNumber.ToAddress(lowest, subnet.BaseAddress.AddressFamily);
        return new AddressRange(subnet, first, last, gateway);
    }

    public bool Contains(IPAddress address) => address.AddressFamily == Family && AddressNumber.Of(address) is var number && number >= First && number <= Last;

    public bool Overlaps(AddressRange other) => Family == other.Family && First <= other.Last && other.First <= Last;

    public override string ToString() => $"{AddressNumber.ToAddress(First, Family)}-{AddressNumber.ToAddress(Last, Family)}";

    static IPAddress? AddressIn(SpecNode node, string name, IPNetwork subnet)
    {
        var address = Addresses.Find(node, name);
        return address is null || (address.AddressFamily == subnet.BaseAddress.AddressFamily && subnet.Contains(address))
            ? address
            : throw new SpecException(node.Need(name).Path, $"{address} is not in {subnet}");
    }
}
