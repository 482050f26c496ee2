using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>A pod's own link to the machine, by which it reaches all else, its neighbours included: the plug-in ptp.</summary>
static class PointToPoint
{
    public static readonly NetworkPlugin Plugin = new("ptp", Add, Delete, Check) { Collect = Collect, Status = Status, NeedsProgram = NeedsProgram };

    static NetworkResult Add(PluginCall call)
    {
        var root = SpecNode.Of(call.Configuration);
        uint? mtu = PluginOptions.ReadMtu(root);
        bool masquerades = root.FindFlag("ipMasq");
        using var undo = new Undo();
        var result = AddressManagement.Need(call).Obtain(call, undo);
        if (result.Ips.FirstOrDefault(ip => ip.Gateway is null) is { } lost)
        {
            throw new NetworkException(NetworkException.InvalidConfiguration, $"{lost.Address.Address} has no gateway: the machine's end of the link needs an address");
        }

        Forwarding.Enable(result.Ips);
        using var pair = VethPair.Create(call, mtu, null, () => PodDevice.AllowIPv6(call.InterfaceName, result.Ips), undo);
        PodDevice.PrepareOuter(pair.Outer.Name);
        pair.Host.Apply([.. ChangesOutside(pair.Outer, result)]);
        pair.Pod.Apply([.. ChangesInside(pair.Inner, result)]);
        if (masquerades)
        {
            undo.Add(() => Masquerade.Remove(call));
            Masquerade.Add(call, result.Ips);
        }

        var outer = pair.WaitUntilUp();
        undo.Forget();
        return result with
        {
            Interfaces =
            [
                new(outer.Name) { Mac = PluginOptions.FormatMac(outer.HardwareAddress) },
                new(call.InterfaceName) { Mac = PluginOptions.FormatMac(pair.Inner.HardwareAddress), Sandbox = call.NamespacePath },
            ],
            Ips = [.. result.Ips.Select(ip => ip with { Interface = 1 })],
            Dns = PluginOptions.ReadDns(root) ?? result.Dns,
        };
    }

    static IEnumerable<NetworkChange> ChangesOutside(NetworkLink link, NetworkResult result)
    {
        yield return link.Changing(new LinkSettings { IsUp = true });
        foreach (var gateway in result.Ips.Select(ip => ip.Gateway!).Distinct())
        {
            // Every pod's link has it, so nobody is asked whether it is taken.
            yield return PodDevice.AddressOf(new NetworkIp(new Cidr(gateway, PodDevice.Alone(gateway).PrefixLength)), NetworkAddress.WithoutDetection).Adding(link);
        }

        foreach (var ip in result.Ips)
        {
            // That of a pod that has just ended may still be there: the kernel removes its devices a moment later.
            yield return new LinkRoute(PodDevice.Alone(ip.Address.Address), link.Index) { Scope = LinkRoute.OnHost }.Replacing();
        }
    }

    /// <summary>All but the gateway is reached by the gateway, the pod's own network included: a veth pair has no other neighbours.</summary>
    static IEnumerable<NetworkChange> ChangesInside(NetworkLink link, NetworkResult result)
    {
        foreach (var ip in result.Ips)
        {
            yield return PodDevice.AddressOf(ip, NetworkAddress.WithoutRoute | NetworkAddress.WithoutDetection).Adding(link);
        }

        yield return link.Changing(new LinkSettings { IsUp = true });
        foreach (var ip in result.Ips)
        {
            yield return new LinkRoute(PodDevice.Alone(ip.Gateway!), link.Index) { Scope = LinkRoute.OnLink, Source = ip.Address.Address }.Adding();
            yield return new LinkRoute(ip.Address.Network, link.Index) { Gateway = ip.Gateway, Source = ip.Address.Address }.Adding();
        }

        // The link has no other neighbours; but the machine answers for all its addresses.
        foreach (var route in PodDevice.AddRoutes(link, result, onLink: true))
        {
            yield return route;
        }
    }

    static void Delete(PluginCall call)
    {
        if (SpecNode.Of(call.Configuration).FindFlag("ipMasq"))
        {
            Masquerade.Remove(call);
        }

        PodDevice.Remove(call);

        // Last of all: now nothing leads to the addresses any more, and others may have them.
        AddressManagement.Need(call).Delete(call);
    }

    static void Check(PluginCall call)
    {
        AddressManagement.Need(call).Check(call);
        var result = call.PreviousResult ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no result of ADD to check");
        PodDevice.Check(call, result, "veth");
        if (SpecNode.Of(call.Configuration).FindFlag("ipMasq"))
        {
            Masquerade.Check(call, result.Ips);
        }
    }

    static void Collect(PluginCall call)
    {
        if (SpecNode.Of(call.Configuration).FindFlag("ipMasq"))
        {
            Masquerade.Collect(call);
        }

        AddressManagement.Find(call)?.Collect?.Invoke(call);
    }

    static void Status(PluginCall call) => AddressManagement.Find(call)?.Status?.Invoke(call);

    static string? NeedsProgram(SpecNode root) => PluginOptions.IptablesKey(root, "ipMasqBackend");
}
