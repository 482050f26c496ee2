using System.Net;
using System.Text.Json;

namespace Nacelle.Specs;

public sealed partial record NetworkResult
{
    /// <summary>Reads what a plug-in has printed, in whichever version it says.</summary>
    /// <param name="unsaid">The version where it names none: that of the request.</param>
    /// <exception cref="SpecException">Not JSON, not a result, or of a version that is not spoken here; says where.</exception>
    public static NetworkResult Parse(ReadOnlySpan<byte> json, CniVersion unsaid) => SpecNode.Parse(json, node => Read(node, unsaid));

    public byte[] ToJson(CniVersion version) => SpecWriter.Write(this, (json, result) => Write(json, result, version));

    public static NetworkResult Read(SpecNode node, CniVersion unsaid)
    {
        if (CniVersion.Read(node, unsaid) < CniVersion.Chains)
        {
            return ReadFamilies(node);
        }

        var interfaces = node.List("interfaces", NetworkInterface.Read);
        return new NetworkResult
        {
            Interfaces = interfaces,
            Ips = node.List("ips", ip => NetworkIp.Read(ip, interfaces.Count)),
            Routes = node.List("routes", NetworkRoute.Read),
            Dns = node.Find("dns", NetworkDns.Read) ?? new(),
        };
    }

    /// <summary>0.1.0 and 0.2.0: one address of each family, with its routes, and no interfaces.</summary>
    static NetworkResult ReadFamilies(SpecNode node)
    {
        List<SpecNode> families = [.. new[] { node.Find("ip4"), node.Find("ip6") }.OfType<SpecNode>()];
        return new NetworkResult
        {
            Ips = families.ConvertAll(family => new NetworkIp(Cidr.Read(family.Need("ip"))) { Gateway = Addresses.Find(family, "gateway") }),
            Routes = [.. families.SelectMany(family => family.List("routes", NetworkRoute.Read))],
            Dns = node.Find("dns", NetworkDns.Read) ?? new(),
        };
    }

    /// <remarks>What a version has no words for is left out: before 0.3.0 all but the first address of a family, before 1.0.0 most of an interface.</remarks>
    public static void Write(SpecWriter json, NetworkResult result, CniVersion version)
    {
        json.Text("cniVersion", version.ToString());
        if (version < CniVersion.Chains)
        {
            WriteFamily(json, "ip4", result, four: true);
            WriteFamily(json, "ip6", result, four: false);
        }
        else
        {
            json.List("interfaces", result.Interfaces, (one, value) => NetworkInterface.Write(one, value, version));
            json.List("ips", result.Ips, (one, value) => NetworkIp.Write(one, value, version));
            json.List("routes", result.Routes, (one, value) => NetworkRoute.Write(one, value));
        }

        if (!result.Dns.IsEmpty)
        {
            json.Object("dns", result.Dns, NetworkDns.Write);
        }
    }

    static void WriteFamily(SpecWriter json, string name, NetworkResult result, bool four) =>
        json.Object(name, result.Ips.FirstOrDefault(ip => ip.Address.IsIPv4 == four), (one, ip) =>
        {
            one.Text("ip", ip.Address.ToString());
            one.Text("gateway", ip.Gateway?.ToString());
            one.List("routes", [.. result.Routes.Where(route => route.Destination.IsIPv4 == four)], (each, route) => NetworkRoute.Write(each, new NetworkRoute(route.Destination) { Gateway = route.Gateway }));
        });
}

public sealed partial record NetworkInterface
{
    internal static NetworkInterface Read(SpecNode node)
    {
        var name = node.Need("name");
        return new NetworkInterface(NetworkName.IsDevice(name.Text()) ? name.Text() : throw new SpecException(name.Path, $"'{name.Text()}' is not a device's name: at most 15 bytes, without '/', ':' and space"))
        {
            Mac = node.FindFilled("mac"),
            Mtu = node.Find("mtu")?.UInt() is { } mtu and > 0 ? mtu : null,
            Sandbox = node.FindFilled("sandbox"),
            SocketPath = node.FindFilled("socketPath"),
            PciId = node.FindFilled("pciID"),
        };
    }

    internal static void Write(SpecWriter json, NetworkInterface value, CniVersion version)
    {
        json.Text("name", value.Name);
        json.Text("mac", value.Mac);
        json.Text("sandbox", value.Sandbox);
        if (version >= CniVersion.Major1)
        {
            json.Unsigned("mtu", value.Mtu);
            json.Text("socketPath", value.SocketPath);
            json.Text("pciID", value.PciId);
        }
    }
}

public sealed partial record NetworkIp
{
    /// <param name="interfaces">How many there are: an index beyond them, as some plug-ins write it, names none.</param>
    internal static NetworkIp Read(SpecNode node, int interfaces) => new(Cidr.Read(node.Need("address")))
    {
        Gateway = Addresses.Find(node, "gateway"),
        Interface = node.Find("interface")?.Int() is { } index and >= 0 && index < interfaces ? index : null,
    };

    internal static void Write(SpecWriter json, NetworkIp value, CniVersion version)
    {
        json.Text("version", version < CniVersion.Major1 ? value.Address.IsIPv4 ? "4" : "6" : null);
        json.Number("interface", value.Interface);
        json.Text("address", value.Address.ToString());
        json.Text("gateway", value.Gateway?.ToString());
    }
}

public sealed partial record NetworkRoute
{
    /// <summary>A route as results and configurations write it.</summary>
    /// <exception cref="SpecException">It is none; says where.</exception>
    public static NetworkRoute Read(SpecNode node) => new(Cidr.Read(node.Need("dst")))
    {
        Gateway = Addresses.Find(node, "gw"),
        Mtu = Positive(node, "mtu"),
        AdvertisedSegment = Positive(node, "advmss"),
        Priority = Positive(node, "priority"),
        Table = node.Find("table")?.UInt(),
        Scope = node.Find("scope")?.UInt(),
    };

    static uint? Positive(SpecNode node, string name) => node.Find(name)?.UInt() is { } number and > 0 ? number : null;

    internal static void Write(SpecWriter json, NetworkRoute value)
    {
        json.Text("dst", value.Destination.ToString());
        json.Text("gw", value.Gateway?.ToString());
        json.Unsigned("mtu", value.Mtu);
        json.Unsigned("advmss", value.AdvertisedSegment);
        json.Unsigned("priority", value.Priority);
        json.Unsigned("table", value.Table);
        json.Unsigned("scope", value.Scope);
    }
}

public sealed partial record NetworkDns
{
    public bool IsEmpty => Nameservers.Count == 0 && Search.Count == 0 && Options.Count == 0 && Domain is null;

    /// <summary>The object <c>dns</c> of results and configurations.</summary>
    /// <exception cref="SpecException">It is none; says where.</exception>
    public static NetworkDns Read(SpecNode node) => new()
    {
        Nameservers = node.List("nameservers", ReadWord),
        Domain = node.Find("domain") is { } domain && domain.Text().Length > 0 ? ReadWord(domain) : null,
        Search = node.List("search", ReadWord),
        Options = node.List("options", ReadWord),
    };

    /// <summary>All of it becomes words on lines of /etc/resolv.conf.</summary>
    static string ReadWord(SpecNode node) =>
        node.Text() is { Length: > 0 } word && !word.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)) ? word : throw new SpecException(node.Path, $"'{node.Text()}' is not a word without space");

    public static void Write(SpecWriter json, NetworkDns value)
    {
        json.Texts("nameservers", value.Nameservers);
        json.Text("domain", value.Domain);
        json.Texts("search", value.Search);
        json.Texts("options", value.Options);
    }
}
