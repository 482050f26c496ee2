using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Addresses that the configuration or the caller says, as the plug-in static gives them. Nothing is kept.</summary>
static class StaticAddresses
{
    public static readonly NetworkPlugin Plugin = new("static", Add, _ => { }, Check);

    static NetworkResult Add(PluginCall call)
    {
        var ipam = SpecNode.Of(call.Configuration).Need("ipam");
        return new NetworkResult
        {
            Ips = Read(call),
            Routes = ipam.List("routes", NetworkRoute.Read),
            Dns = PluginOptions.ReadDns(ipam) ?? new NetworkDns(),
        };
    }

    static void Check(PluginCall call)
    {
        var found = call.PreviousResult?.Ips ?? throw new NetworkException(NetworkException.InvalidEnvironment, "static: there is no result of ADD to check");
        foreach (var wanted in Read(call))
        {
            if (found.FirstOrDefault(ip => ip.Address.Address.Equals(wanted.Address.Address)) is { } present && wanted.Gateway is not null && !wanted.Gateway.Equals(present.Gateway))
            {
                throw new NetworkException(NetworkException.InvalidConfiguration, $"static: {wanted.Address} has the gateway {present.Gateway}, and not {wanted.Gateway}");
            }
        }
    }

    /// <summary>Those of the configuration and CNI_ARGS; in their place those of <c>args.cni.ips</c>; in the place of all those of the capability <c>ips</c>.</summary>
    static IReadOnlyList<NetworkIp> Read(PluginCall call)
    {
        var root = SpecNode.Of(call.Configuration);
        var addresses = root.Need("ipam").List("addresses", one => new NetworkIp(Cidr.Read(one.Need("address")))
        {
            Gateway = Addresses.Find(one, "gateway"),
        }).ToList();
        foreach (var text in Items(call.FindArgument("IP")))
        {
            addresses.Add(new NetworkIp(Cidr.TryParse(text) ?? throw new SpecException("CNI_ARGS", $"'{text}' is not an address with the length of a prefix, as in 10.1.0.5/16")));
        }

        foreach (var text in Items(call.FindArgument("GATEWAY")))
        {
            var gateway = Addresses.TryParse(text) ?? throw new SpecException("CNI_ARGS", $"'{text}' is not an address");
            addresses = [.. addresses.Select(ip => ip.Address.Address.AddressFamily == gateway.AddressFamily && ip.Address.Network.Contains(gateway) ? ip with { Gateway = gateway } : ip)];
        }

        foreach (var node in (SpecNode?[])[root.Find("args")?.Find("cni"), root.Find("runtimeConfig")])
        {
            if (node?.List("ips", Cidr.Read) is { Count: > 0 } given)
            {
                addresses = [.. given.Select(address => new NetworkIp(address))];
            }
        }

        return addresses;
    }

    static string[] Items(string? list) => list?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
