using System.Net;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Gives the traffic of a pod that leaves its network the address of the machine: <c>ipMasq</c> of bridge and ptp.</summary>
static class Masquerade
{
    static readonly string[] Maps = [RuleTable.Sources + "4", RuleTable.Sources + "6"];

    public static void Add(PluginCall call, IReadOnlyList<NetworkIp> ips)
    {
        string owner = RuleOwner.Of(call);
        using var table = RuleTable.Open();
        table.Decide(
            RuleTable.Sources, [.. ips.Select(ip => (ip.Address.Address, ip.Address.Network))], network => NftablesVerdict.Goto(RuleTable.MasqueradeChain(network)), owner, _ => { });
    }

    public static void Remove(PluginCall call)
    {
        string owner = RuleOwner.Of(call);
        using var table = RuleTable.Open();
        table.Remove(Maps, owner.Equals);
    }

    public static void Check(PluginCall call, IReadOnlyList<NetworkIp> ips)
    {
        using var table = RuleTable.Open();
        foreach (var address in ips.Select(ip => ip.Address.Address))
        {
            if (table.Find(RuleTable.Of(RuleTable.Sources, address.AddressFamily), address.GetAddressBytes())?.Comment != RuleOwner.Of(call))
            {
                throw PodDevice.Missing($"the traffic of {address} is not masqueraded any more");
            }
        }
    }

    public static void Collect(PluginCall call)
    {
        using var table = RuleTable.Open();
        table.Collect(call, Maps);
    }

    /// <summary>Has a map decide about the traffic of pods, in place of what it says of these addresses: whoever had them before is gone.</summary>
    /// <param name="pods">Addresses, and for each the network whose chains the verdict leads to.</param>
    /// <param name="further">Changes that belong to it.</param>
    public static void Decide(
        this PacketTable table, string map, IReadOnlyList<(IPAddress Address, IPNetwork Network)> pods, Func<IPNetwork, NftablesVerdict> verdict, string owner, Action<NftablesBatch> further)
    {
        for (bool replace = false; ; replace = true)
        {
            try
            {
                table.Change(
                    batch =>
                    {
                        foreach (var network in pods.Select(pod => pod.Network).Distinct())
                        {
                            RuleTable.MakeChains(batch, network);
                        }
                    },
                    batch =>
                    {
                        foreach (var (address, network) in pods)
                        {
                            string name = RuleTable.Of(map, address.AddressFamily);
                            var element = new NftablesElement(address.GetAddressBytes()) { Verdict = verdict(network), Comment = owner };
                            if (replace && table.Find(name, element.Key) is not null)
                            {
                                batch.RemoveElement(name, element.Key);
                            }

                            batch.AddElement(name, element);
                        }

                        further(batch);
                    });
                return;
            }
            catch (KernelException failure) when (failure.Errno is Errno.EEXIST or Errno.EBUSY && !replace && pods.Any(pod => table.Find(RuleTable.Of(map, pod.Address.AddressFamily), pod.Address.GetAddressBytes()) is not null))
            {
                // What is there is left of a pod that nobody took down.
            }
        }
    }
}
