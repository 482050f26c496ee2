using System.Text.Json;

namespace Nacelle.Specs;

/// <summary>What only those plug-ins of a network are told whose configuration asks for it by <c>capabilities</c>: it stands in their <c>runtimeConfig</c>.</summary>
/// <remarks>CNI, CONVENTIONS.md, "Well-known Capabilities".</remarks>
public sealed record CapabilityArguments
{
    public IReadOnlyList<PortMapping> PortMappings { get; init; } = [];

    public BandwidthLimits? Bandwidth { get; init; }

    /// <summary>A list of lists of ranges, as the key <c>ranges</c> of host-local.</summary>
    public JsonElement? IpRanges { get; init; }

    /// <summary>As in <c>c2:11:22:33:44:55</c>.</summary>
    public string? Mac { get; init; }

    /// <summary>Addresses, with or without the length of a prefix.</summary>
    public IReadOnlyList<string> Ips { get; init; } = [];

    /// <summary>Names under which others on the network find the pod.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    public NetworkDns Dns { get; init; } = new();

    public string? InfinibandGuid { get; init; }

    /// <summary>Of a device that the plug-in shall take, as in <c>0000:04:00.5</c>.</summary>
    public string? DeviceId { get; init; }

    public string? CgroupPath { get; init; }

    /// <summary>The names of those that are given.</summary>
    public IReadOnlyList<string> Names => [.. Members.Where(member => member.IsGiven(this)).Select(member => member.Name)];

    /// <exception cref="SpecException">One of them is not of its shape; says where.</exception>
    public static CapabilityArguments Read(SpecNode node) => new()
    {
        PortMappings = node.List("portMappings", PortMapping.Read),
        Bandwidth = node.Find("bandwidth", BandwidthLimits.Read),
        IpRanges = node.Find("ipRanges")?.Raw(),
        Mac = node.FindFilled("mac"),
        Ips = node.Texts("ips"),
        Aliases = node.Texts("aliases"),
        Dns = node.Find("dns", dns => new NetworkDns { Nameservers = dns.Texts("servers"), Search = dns.Texts("searches"), Options = dns.Texts("options") }) ?? new(),
        InfinibandGuid = node.FindFilled("infinibandGUID"),
        DeviceId = node.FindFilled("deviceID"),
        CgroupPath = node.FindFilled("cgroupPath"),
    };

    /// <param name="wanted">The names that are written, where there is something to write.</param>
    public void Write(SpecWriter json, Func<string, bool> wanted)
    {
        foreach (var member in Members)
        {
            if (member.IsGiven(this) && wanted(member.Name))
            {
                member.Write(json, this);
            }
        }
    }

    sealed record Member(string Name, Func<CapabilityArguments, bool> IsGiven, Action<SpecWriter, CapabilityArguments> Write);

    static readonly Member[] Members =
    [
        new("portMappings", all => all.PortMappings.Count > 0, (json, all) => json.List("portMappings", all.PortMappings, PortMapping.Write)),
        new("bandwidth", all => all.Bandwidth is not null, (json, all) => json.Object("bandwidth", all.Bandwidth, BandwidthLimits.Write)),
        new("ipRanges", all => all.IpRanges is not null, (json, all) => json.Raw("ipRanges", all.IpRanges!.Value)),
        new("mac", all => all.Mac is not null, (json, all) => json.Text("mac", all.Mac)),
        new("ips", all => all.Ips.Count > 0, (json, all) => json.Texts("ips", all.Ips)),
        new("aliases", all => all.Aliases.Count > 0, (json, all) => json.Texts("aliases", all.Aliases)),
        new("dns", all => !all.Dns.IsEmpty, (json, all) => json.Group("dns", dns =>
        {
            dns.Texts("servers", all.Dns.Nameservers);
            dns.Texts("searches", all.Dns.Search);
            dns.Texts("options", all.Dns.Options);
        })),
        new("infinibandGUID", all => all.InfinibandGuid is not null, (json, all) => json.Text("infinibandGUID", all.InfinibandGuid)),
        new("deviceID", all => all.DeviceId is not null, (json, all) => json.Text("deviceID", all.DeviceId)),
        new("cgroupPath", all => all.CgroupPath is not null, (json, all) => json.Text("cgroupPath", all.CgroupPath)),
    ];
}

/// <summary>A port of the host's that leads to one of the pod's.</summary>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</param>
/// <param name="HostIp">The only address of the host's that it holds for; null for all.</param>
public sealed record PortMapping(ushort HostPort, ushort ContainerPort, string Protocol, string? HostIp = null)
{
    static readonly string[] Protocols = ["tcp", "udp", "sctp"];

    /// <exception cref="SpecException">It is none; says where.</exception>
    public static PortMapping Read(SpecNode node)
    {
        string protocol = node.FindFilled("protocol")?.ToLowerInvariant() ?? Protocols[0];
        return Protocols.Contains(protocol)
            ? new PortMapping(ReadPort(node.Need("hostPort")), ReadPort(node.Need("containerPort")), protocol, node.FindFilled("hostIP"))
            : throw new SpecException(node.Find("protocol")!.Value.Path, $"'{protocol}' is none of {string.Join(", ", Protocols)}");
    }

    public static void Write(SpecWriter json, PortMapping port)
    {
        json.Unsigned("hostPort", port.HostPort);
        json.Unsigned("containerPort", port.ContainerPort);
        json.Text("protocol", port.Protocol);
        json.Text("hostIP", port.HostIp);
    }

    static ushort ReadPort(SpecNode node)
    {
        uint port = node.UInt();
        return port <= ushort.MaxValue ? (ushort)port : throw new SpecException(node.Path, $"{port} is not a port: at most {ushort.MaxValue}");
    }
}

/// <summary>How much a pod may receive (ingress) and send (egress): rates in bits per second, bursts in bits; 0 for no limit.</summary>
public sealed record BandwidthLimits(ulong IngressRate, ulong IngressBurst, ulong EgressRate, ulong EgressBurst)
{
    /// <exception cref="SpecException">It is none; says where.</exception>
    public static BandwidthLimits Read(SpecNode node)
    {
        ulong Number(string name) => node.Find(name)?.ULong() ?? 0;
        return new BandwidthLimits(Number("ingressRate"), Number("ingressBurst"), Number("egressRate"), Number("egressBurst"));
    }

    internal static void Write(SpecWriter json, BandwidthLimits limits)
    {
        json.Unsigned("ingressRate", limits.IngressRate);
        json.Unsigned("ingressBurst", limits.IngressBurst);
        json.Unsigned("egressRate", limits.EgressRate);
        json.Unsigned("egressBurst", limits.EgressBurst);
    }
}
