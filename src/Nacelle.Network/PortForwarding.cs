using System.Net;
using System.Net.Sockets;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Leads ports of the machine to a pod, from outside, from the machine itself, and from pods: the plug-in portmap.</summary>
static class PortForwarding
{
    static readonly string[] Maps =
    [
        RuleTable.Ports + "4", RuleTable.Ports + "6", RuleTable.AddressPorts + "4", RuleTable.AddressPorts + "6", RuleTable.Targets + "4", RuleTable.Targets + "6",
    ];

    public static readonly NetworkPlugin Plugin = new("portmap", Add, Delete, Check) { Collect = Collect, NeedsProgram = NeedsProgram };

    static NetworkResult Add(PluginCall call)
    {
        var result = call.PreviousResult ?? throw new NetworkException(NetworkException.InvalidEnvironment, "it has to come after a plug-in that gives addresses");
        var root = SpecNode.Of(call.Configuration);
        var mappings = ReadMappings(root);
        if (mappings.Count == 0)
        {
            return result;
        }

        bool masquerades = root.Find("snat")?.Flag() ?? true, masqueradesAll = root.FindFlag("masqAll");
        string owner = RuleOwner.Of(call);
        var pods = PodAddresses(call, result);
        using var table = RuleTable.Open();
        RemoveStale(table, mappings, pods, owner);
        try
        {
            table.Decide(
                RuleTable.Targets,
                masquerades ? [.. pods.Select(pod => (pod.Address, masqueradesAll ? new IPNetwork(pod.Address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0) : pod.Network))] : [],
                network => NftablesVerdict.Jump(RuleTable.HairpinChain(network)),
                owner,
                batch =>
                {
                    foreach (var (mapping, pod) in Pairs(mappings, pods))
                    {
                        var (map, key) = mapping.PlaceFor(pod.AddressFamily);
                        batch.AddElement(map, new NftablesElement(key) { Data = mapping.TargetOf(pod), Comment = owner });
                    }
                });
        }
        catch (KernelException failure) when (failure.Errno is Errno.EEXIST or Errno.EBUSY)
        {
            throw Conflict(table, mappings, pods) ?? new NetworkException(NetworkException.InvalidConfiguration, "a port is asked for twice");
        }

        // Looked at when this pod has its own ports: of two that come at the same time, one at least sees the other.
        if (Overlap(table, mappings, pods, owner) is { } overlap)
        {
            table.Remove(Maps, owner.Equals);
            throw overlap;
        }

        if (masquerades && pods.Find(pod => pod.Address.AddressFamily == AddressFamily.InterNetwork).Address is { } four)
        {
            AllowLoopback(four);
        }

        ForgetConnections(mappings);
        return result;
    }

    static void Delete(PluginCall call)
    {
        if (ReadMappings(SpecNode.Of(call.Configuration)).Count == 0)
        {
            return;
        }

        // What masquerades the pod goes along: closing the socket after a removal waits for the kernel, some milliseconds, and once is enough.
        string owner = RuleOwner.Of(call);
        using var table = RuleTable.Open();
        table.Remove([.. Maps, RuleTable.Sources + "4", RuleTable.Sources + "6"], owner.Equals);
    }

    static void Check(PluginCall call)
    {
        var result = call.PreviousResult ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no result of ADD to check");
        string owner = RuleOwner.Of(call);
        using var table = RuleTable.Open();
        foreach (var (mapping, pod) in Pairs(ReadMappings(SpecNode.Of(call.Configuration)), PodAddresses(call, result)))
        {
            var (map, key) = mapping.PlaceFor(pod.AddressFamily);
            if (table.Find(map, key) is not { Data: { } data, Comment: { } holder } || holder != owner || !data.AsSpan().SequenceEqual(mapping.TargetOf(pod)))
            {
                throw PodDevice.Missing($"{mapping} does not lead to {pod} any more");
            }
        }
    }

    static void Collect(PluginCall call)
    {
        using var table = RuleTable.Open();
        table.Collect(call, Maps);
    }

    static string? NeedsProgram(SpecNode root)
    {
        foreach (var name in (ReadOnlySpan<string>)["externalSetMarkChain", "markMasqBit", "conditionsV4", "conditionsV6"])
        {
            if (root.Find(name) is { } value && (value.Kind != System.Text.Json.JsonValueKind.Array || value.Items(one => one).Count > 0))
            {
                return $"'{name}' is only known to that";
            }
        }

        return PluginOptions.IptablesKey(root, "backend");
    }

    static IReadOnlyList<ForwardedPort> ReadMappings(SpecNode root) => root.Find("runtimeConfig")?.List("portMappings", ForwardedPort.Read) ?? [];

