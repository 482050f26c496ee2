using System.Net;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Pods on a common bridge: the plug-in bridge.</summary>
static class Bridge
{
    public static readonly NetworkPlugin Plugin = new("bridge", Add, Delete, Check) { Collect = Collect, Status = Status, NeedsProgram = BridgeConfiguration.NeedsProgram };

    static NetworkResult Add(PluginCall call)
    {
        var configuration = BridgeConfiguration.Read(call);
        using var undo = new Undo();
        var result = AddressManagement.Find(call)?.Obtain(call, undo) ?? new NetworkResult();
        result = AddGateways(result, configuration);
        using var pair = VethPair.Create(call, configuration.Mtu, configuration.Mac, () => Prepare(call.InterfaceName, configuration, result.Ips), undo);
        var bridge = BridgeDevice.Ensure(pair.Host, configuration);
        PodDevice.PrepareOuter(pair.Outer.Name);
        pair.Host.Apply(
            pair.Outer.Changing(new LinkSettings { Master = bridge.Index, IsUp = true }),
            BridgePort.Changing(pair.Outer, configuration.Reflects, configuration.IsIsolated));
        if (configuration.KnowsVlans)
        {
            BridgeDevice.JoinVlans(pair.Host, pair.Outer, configuration, configuration.Trunk ?? []);
        }

        if (configuration.ChecksSource)
        {
            undo.Add(() => SourceCheck.Remove(call));
            SourceCheck.Add(call, pair.Outer.Name, pair.Inner.HardwareAddress);
        }

        NetworkLink? gateway = null;
        if (configuration.IsGateway && result.Ips.Count > 0)
        {
            gateway = configuration.Vlan == 0 ? bridge : BridgeDevice.EnsureGateway(pair.Host, bridge, configuration);
            BridgeDevice.EnsureAddresses(pair.Host, gateway, [.. result.Ips.Select(ip => new Cidr(ip.Gateway!, ip.Address.PrefixLength))], configuration.ForceAddress);
            Forwarding.Enable(result.Ips);
        }

        if (!configuration.StaysDown)
        {
            pair.Pod.Apply([.. ChangesInside(pair.Inner, configuration, result)]);
            pair.WaitUntilUp();
        }

        if (configuration.DetectsDuplicates)
        {
            WaitForDetection(pair);
        }

        if (configuration.Masquerades && result.Ips.Count > 0)
        {
            undo.Add(() => Masquerade.Remove(call));
            Masquerade.Add(call, result.Ips);
        }

        var after = NetworkLink.Find(pair.Host, bridge.Index) ?? bridge; // the first port may have changed its hardware address
        undo.Forget();
        return result with
        {
            Interfaces =
            [
                new(after.Name) { Mac = PluginOptions.FormatMac(after.HardwareAddress) },
                new(pair.Outer.Name) { Mac = PluginOptions.FormatMac(pair.Outer.HardwareAddress) },
                new(call.InterfaceName) { Mac = PluginOptions.FormatMac(pair.Inner.HardwareAddress), Sandbox = call.NamespacePath },
                .. gateway is null || gateway.Index == bridge.Index ? [] : (NetworkInterface[])[new(gateway.Name) { Mac = PluginOptions.FormatMac(gateway.HardwareAddress) }],
            ],
            Ips = [.. result.Ips.Select(ip => ip with { Interface = 2 })],
            Dns = configuration.Dns ?? result.Dns,
        };
    }

    /// <summary>The first address of a network is its gateway where nothing else is said; and where the bridge is the way to all else, there is a route that says so.</summary>
    static NetworkResult AddGateways(NetworkResult result, BridgeConfiguration configuration)
    {
        if (!configuration.IsGateway)
        {
            return result;
        }

        List<NetworkIp> ips = [.. result.Ips.Select(ip => ip with { Gateway = ip.Gateway ?? AddressNumber.ToAddress(AddressNumber.Of(ip.Address.Network.BaseAddress) + 1, ip.Address.Address.AddressFamily) })];
        List<NetworkRoute> routes = [.. result.Routes];
        foreach (var first in configuration.IsDefaultGateway ? ips.DistinctBy(ip => ip.Address.IsIPv4) : [])
        {
            if (!routes.Exists(route => route.Destination.PrefixLength == 0 && route.Destination.IsIPv4 == first.Address.IsIPv4))
            {
                routes.Add(new NetworkRoute(new Cidr(first.Address.IsIPv4 ? IPAddress.Any : IPAddress.IPv6Any, 0)) { Gateway = first.Gateway });
            }
        }

        return result with { Ips = ips, Routes = routes };
    }

