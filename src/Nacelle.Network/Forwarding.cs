using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Lets the machine pass packets on between its devices, for the families of pods' addresses. It is never switched off again: others may rely on it.</summary>
static class Forwarding
{
    const string IPv4 = "net/ipv4/ip_forward", IPv6 = "net/ipv6/conf/all/forwarding", IPv6Devices = "/proc/sys/net/ipv6/conf";

    public static void Enable(IEnumerable<NetworkIp> ips)
    {
        bool four = false, six = false;
        foreach (var ip in ips)
        {
            four |= ip.Address.IsIPv4;
            six |= !ip.Address.IsIPv4;
        }

        if (four && KernelSetting.Read(IPv4) != "1")
        {
            KernelSetting.Write(IPv4, "1");
        }

        if (six && KernelSetting.Read(IPv6) != "1")
        {
            KeepAdvertisedRoutes();
            KernelSetting.Write(IPv6, "1");
        }
    }

    /// <summary>A device that forwards listens to routers no more, and the machine would lose its default route, unless it is told to (accept_ra of ip-sysctl).</summary>
    static void KeepAdvertisedRoutes()
    {
        using var devices = Files.Open(IPv6Devices, OpenFlags.ReadOnly | OpenFlags.Directory);
        foreach (var device in Directories.List(devices).Select(entry => entry.Name).Where(name => name is not ("all" or "default" or "lo")))
        {
            if (KernelSetting.Read($"net/ipv6/conf/{device}/accept_ra") == "1")
            {
                KernelSetting.TryWrite($"net/ipv6/conf/{device}/accept_ra", "2");
            }
        }
    }
}
