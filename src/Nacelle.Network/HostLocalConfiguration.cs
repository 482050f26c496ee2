using System.Net;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>What host-local is told. See the documentation of the plug-in.</summary>
/// <param name="Ranges">Sets of ranges: an address is given from each.</param>
/// <param name="Wanted">Addresses that are asked for.</param>
sealed record HostLocalConfiguration(string Network, string DataDirectory, IReadOnlyList<IReadOnlyList<AddressRange>> Ranges, IReadOnlyList<IPAddress> Wanted)
{
    const string UsualDataDirectory = "/var/lib/cni/networks";

    public IReadOnlyList<NetworkRoute> Routes { get; private init; } = [];

    /// <summary>The file in which name servers are found; null for none.</summary>
    public string? ResolverFile { get; private init; }

    public static HostLocalConfiguration Read(PluginCall call)
    {
        var root = SpecNode.Of(call.Configuration);
        var ipam = root.Need("ipam");
        var runtime = root.Find("runtimeConfig");
        List<IReadOnlyList<AddressRange>> ranges = [.. runtime?.List("ipRanges", ReadSet) ?? []];
        if (ipam.Find("subnet") is not null)
        {
            ranges.Add([AddressRange.Parse(ipam)]);
        }

        ranges.AddRange(ipam.List("ranges", ReadSet));
        if (ranges.Count == 0)
        {
            throw new SpecException(ipam.Path, "has no range of addresses: neither 'ranges' nor 'subnet'");
        }

        for (int i = 0; i < ranges.Count; i++)
        {
            for (int j = i + 1; j < ranges.Count; j++)
            {
                if (FindOverlap(ranges[i], ranges[j]) is { } twice)
                {
                    throw new SpecException(ipam.Path, $"the ranges {twice.One} and {twice.Other} overlap");
                }
            }
        }

        return new HostLocalConfiguration(root.Need("name").Text(), ipam.FindFilled("dataDir") ?? UsualDataDirectory, ranges, ReadWanted(call, root, runtime))
        {
            Routes = ipam.List("routes", NetworkRoute.Read),
            ResolverFile = ipam.FindFilled("resolvConf"),
        };
    }

    static IReadOnlyList<AddressRange> ReadSet(SpecNode node)
    {
        var set = node.Items(AddressRange.Parse);
        for (int i = 0; i < set.Count; i++)
        {
            for (int j = i + 1; j < set.Count; j++)
            {
                if (set[i].Family != set[j].Family)
                {
                    throw new SpecException(node.Path, "mixes IPv4 and IPv6: an address is given from each set, so these belong in two");
                }

                if (set[i].Overlaps(set[j]))
                {
                    throw new SpecException(node.Path, $"the ranges {set[i]} and {set[j]} overlap");
                }
            }
        }

        return set.Count > 0 ? set : throw new SpecException(node.Path, "is empty");
    }

    static (AddressRange One, AddressRange Other)? FindOverlap(IReadOnlyList<AddressRange> one, IReadOnlyList<AddressRange> other)
    {
        foreach (var range in one)
        {
            if (other.FirstOrDefault(range.Overlaps) is { } twice)
            {
                return (range, twice);
            }
        }

        return null;
    }

    /// <summary>Asked for by the IP of CNI_ARGS, by <c>args.cni.ips</c>, and by the capability <c>ips</c>; a prefix is not looked at.</summary>
    static List<IPAddress> ReadWanted(PluginCall call, SpecNode root, SpecNode? runtime)
    {
        var wanted = new List<IPAddress>();
        if (call.FindArgument("IP") is { } argument)
        {
            wanted.Add(Addresses.TryParse(argument.Split('/')[0]) ?? throw new SpecException("CNI_ARGS", $"'{argument}' is not an address"));
        }

        foreach (var node in (SpecNode?[])[root.Find("args")?.Find("cni"), runtime])
        {
            wanted.AddRange(node?.List("ips", one => Addresses.TryParse(one.Text().Split('/')[0]) ?? throw new SpecException(one.Path, $"'{one.Text()}' is not an address")) ?? []);
        }

        return wanted;
    }
}
