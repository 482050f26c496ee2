using System.Net;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>A network that a pod is attached to: what people and programs are told of it.</summary>
public sealed record PodNetwork
{
    public required string Name { get; init; }

    /// <summary>The file of its configuration, as it was named at ADD.</summary>
    public string Source { get; init; } = "";

    /// <summary>The program of the network's first plug-in; empty where it is built in.</summary>
    public string PluginPath { get; init; } = "";

    /// <summary>Of the device in the pod.</summary>
    public required string InterfaceName { get; init; }

    /// <summary>As they were given: <c>KEY=VALUE;…</c>.</summary>
    public string Arguments { get; init; } = "";

    /// <summary>The pod's, of IPv4 and IPv6.</summary>
    public IReadOnlyList<Cidr> Addresses { get; init; } = [];

    public IReadOnlyList<IPAddress> Gateways { get; init; } = [];

    /// <summary>Null where the device has none.</summary>
    public string? Mac { get; init; }

    public NetworkDns Dns { get; init; } = new();

    /// <summary>The host's ports that lead to the pod on this network.</summary>
    public IReadOnlyList<PortMapping> Ports { get; init; } = [];

    internal static PodNetwork Of(NetworkAttachment attachment, NetworkResult result, string pluginPath)
    {
        bool IsInside(int index) => result.Interfaces[index].Sandbox is not null;
        List<NetworkIp> ips = [.. result.Ips.Where(ip => ip.Interface is not { } index || IsInside(index))];
        return new PodNetwork
        {
            Name = attachment.Network.Name,
            Source = attachment.Source,
            PluginPath = pluginPath,
            InterfaceName = attachment.InterfaceName,
            Arguments = string.Join(';', attachment.Arguments.Select(argument => $"{argument.Key}={argument.Value}")),
            Addresses = ips.ConvertAll(ip => ip.Address),
            Gateways = [.. ips.Select(ip => ip.Gateway).OfType<IPAddress>()],
            Mac = result.Interfaces.FirstOrDefault(one => one.Sandbox is not null && one.Name == attachment.InterfaceName)?.Mac,
            Dns = result.Dns,
            Ports = attachment.Network.Supports("portMappings") ? attachment.CapabilityArguments.PortMappings : [],
        };
    }
}

/// <summary>The networks of a pod as rkt's <c>net-info.json</c> has them, with what it has no words for: IPv6, gateways, hardware addresses, DNS and ports.</summary>
/// <remarks>rkt 1.30, networking/netinfo.</remarks>
public static class PodNetworks
{
    const string FileName = "net-info.json";
    const uint Public = 0x1A4;

    /// <summary>The networks that a pod is attached to; none once it is detached.</summary>
    /// <param name="pod">The pod's directory.</param>
    /// <exception cref="SpecException">The file is broken.</exception>
    public static IReadOnlyList<PodNetwork> Read(FileDescriptor pod) => PodFiles.TryRead(pod, FileName) is { } json ? SpecNode.Parse(json, FileName, list => list.Items(Read)) : [];

    internal static void Write(FileDescriptor pod, IReadOnlyList<PodNetwork> networks) => PodFiles.Write(pod, FileName, SpecWriter.WriteList(networks, Write), Public);

    internal static void Remove(FileDescriptor pod) => Files.TryUnlink(pod, FileName);

    static PodNetwork Read(SpecNode node)
    {
        var addresses = node.List("addresses", Cidr.Read);
        return new PodNetwork
        {
            Name = node.Need("netName").Text(),
            Source = node.FindText("netConf") ?? "",
            PluginPath = node.FindText("pluginPath") ?? "",
            InterfaceName = node.Need("ifName").Text(),
            Arguments = node.FindText("args") ?? "",
            Addresses = addresses.Count > 0 ? addresses : ReadRkt(node),
            Gateways = node.List("gateways", Addresses.Read),
            Mac = node.FindFilled("mac"),
            Dns = node.Find("dns", NetworkDns.Read) ?? new(),
            Ports = node.List("ports", PortMapping.Read),
        };
    }

    /// <summary>The one address that others write.</summary>
    static IReadOnlyList<Cidr> ReadRkt(SpecNode node)
    {
        if (Addresses.Find(node, "ip") is not { } address)
        {
            return [];
        }

        var mask = Addresses.Find(node, "mask")?.GetAddressBytes();
        return [new Cidr(address, mask?.Sum(part => System.Numerics.BitOperations.PopCount(part)) ?? address.GetAddressBytes().Length * 8)];
    }

    static void Write(SpecWriter json, PodNetwork network)
    {
        var first = network.Addresses.Where(address => address.IsIPv4).Select(address => (Cidr?)address).FirstOrDefault();
        json.Text("netName", network.Name);
        json.Text("netConf", network.Source);
        json.Text("pluginPath", network.PluginPath);
        json.Text("ifName", network.InterfaceName);
        json.Text("ip", first?.Address.ToString() ?? "");
        json.Text("args", network.Arguments);
        json.Text("mask", first is { } address ? Mask(address.PrefixLength) : "");
        json.Texts("addresses", [.. network.Addresses.Select(one => one.ToString())]);
        json.Texts("gateways", [.. network.Gateways.Select(one => one.ToString())]);
        json.Text("mac", network.Mac);
        if (!network.Dns.IsEmpty)
        {
            json.Object("dns", network.Dns, NetworkDns.Write);
        }

        json.List("ports", network.Ports, PortMapping.Write);
    }

    static string Mask(int length) => string.Join('.', Enumerable.Range(0, 4).Select(part => (0xFF00 >> Math.Clamp(length - (part * 8), 0, 8)) & 0xFF));
}
