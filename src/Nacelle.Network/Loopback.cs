using System.Net;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Sets lo up, whatever device is asked for: the plug-in loopback.</summary>
static class Loopback
{
    const string Device = "lo";

    public static readonly NetworkPlugin Plugin = new("loopback", Add, Delete, Check);

    static NetworkResult Add(PluginCall call)
    {
        var space = call.Namespace ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no network namespace to add to");
        using var pod = NetlinkSocket.Open(space);
        var link = Find(pod);
        pod.Apply(link.Changing(new LinkSettings { IsUp = true }));
        var addresses = NetworkAddress.List(pod, link);
        if (addresses.FirstOrDefault(address => !IPAddress.IsLoopback(address.Local)) is { } strange)
        {
            throw new NetworkException(NetworkException.InvalidEnvironment, $"lo has {strange.Local}, which does not belong there");
        }

        return call.PreviousResult ?? new NetworkResult
        {
            Interfaces = [new(Device) { Mac = "00:00:00:00:00:00", Sandbox = call.NamespacePath }],
            Ips = [.. addresses.DistinctBy(address => address.Local.AddressFamily).Select(address => new NetworkIp(new Cidr(address.Local, address.PrefixLength)) { Interface = 0 })],
        };
    }

    static void Delete(PluginCall call)
    {
        if (call.Namespace is { } space)
        {
            using var pod = NetlinkSocket.Open(space);
            pod.Apply(Find(pod).Changing(new LinkSettings { IsUp = false }));
        }
    }

    static void Check(PluginCall call)
    {
        var space = call.Namespace ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no network namespace to look into");
        using var pod = NetlinkSocket.Open(space);
        if (!Find(pod).IsUp)
        {
            throw PodDevice.Missing("lo is down");
        }
    }

    static NetworkLink Find(NetlinkSocket pod) => NetworkLink.Find(pod, Device) ?? throw PodDevice.Missing("there is no lo");
}