    static void Prepare(string device, BridgeConfiguration configuration, IReadOnlyList<NetworkIp> ips)
    {
        if (ips.Count == 0)
        {
            return;
        }

        PodDevice.AllowIPv6(device, ips, configuration.DetectsDuplicates);
        if (configuration.DetectsDuplicates)
        {
            KernelSetting.TryWrite($"net/ipv6/conf/{device}/enhanced_dad", "1");
        }

        // Neighbours may still know somebody else by an address.
        KernelSetting.TryWrite($"net/ipv4/conf/{device}/arp_notify", "1");
        KernelSetting.TryWrite($"net/ipv6/conf/{device}/ndisc_notify", "1");
    }

    static IEnumerable<NetworkChange> ChangesInside(NetworkLink link, BridgeConfiguration configuration, NetworkResult result)
    {
        foreach (var ip in result.Ips)
        {
            yield return PodDevice.AddressOf(ip, configuration.DetectsDuplicates ? 0 : NetworkAddress.WithoutDetection).Adding(link);
        }

        yield return link.Changing(new LinkSettings { IsUp = true });
        foreach (var route in PodDevice.AddRoutes(link, result))
        {
            yield return route;
        }
    }

    static void WaitForDetection(VethPair pair)
    {
        const uint IFA_F_DADFAILED = 0x08, IFA_F_TENTATIVE = 0x40;
        const int Most = 5000, Milliseconds = 50;
        for (int waited = 0; ; waited += Milliseconds)
        {
            var addresses = NetworkAddress.List(pair.Pod, pair.Inner);
            if (addresses.FirstOrDefault(address => (address.Flags & IFA_F_DADFAILED) != 0) is { } taken)
            {
                throw new NetworkException(NetworkException.Internal, $"{taken.Local} belongs to somebody else on this link");
            }

            if (addresses.All(address => (address.Flags & IFA_F_TENTATIVE) == 0))
            {
                return;
            }

            if (waited >= Most)
            {
                throw new NetworkException(NetworkException.Internal, $"it is not known whether addresses of {pair.Inner.Name} belong to others");
            }

            Thread.Sleep(Milliseconds);
        }
    }

    static void Delete(PluginCall call)
    {
        var configuration = BridgeConfiguration.Read(call);
        if (configuration.Masquerades)
        {
            Masquerade.Remove(call);
        }

        if (configuration.ChecksSource)
        {
            SourceCheck.Remove(call);
        }

        PodDevice.Remove(call);

        // Last of all: now nothing leads to the addresses any more, and others may have them.
        AddressManagement.Find(call)?.Delete(call);
    }

    static void Check(PluginCall call)
    {
        var configuration = BridgeConfiguration.Read(call);
        AddressManagement.Find(call)?.Check(call);
        var result = call.PreviousResult ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no result of ADD to check");
        var inner = PodDevice.Check(call, result, "veth");
        using var host = NetlinkSocket.Open();
        var bridge = NetworkLink.Find(host, configuration.Bridge) is { Kind: BridgeDevice.Kind } found ? found : throw PodDevice.Missing($"there is no bridge {configuration.Bridge} any more");
        if (NetworkLink.Find(host, inner.Peer)?.Master != bridge.Index)
        {
            throw PodDevice.Missing($"{inner.Name} is not on bridge {bridge.Name} any more");
        }

        if (configuration.Masquerades)
        {
            Masquerade.Check(call, [.. result.Ips.Where(ip => ip.Interface is { } place && result.Interfaces[place].Name == call.InterfaceName)]);
        }
    }

    static void Collect(PluginCall call)
    {
        var configuration = BridgeConfiguration.Read(call);
        if (configuration.Masquerades)
        {
            Masquerade.Collect(call);
        }

        if (configuration.ChecksSource)
        {
            SourceCheck.Collect(call);
        }

        AddressManagement.Find(call)?.Collect?.Invoke(call);
    }

    static void Status(PluginCall call) => AddressManagement.Find(call)?.Status?.Invoke(call);
}
