using System.Net;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Lets traffic of pods through chains of others that drop what they do not know, and keeps bridges apart: the plug-in firewall.</summary>
/// <remarks>A packet that one table accepts others may still drop: the rules have to stand where the dropping is done, and nowhere else is anything added.</remarks>
static class Firewall
{
    const string SameBridge = "same-bridge", Isolated = "isolated";

    public static readonly NetworkPlugin Plugin = new("firewall", Add, Delete, Check) { Collect = Collect, NeedsProgram = NeedsProgram };

    static NetworkResult Add(PluginCall call)
    {
        var result = call.PreviousResult ?? throw new NetworkException(NetworkException.InvalidEnvironment, "it has to come after a plug-in that gives addresses");
        string owner = RuleOwner.Of(call);
        using (var socket = NftablesSocket.Open())
        {
            Remove(socket, owner.Equals);
            foreach (var chain in DroppingChains(socket))
            {
                Admit(socket, chain, result.Ips.Select(ip => ip.Address.Address), owner);
            }
        }

        if (ReadPolicy(call) is { } policy)
        {
            KeepApart(result.Interfaces.Count > 0 ? result.Interfaces[0].Name : throw new NetworkException(NetworkException.InvalidEnvironment, "ingressPolicy has to come after bridge"), policy);
        }

        return result;
    }

    static void Delete(PluginCall call)
    {
        // What keeps bridges apart stays: others may be on them.
        string owner = RuleOwner.Of(call);
        using var socket = NftablesSocket.Open();
        Remove(socket, owner.Equals);
    }

    static void Check(PluginCall call)
    {
        var result = call.PreviousResult ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no result of ADD to check");
        string owner = RuleOwner.Of(call);
        using var socket = NftablesSocket.Open();
        foreach (var chain in DroppingChains(socket).Where(chain => result.Ips.Any(ip => Sees(chain, ip.Address.Address))))
        {
            if (!socket.ListRules(chain).Any(rule => rule.Comment == owner))
            {
                throw PodDevice.Missing($"chain {chain.Name} of table {chain.Table} drops what is forwarded, and lets nothing of the pod through any more");
            }
        }
    }

    static void Collect(PluginCall call)
    {
        string network = PluginOptions.NetworkOf(call);
        var valid = PluginOptions.ReadValidAttachments(call).Select(attachment => RuleOwner.Of(network, attachment.Container, attachment.Interface)).ToHashSet(StringComparer.Ordinal);
        using var socket = NftablesSocket.Open();
        Remove(socket, owner => owner.StartsWith(RuleOwner.PrefixOf(network), StringComparison.Ordinal) && !valid.Contains(owner));
    }

    static IEnumerable<NftablesChain> ForwardChains(NftablesSocket socket) => socket.ListChains()
        .Where(chain => chain.Hook == NftablesHook.Forward && chain.Family is NftablesFamily.Inet or NftablesFamily.IPv4 or NftablesFamily.IPv6);

    /// <summary>firewalld's ends in a rule that rejects everything, instead of having a policy.</summary>
    static IEnumerable<NftablesChain> DroppingChains(NftablesSocket socket) => ForwardChains(socket).Where(chain => chain.DropsTheRest || chain is { Table: "firewalld", Name: "filter_FORWARD" });

    static bool Sees(NftablesChain chain, IPAddress address) =>
        chain.Family == NftablesFamily.Inet || (chain.Family == NftablesFamily.IPv4) == (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork);

