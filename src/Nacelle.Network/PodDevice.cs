using System.Net;
using System.Net.Sockets;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>A device in a pod, and what a result says that it has.</summary>
static class PodDevice
{
    /// <summary>In the pod's namespace: lets devices have addresses of IPv6, and keep them while they are down.</summary>
    /// <param name="detectsDuplicates">Whether it is asked first if somebody else has an address.</param>
    public static void AllowIPv6(string device, IReadOnlyList<NetworkIp> ips, bool detectsDuplicates = false)
    {
        if (ips.All(ip => ip.Address.IsIPv4))
        {
            return;
        }

        foreach (var name in (ReadOnlySpan<string>)["lo", device])
        {
            if (KernelSetting.Read($"net/ipv6/conf/{name}/disable_ipv6") is not (null or "0"))
            {
                KernelSetting.Write($"net/ipv6/conf/{name}/disable_ipv6", "0");
            }
        }

        KernelSetting.TryWrite($"net/ipv6/conf/{device}/keep_addr_on_down", "1");
        KernelSetting.TryWrite($"net/ipv6/conf/{device}/accept_dad", detectsDuplicates ? "1" : "0");
    }

    /// <summary>Prepares a device outside, while it is down: its routes are ours, not those that routers advertise.</summary>
    /// <remarks>Nobody is asked whether its link-local address is taken. Until that were known, a second later, the machine would look for no neighbour by it, and forward nothing to the pod.</remarks>
    public static void PrepareOuter(string device)
    {
        KernelSetting.TryWrite($"net/ipv6/conf/{device}/accept_ra", "0");
        KernelSetting.TryWrite($"net/ipv6/conf/{device}/accept_dad", "0");
    }

    /// <param name="flags">Of <see cref="NetworkAddress"/>; IPv4 takes no part in detection.</param>
    public static NetworkAddress AddressOf(NetworkIp ip, uint flags)
    {
        const int LastWithBroadcast = 30;
        var address = ip.Address;
        return address.IsIPv4
            ? new(address.Address, (byte)address.PrefixLength, flags & ~NetworkAddress.WithoutDetection, LinkRoute.Everywhere)
            {
                Broadcast = address.PrefixLength <= LastWithBroadcast ? AddressNumber.ToAddress(AddressNumber.LastOf(address.Network), address.Address.AddressFamily) : null,
            }
            : new(address.Address, (byte)address.PrefixLength, flags, LinkRoute.Everywhere);
    }

    /// <summary>The routes of a result; one without a gateway leads to the first of its family.</summary>
    /// <param name="onLink">Whether other gateways than those of addresses count as reachable, whatever the routes say.</param>
    public static IEnumerable<NetworkChange> AddRoutes(NetworkLink link, NetworkResult result, bool onLink = false)
    {
        foreach (var route in result.Routes)
        {
            yield return new LinkRoute(route.Destination.Network, link.Index)
            {
                Gateway = route.Gateway ?? FindGateway(result, route.Destination.IsIPv4),
                GatewayIsOnLink = onLink && route.Gateway is { } gateway && !result.Ips.Any(ip => gateway.Equals(ip.Gateway)),
                Table = route.Table ?? LinkRoute.MainTable,
                Scope = (byte)(route.Scope ?? LinkRoute.Everywhere),
                Priority = route.Priority,
                Mtu = route.Mtu,
                AdvertisedSegment = route.AdvertisedSegment,
            }.Adding();
        }
    }

    /// <summary>An address alone, as a network.</summary>
    public static IPNetwork Alone(IPAddress address) => new(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);

    /// <summary>Removes the device that the call names, if there is still such a one.</summary>
    public static void Remove(PluginCall call)
    {
        if (call.Namespace is null)
        {
            return;
        }

        using var pod = NetlinkSocket.Open(call.Namespace);
        try
        {
            if (NetworkLink.Find(pod, call.InterfaceName) is { } link)
            {
                pod.Apply(link.Removing());
            }
        }
        catch (KernelException gone) when (gone.Errno == Errno.ENODEV)
        {
        }
    }

    /// <summary>Whether a device in the pod has what the result of ADD says: its hardware address, its addresses, its routes.</summary>
    /// <returns>The device.</returns>
    /// <exception cref="NetworkException">Something is missing, and what.</exception>
    public static NetworkLink Check(PluginCall call, NetworkResult result, string kind)
    {
        var space = call.Namespace ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no network namespace to look into");
        int place = result.Interfaces.ToList().FindIndex(one => one.Name == call.InterfaceName && !string.IsNullOrEmpty(one.Sandbox));
        if (place < 0 || result.Interfaces[place].Sandbox != call.NamespacePath)
        {
            throw Missing($"the result of ADD has no {call.InterfaceName} in {call.NamespacePath}");
        }

        using var pod = NetlinkSocket.Open(space);
        var link = NetworkLink.Find(pod, call.InterfaceName) ?? throw Missing($"there is no {call.InterfaceName} in {call.NamespacePath} any more");
        if (link.Kind != kind)
        {
            throw Missing($"{link.Name} is no {kind}");
        }

        if (result.Interfaces[place].Mac is { Length: > 0 } mac && !PluginOptions.FormatMac(link.HardwareAddress).Equals(mac, StringComparison.OrdinalIgnoreCase))
        {
            throw Missing($"{link.Name} has the hardware address {PluginOptions.FormatMac(link.HardwareAddress)}, and not {mac}");
        }

        var addresses = NetworkAddress.List(pod, link);
        if (result.Ips.FirstOrDefault(ip => ip.Interface == place && !addresses.Any(address => address.Local.Equals(ip.Address.Address) && address.PrefixLength == ip.Address.PrefixLength)) is { } lost)
        {
            throw Missing($"{link.Name} has {lost.Address} no more");
        }

        foreach (var route in result.Routes)
        {
            var gateway = route.Gateway ?? FindGateway(result, route.Destination.IsIPv4);
            if (!LinkRoute.List(pod, route.Table ?? LinkRoute.MainTable).Any(one => one.Destination.Equals(route.Destination.Network) && Equals(one.Gateway, gateway)))
            {
                throw Missing($"the route to {route.Destination} by {gateway} is gone");
            }
        }

        return link;
    }

    public static NetworkException Missing(string what) => new(NetworkException.Internal, what);

    static IPAddress? FindGateway(NetworkResult result, bool four) => result.Ips.FirstOrDefault(ip => ip.Address.IsIPv4 == four && ip.Gateway is not null)?.Gateway;
}
