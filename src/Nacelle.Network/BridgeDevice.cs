using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>The bridge of a network: made when the first pod needs it, and left when the last is gone.</summary>
static class BridgeDevice
{
    public const string Kind = "bridge";

    public static NetworkLink Ensure(NetlinkSocket host, BridgeConfiguration configuration)
    {
        string name = configuration.Bridge;
        var bridge = NetworkLink.Find(host, name) ?? Create(host, name, configuration.Mtu);
        if (bridge.Kind != Kind)
        {
            throw new NetworkException(NetworkException.InvalidConfiguration, $"{name} is a device already, and no bridge");
        }

        if (!bridge.IsUp || (configuration.IsPromiscuous && !bridge.IsPromiscuous))
        {
            PodDevice.PrepareOuter(name);
            host.Apply(bridge.Changing(new LinkSettings { IsUp = true, IsPromiscuous = configuration.IsPromiscuous ? true : null }));
        }

        return bridge;
    }

    /// <summary>Gives the bridge the addresses of gateways.</summary>
    public static void EnsureAddresses(NetlinkSocket host, NetworkLink bridge, IReadOnlyList<Cidr> gateways, bool force)
    {
        var present = NetworkAddress.List(host, bridge);
        foreach (var gateway in gateways.Distinct())
        {
            if (present.Any(address => address.Local.Equals(gateway.Address) && address.PrefixLength == gateway.PrefixLength))
            {
                continue;
            }

            foreach (var other in present.Where(address => Conflicts(address, gateway)))
            {
                if (!force)
                {
                    throw new NetworkException(
                        NetworkException.InvalidConfiguration, $"bridge {bridge.Name} has the address {other.Local}/{other.PrefixLength}, and is to have {gateway}: set forceAddress, or use another bridge");
                }

                host.Apply(other.Removing(bridge));
            }

            try
            {
                // That the bridge keeps the hardware address that it has now, whichever ports come and go, takes that it is set.
                var now = Find(host, bridge.Name);
                host.Apply(
                    PodDevice.AddressOf(new NetworkIp(gateway), NetworkAddress.WithoutDetection).Adding(now), now.Changing(new LinkSettings { HardwareAddress = now.HardwareAddress }));
            }
            catch (KernelException raced) when (raced.Errno == Errno.EEXIST)
            {
                // Another pod's start was faster.
            }
        }
    }

    static NetworkLink Create(NetlinkSocket host, string name, uint? mtu)
    {
        try
        {
            host.Apply(VirtualLinks.CreatingBridge(new NewLink(name) { Mtu = mtu, HardwareAddress = VethPair.DrawMac() }));
        }
        catch (KernelException raced) when (raced.Errno == Errno.EEXIST)
        {
        }

        return Find(host, name);
    }

    static NetworkLink Find(NetlinkSocket host, string name) => NetworkLink.Find(host, name) ?? throw new KernelException($"find bridge {name}", Errno.ENODEV);

    /// <summary>Of IPv4 a bridge has one address; of IPv6 several, as long as their networks do not overlap.</summary>
    static bool Conflicts(NetworkAddress address, Cidr gateway)
    {
        if (address.Local.AddressFamily != gateway.Address.AddressFamily || address.Local.IsIPv6LinkLocal)
        {
            return false;
        }

        return gateway.IsIPv4 || new Cidr(address.Local, address.PrefixLength).Network.Contains(gateway.Address) || gateway.Network.Contains(address.Local);
    }
}
