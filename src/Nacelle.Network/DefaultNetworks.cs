using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>The networks that are there without a configuration; one of the same name in a directory replaces them.</summary>
/// <remarks>
/// rkt 1.30, stage1/net/conf: a pair of devices per pod and no bridge, 172.16.28.0 with a way out, 172.31.0.0 without one. Here the first range is four times
/// as large, ports are the network's own to forward, and both have IPv6: a range of unique local addresses (RFC 4193).
/// </remarks>
public static class DefaultNetworks
{
    const string Leases = "/run/nacelle/networks"; // which is gone with the pods when the machine starts anew

    /// <summary>The weakest, for <see cref="NetworkConfigurations.Load"/>.</summary>
    public static IReadOnlyList<LoadedNetwork> All { get; } = UserNamespaces.IsInitial && Processes.IsRoot ?
    [
        Parse(NetworkSelection.Default, """ "ipMasq": true, """, "172.16.28.0/22", "fd6e:6163:656c:1::/64", """[{"dst": "0.0.0.0/0"}""", """, {"dst": "::/0"}]"""),
        Parse(NetworkSelection.DefaultRestricted, "", "172.31.0.0/16", "fd6e:6163:656c:2::/64", "[", "]"),
    ] : [Parse(NetworkSelection.Default, """{"type": "pasta", "capabilities": {"portMappings": true}}""")];

    /// <summary>Whether a user who is not root can have a network.</summary>
    public static bool UsersHaveOne => Pasta.IsInstalled;

    /// <summary>Whether devices of this machine have IPv6 unless somebody says otherwise.</summary>
    static bool HasIPv6 => Files.TryReadText(FileDescriptor.WorkingDirectory, "/proc/sys/net/ipv6/conf/default/disable_ipv6") is { } text && text.TrimEnd() == "0";

    static LoadedNetwork Parse(string name, string masquerade, string four, string six, string fourRoutes, string sixRoutes)
    {
        var ranges = $$"""[{"subnet": "{{four}}"}]""" + (HasIPv6 ? $$""", [{"subnet": "{{six}}"}]""" : "");
        var routes = fourRoutes + (HasIPv6 ? sixRoutes : "]");
        return Parse(name, $$$"""
            {"type": "ptp", {{{masquerade}}} "ipam": {"type": "host-local", "dataDir": "{{{Leases}}}", "ranges": [{{{ranges}}}], "routes": {{{routes}}}}},
            {"type": "portmap", "capabilities": {"portMappings": true}}
            """);
    }

    static LoadedNetwork Parse(string name, string plugins)
    {
        var json = $$"""{"cniVersion": "1.1.0", "cniVersions": ["0.4.0", "1.0.0", "1.1.0"], "name": "{{name}}", "plugins": [{{plugins}}]}""";
        var source = $"99-{name}.conflist";
        return new LoadedNetwork(source, NetworkConfiguration.Parse(Encoding.UTF8.GetBytes(json), source));
    }
}
