using System.Net;
using System.Net.Sockets;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>A port of the machine that leads to one of a pod, as the packet filter has it.</summary>
/// <param name="Protocol">IPPROTO_*.</param>
/// <param name="HostAddress">Null for all addresses of the machine.</param>
/// <param name="Family">Null for both.</param>
sealed record ForwardedPort(PortMapping Mapping, byte Protocol, IPAddress? HostAddress, AddressFamily? Family)
{
    public const byte Udp = 17;

    public static ForwardedPort Read(SpecNode node)
    {
        var mapping = PortMapping.Read(node);
        if (mapping.HostPort == 0 || mapping.ContainerPort == 0)
        {
            throw new SpecException(node.Path, "names port 0");
        }

        byte protocol = mapping.Protocol switch
        {
            "tcp" => 6,
            "udp" => Udp,
            _ => 132, // sctp
        };
        var address = Addresses.Find(node, "hostIP");
        bool isAny = address is not null && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));
        return new ForwardedPort(mapping, protocol, isAny ? null : address, address?.AddressFamily);
    }

    /// <summary>The map that it belongs into, and its key there.</summary>
    public (string Map, byte[] Key) PlaceFor(AddressFamily family) => HostAddress is null
        ? (RuleTable.Of(RuleTable.Ports, family), NftablesElement.Join([Protocol], Bytes(Mapping.HostPort)))
        : (RuleTable.Of(RuleTable.AddressPorts, family), NftablesElement.Join(HostAddress.GetAddressBytes(), [Protocol], Bytes(Mapping.HostPort)));

    /// <summary>Where it leads.</summary>
    public byte[] TargetOf(IPAddress pod) => NftablesElement.Join(pod.GetAddressBytes(), Bytes(Mapping.ContainerPort));

    public override string ToString() => HostAddress is null ? $"{Mapping.Protocol} port {Mapping.HostPort}" : $"{Mapping.Protocol} port {Mapping.HostPort} of {HostAddress}";

    static byte[] Bytes(ushort port) => [(byte)(port >> 8), (byte)port];
}
