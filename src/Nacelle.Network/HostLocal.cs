using System.Net;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Gives addresses from ranges that are the machine's own, as the plug-in host-local does: the same rules, the same files.</summary>
static class HostLocal
{
    public static readonly NetworkPlugin Plugin = new("host-local", Add, Delete, Check) { Collect = Collect, Status = Status };

    static NetworkResult Add(PluginCall call)
    {
        var configuration = HostLocalConfiguration.Read(call);
        var dns = configuration.ResolverFile is { } file ? ResolverFile.Read(file) : new NetworkDns();
        using var directory = Open(configuration);
        if (directory.Leases.FirstOrDefault(lease => lease.BelongsTo(call.ContainerId, call.InterfaceName) && configuration.Ranges.Any(set => set.Any(range => range.Contains(lease.Address)))) is { } held)
        {
            throw new NetworkException(
                NetworkException.InvalidEnvironment, $"network {configuration.Network}: {call.InterfaceName} of {call.ContainerId} has {held.Address} already: it is added a second time");
        }

        var chosen = Choose(configuration, directory);
        var given = new List<Lease>();
        try
        {
            for (int set = 0; set < chosen.Count; set++)
            {
                given.Add(new Lease(chosen[set].Address.Address, call.ContainerId, call.InterfaceName));
                directory.Add(given[^1], set);
            }
        }
        catch
        {
            given.ForEach(directory.Remove);
            throw;
        }

        return new NetworkResult { Ips = chosen, Routes = configuration.Routes, Dns = dns };
    }

    static void Delete(PluginCall call)
    {
        using var directory = Open(HostLocalConfiguration.Read(call));
        var own = directory.Leases.Where(lease => lease.BelongsTo(call.ContainerId, call.InterfaceName)).ToList();
        own.ForEach(directory.Remove);
    }

    static void Check(PluginCall call)
    {
        var configuration = HostLocalConfiguration.Read(call);
        using var directory = Open(configuration);
        if (!directory.Leases.Any(lease => lease.BelongsTo(call.ContainerId, call.InterfaceName)))
        {
            throw new NetworkException(NetworkException.UnknownContainer, $"network {configuration.Network}: {call.InterfaceName} of {call.ContainerId} has no address");
        }
    }

    static void Collect(PluginCall call)
    {
        var valid = PluginOptions.ReadValidAttachments(call);
        using var directory = Open(HostLocalConfiguration.Read(call));
        var stale = directory.Leases.Where(lease => !valid.Any(attachment => lease.BelongsTo(attachment.Container, attachment.Interface))).ToList();
        stale.ForEach(directory.Remove);
    }

    static void Status(PluginCall call)
    {
        var configuration = HostLocalConfiguration.Read(call);
        using var directory = Open(configuration);
        for (int set = 0; set < configuration.Ranges.Count; set++)
        {
            if (Next(configuration.Ranges[set], directory, set) is null)
            {
                throw Exhausted(configuration, set, directory, NetworkException.NotAvailable);
            }
        }
    }

    static LeaseDirectory Open(HostLocalConfiguration configuration) => LeaseDirectory.Open(configuration.DataDirectory, configuration.Network);

    /// <summary>An address of each set, of those that are asked for where they are of that set. Nothing is given yet.</summary>
    static List<NetworkIp> Choose(HostLocalConfiguration configuration, LeaseDirectory directory)
    {
        var wanted = configuration.Wanted.Distinct().ToList();
        var chosen = new List<NetworkIp>();
        for (int set = 0; set < configuration.Ranges.Count; set++)
        {
            var ranges = configuration.Ranges[set];
            var asked = wanted.Find(address => ranges.Any(range => range.Contains(address)));
            if (asked is null)
            {
                var (address, from) = Next(ranges, directory, set) ?? throw Exhausted(configuration, set, directory, NetworkException.TryAgainLater);
                chosen.Add(new NetworkIp(new Cidr(address, from.Subnet.PrefixLength)) { Gateway = from.Gateway });
                continue;
            }

            wanted.Remove(asked);
            var home = ranges.First(range => range.Contains(asked));
            if (asked.Equals(home.Gateway))
            {
                throw new NetworkException(NetworkException.InvalidConfiguration, $"network {configuration.Network}: {asked} is asked for, and is the gateway of {home.Subnet}");
            }

            if (directory.Find(asked) is { } taken)
            {
                throw new NetworkException(NetworkException.InvalidConfiguration, $"network {configuration.Network}: {asked} is asked for, and belongs to {taken.Container}");
            }

            chosen.Add(new NetworkIp(new Cidr(asked, home.Subnet.PrefixLength)) { Gateway = home.Gateway });
        }

        return wanted.Count == 0
            ? chosen
            : throw new NetworkException(
                NetworkException.InvalidConfiguration, $"network {configuration.Network}: {string.Join(", ", wanted)} {(wanted.Count == 1 ? "is" : "are")} asked for, and no range has that");
    }

    /// <summary>The first free address behind the one that was given last, so that it takes a while until one is given again.</summary>
    /// <returns>Null where all are taken.</returns>
    static (IPAddress Address, AddressRange From)? Next(IReadOnlyList<AddressRange> ranges, LeaseDirectory directory, int set)
    {
        int start = 0;
        var number = ranges[0].First;
        if (directory.FindLast(set) is { } last && ranges.ToList().FindIndex(range => range.Contains(last)) is >= 0 and var at)
        {
            (start, number) = (at, AddressNumber.Of(last) + 1);
        }

        // The range in which the search starts comes twice: from there on, and at the end up to there.
        for (int step = 0; step <= ranges.Count; step++)
        {
            var range = ranges[(start + step) % ranges.Count];
            for (; number <= range.Last; number++)
            {
                var address = AddressNumber.ToAddress(number, range.Family);
                if (directory.Find(address) is null && !address.Equals(range.Gateway))
                {
                    return (address, range);
                }
            }

            number = ranges[(start + step + 1) % ranges.Count].First;
        }

        return null;
    }

    static NetworkException Exhausted(HostLocalConfiguration configuration, int set, LeaseDirectory directory, int code)
    {
        var ranges = configuration.Ranges[set];
        var count = ranges.Aggregate(UInt128.Zero, (sum, range) => sum + range.Count);
        int taken = directory.Leases.Count(lease => ranges.Any(range => range.Contains(lease.Address)));
        return new NetworkException(code, $"network {configuration.Network}: the range {string.Join(", ", ranges)} is exhausted: {taken} of {count} addresses are taken; see {configuration.DataDirectory}/{configuration.Network}");
    }
}
