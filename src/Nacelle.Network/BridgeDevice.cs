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
        var bridge = NetworkLink.Find(host, name) ?? Create(host, configuration);
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

    /// <summary>Puts a port into the virtual networks that it is to be in.</summary>
    /// <param name="trunk">Of the pod's port; none of a gateway's.</param>
    public static void JoinVlans(NetlinkSocket host, NetworkLink port, BridgeConfiguration configuration, IReadOnlyList<ushort> trunk)
    {
        const ushort UsualNative = 1;
        var changes = new List<NetworkChange>();
        if (!configuration.KeepsDefaultVlan)
        {
            changes.AddRange(BridgeVlans.List(host, port).Select(vlan => BridgeVlans.Removing(port, vlan)));
        }

        changes.AddRange(trunk.Select(vlan => BridgeVlans.Adding(port, vlan, isNative: false)));
        if (configuration.Vlan != 0 || trunk.Count > 0)
        {
            changes.Add(BridgeVlans.Adding(port, configuration.Vlan != 0 ? configuration.Vlan : UsualNative, isNative: true));
        }

        host.Apply([.. changes]);
    }

    /// <summary>The machine's own device in a virtual network of a bridge, which has the gateway's addresses there.</summary>
    public static NetworkLink EnsureGateway(NetlinkSocket host, NetworkLink bridge, BridgeConfiguration configuration)
    {
        string name = $"{bridge.Name}.{configuration.Vlan}";
        if (NetworkLink.Find(host, name) is { } present)
        {
            return present;
        }

        string end = VethPair.DrawName();
        try
        {
            host.Apply(VirtualLinks.CreatingPair(new NewLink(name) { Mtu = bridge.Mtu, HardwareAddress = VethPair.DrawMac() }, new NewLink(end) { Mtu = bridge.Mtu, HardwareAddress = VethPair.DrawMac() }));
        }
        catch (KernelException raced) when (raced.Errno == Errno.EEXIST && NetworkLink.Find(host, name) is not null)
        {
            return Find(host, name);
        }

        PodDevice.PrepareOuter(name);
        PodDevice.PrepareOuter(end);
        var port = Find(host, end);
        host.Apply(port.Changing(new LinkSettings { Master = bridge.Index, IsUp = true }));
        JoinVlans(host, port, configuration, []);
        var gateway = Find(host, name);
        host.Apply(gateway.Changing(new LinkSettings { IsUp = true }));
        return gateway;
    }

    static NetworkLink Create(NetlinkSocket host, BridgeConfiguration configuration)
    {
        try
        {
            host.Apply(VirtualLinks.CreatingBridge(new NewLink(configuration.Bridge) { Mtu = configuration.Mtu, HardwareAddress = VethPair.DrawMac() }, configuration.KnowsVlans));
        }
        catch (KernelException raced) when (raced.Errno == Errno.EEXIST)
        {
        }

        return Find(host, configuration.Bridge);
    }

    static NetworkLink Find(NetlinkSocket host, string name) => NetworkLink.Find(host, name) ?? throw new KernelException($"find network device {name}", Errno.ENODEV);

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