    /// <summary>The first address of each family that the pod's device has.</summary>
    static List<(IPAddress Address, IPNetwork Network)> PodAddresses(PluginCall call, NetworkResult result) =>
    [
        .. result.Ips
            .Where(ip => ip.Interface is not { } place || (result.Interfaces[place].Name == call.InterfaceName && !string.IsNullOrEmpty(result.Interfaces[place].Sandbox)))
            .DistinctBy(ip => ip.Address.IsIPv4)
            .Select(ip => (ip.Address.Address, ip.Address.Network)),
    ];

    static IEnumerable<(ForwardedPort Mapping, IPAddress Pod)> Pairs(IReadOnlyList<ForwardedPort> mappings, List<(IPAddress Address, IPNetwork Network)> pods) =>
        from mapping in mappings
        from pod in pods
        where mapping.Family is null || mapping.Family == pod.Address.AddressFamily
        select (mapping, pod.Address);

    /// <summary>Removes what is left of this attachment, and what leads to the pod's addresses: whoever had them before is gone.</summary>
    static void RemoveStale(PacketTable table, IReadOnlyList<ForwardedPort> mappings, List<(IPAddress Address, IPNetwork Network)> pods, string owner)
    {
        var stale = new List<(string Map, byte[] Key)>();
        foreach (var (mapping, pod) in Pairs(mappings, pods))
        {
            var (map, key) = mapping.PlaceFor(pod.AddressFamily);
            if (table.Find(map, key) is { } held && (held.Comment == owner || held.Data.AsSpan().StartsWith(pod.GetAddressBytes())))
            {
                stale.Add((map, key));
            }
        }

        if (stale.Count > 0)
        {
            table.Change(_ => { }, batch => stale.ForEach(one => batch.RemoveElement(one.Map, one.Key)));
        }
    }

    /// <summary>Who has one of the ports; null where nobody has.</summary>
    static NetworkException? Conflict(PacketTable table, IReadOnlyList<ForwardedPort> mappings, List<(IPAddress Address, IPNetwork Network)> pods)
    {
        foreach (var (mapping, pod) in Pairs(mappings, pods))
        {
            var (map, key) = mapping.PlaceFor(pod.AddressFamily);
            if (table.Find(map, key) is { Data: { } data, Comment: { } owner })
            {
                return Taken(mapping, data, owner, pod);
            }
        }

        return null;
    }

    /// <summary>Who has one of the ports on all addresses where it is asked for on one, or on one where it is asked for on all; null where nobody has.</summary>
    static NetworkException? Overlap(PacketTable table, IReadOnlyList<ForwardedPort> mappings, List<(IPAddress Address, IPNetwork Network)> pods, string owner)
    {
        foreach (var (mapping, pod) in Pairs(mappings, pods))
        {
            var (map, key) = (mapping with { HostAddress = null }).PlaceFor(pod.AddressFamily);
            var others = mapping.HostAddress is null
                ? table.List(RuleTable.Of(RuleTable.AddressPorts, pod.AddressFamily)).Where(element => element.Key.AsSpan().EndsWith(key))
                : table.Find(map, key) is { } element ? [element] : [];
            if (others.FirstOrDefault(other => other.Comment != owner) is { Data: { } data, Comment: { } holder })
            {
                return Taken(mapping, data, holder, pod);
            }
        }

        return null;
    }

    static NetworkException Taken(ForwardedPort mapping, byte[] data, string owner, IPAddress pod)
    {
        string holder = RuleOwner.ContainerOf(owner);
        var target = new IPAddress(data.AsSpan(0, pod.GetAddressBytes().Length));
        return new NetworkException(NetworkException.InvalidConfiguration, $"{mapping} leads to {holder} ({target}) already", holder);
    }

    /// <summary>Lets what the machine sends from 127.0.0.1 leave by the device that leads to the pod.</summary>
    static void AllowLoopback(IPAddress pod)
    {
        using var host = NetlinkSocket.Open();
        if (LinkRoute.FindLink(host, pod) is { } index && NetworkLink.Find(host, index) is { } link)
        {
            KernelSetting.Write($"net/ipv4/conf/{link.Name}/route_localnet", "1");
        }
    }

    /// <summary>What somebody sends by UDP to such a port belongs to a connection, as the kernel sees it, and would go on to where it went before.</summary>
    static void ForgetConnections(IReadOnlyList<ForwardedPort> mappings)
    {
        var ports = mappings.Where(mapping => mapping.Protocol == ForwardedPort.Udp).Select(mapping => mapping.Mapping.HostPort).Distinct().ToList();
        if (ports.Count > 0)
        {
            using var tracking = ConnectionTracking.Open();
            ports.ForEach(port => tracking.Remove(ForwardedPort.Udp, port));
        }
    }
}