    /// <summary>Accepts what comes from the pod, what answers that, and what forwarded ports lead to it.</summary>
    static void Admit(NftablesSocket socket, NftablesChain chain, IEnumerable<IPAddress> addresses, string owner)
    {
        var batch = new NftablesBatch(chain.Family, chain.Table);
        foreach (var address in addresses.Where(address => Sees(chain, address)))
        {
            var alone = PodDevice.Alone(address);
            NftablesRule To() => new NftablesRule().WhenIn(alone, source: false, chain.Family);
            batch.InsertRule(chain.Name, new NftablesRule().WhenIn(alone, source: true, chain.Family).Count().Then(NftablesVerdict.Accept), owner);
            if (chain.IsOfIptables)
            {
                batch.InsertRule(chain.Name, To().WhenEstablishedRelatedOrTranslated().Count().Then(NftablesVerdict.Accept), owner);
            }
            else
            {
                batch.InsertRule(chain.Name, To().WhenEstablishedOrRelated().Count().Then(NftablesVerdict.Accept), owner);
                batch.InsertRule(chain.Name, To().WhenDestinationWasTranslated().Count().Then(NftablesVerdict.Accept), owner);
            }
        }

        try
        {
            socket.Commit(batch);
        }
        catch (KernelException owned) when (owned.Errno == Errno.EPERM)
        {
            throw new NetworkException(NetworkException.InvalidEnvironment, $"table {chain.Table} of nftables, which drops what is forwarded, takes rules from its owner only: with firewalld set 'backend' to firewalld, which takes the program");
        }
    }

    static void Remove(NftablesSocket socket, Func<string, bool> isOwner)
    {
        foreach (var chain in ForwardChains(socket))
        {
            var batch = new NftablesBatch(chain.Family, chain.Table);
            foreach (var rule in socket.ListRules(chain).Where(rule => rule.Comment is { } comment && isOwner(comment)))
            {
                batch.RemoveRule(chain.Name, rule.Handle);
            }

            try
            {
                socket.Commit(batch);
            }
            catch (KernelException gone) when (gone.Errno == Errno.ENOENT)
            {
                // Whoever owns the chain has made it anew meanwhile, without them.
            }
        }
    }

    /// <summary>Drops what goes from one such bridge to another; and within one, unless pods on it may reach each other.</summary>
    static void KeepApart(string bridge, string policy)
    {
        byte[] name = SourceCheck.NameOf(bridge), pair = NftablesElement.Join(name, name);
        using var table = RuleTable.Open();
        bool isMember = table.Find(RuleTable.Bridges, name) is not null, isOpen = table.Find(RuleTable.SameBridge, pair) is not null;
        if (isMember && isOpen == (policy == SameBridge))
        {
            return;
        }

        try
        {
            table.Change(_ => { }, batch =>
            {
                if (!isMember)
                {
                    batch.AddElement(RuleTable.Bridges, new NftablesElement(name));
                }

                if (isOpen && policy == Isolated)
                {
                    batch.RemoveElement(RuleTable.SameBridge, pair);
                }
                else if (!isOpen && policy == SameBridge)
                {
                    batch.AddElement(RuleTable.SameBridge, new NftablesElement(pair));
                }
            });
        }
        catch (KernelException raced) when (raced.Errno is Errno.EEXIST or Errno.EBUSY)
        {
            // Another pod's start was faster.
        }
    }

    /// <returns>Null where all may come.</returns>
    static string? ReadPolicy(PluginCall call) => SpecNode.Of(call.Configuration).FindFilled("ingressPolicy") switch
    {
        null or "open" => null,
        (SameBridge or Isolated) and var policy => policy,
        var other => throw new SpecException("ingressPolicy", $"'{other}' is none of open, {SameBridge}, {Isolated}"),
    };

    static string? NeedsProgram(SpecNode root)
    {
        const string LegacyTables = "/proc/thread-self/net/ip_tables_names";
        return PluginOptions.IptablesKey(root, "backend")
            ?? (root.FindFilled("iptablesAdminChainName") is null ? null : "'iptablesAdminChainName' is only known to that")
            ?? (root.FindFilled("backend") is null && Files.TryReadText(FileDescriptor.WorkingDirectory, LegacyTables)?.Contains("filter", StringComparison.Ordinal) == true
                ? "packets are filtered by iptables of old (iptables-legacy)"
                : null);
    }
}
