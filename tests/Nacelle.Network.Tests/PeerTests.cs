using Nacelle.Specs;

namespace Nacelle.Network.Tests;

/// <summary>What is built in does to a machine and a pod what Debian's programs do by the same configuration.</summary>
public sealed class PeerTests
{
    const string Dual = """
        "ipam":{"type":"host-local","dataDir":"$LEASES","ranges":[[{"subnet":"10.77.0.0/24"}],[{"subnet":"fd77::/64"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}
        """;

    public static TheoryData<string, string> Networks => new()
    {
        { "ptp", $$"""[{"type":"ptp","mtu":1400,{{Dual}}}]""" },
        { "ptp of IPv4 with DNS", """[{"type":"ptp","dns":{"nameservers":["10.1.1.1"],"search":["pods.example"]},"ipam":{"type":"host-local","dataDir":"$LEASES","subnet":"10.77.0.0/16","rangeStart":"10.77.3.9","rangeEnd":"10.77.3.99","gateway":"10.77.255.254","routes":[{"dst":"10.0.0.0/8"},{"dst":"192.168.0.0/16","gw":"10.77.0.77"}]}}]""" },
        { "ptp with static addresses", """[{"type":"ptp","ipam":{"type":"static","addresses":[{"address":"10.77.0.5/24","gateway":"10.77.0.1"},{"address":"fd77::5/64","gateway":"fd77::1"}],"routes":[{"dst":"::/0"}],"dns":{"nameservers":["10.1.1.1"],"domain":"pods.example"}}}]""" },
        { "bridge", $$"""[{"type":"bridge","bridge":"cni7","isGateway":true,"mtu":1400,{{Dual}}}]""" },
        { "bridge as the way to all else", """[{"type":"bridge","isDefaultGateway":true,"hairpinMode":true,"ipam":{"type":"host-local","dataDir":"$LEASES","ranges":[[{"subnet":"10.77.0.0/24"}],[{"subnet":"fd77::/64"}]]}}]""" },
        { "bridge without gateway", """[{"type":"bridge","promiscMode":true,"ipam":{"type":"host-local","dataDir":"$LEASES","subnet":"10.77.0.0/24","routes":[{"dst":"10.9.0.0/16","gw":"10.77.0.9"}]}}]""" },
        { "bridge without addresses", """[{"type":"bridge","bridge":"cni7"}]""" },
        { "loopback", """[{"type":"loopback"}]""" },
        { "tuning", $$$"""[{"type":"bridge","bridge":"cni7",{{{Dual}}}},{"type":"tuning","dataDir":"$DIRECTORY/tuning","mac":"c2:11:22:33:44:55","mtu":1300,"promisc":true,"allmulti":true,"sysctl":{"net.ipv4.conf.IFNAME.log_martians":"1"}}]""" },
    };

    [NetworkTheory]
    [MemberData(nameof(Networks))]
    public void A_network_is_the_same(string what, string plugins)
    {
        Assert.SkipUnless(Directory.Exists(PluginPeer.Programs), "needs Debian's containernetworking-plugins");
        string json = $$"""{"cniVersion":"1.0.0","name":"n1","plugins":{{plugins}}}""";
        var shown = new List<string>();
        foreach (bool builtIn in (bool[])[false, true])
        {
            NetworkHost.Run(() =>
            {
                using var peer = new PluginPeer(json, builtIn);
                string before = peer.Show(new NetworkResult());
                string during = peer.Show(peer.Attach());
                if (builtIn) // of Debian's programs several check what they did not do
                {
                    Assert.Equal([], peer.Attacher.Check(peer.Pod.Path));
                }

                peer.Detach();
                shown.Add($"{what}\n{during}\nAFTER {string.Equals(before.Split("HOST")[0], peer.Show(new NetworkResult()).Split("HOST")[0], StringComparison.Ordinal)}");
            });
        }

        Assert.Equal(shown[0], shown[1]);
    }

    [NetworkFact]
    public void A_virtual_network_is_the_same()
    {
        Assert.SkipUnless(Directory.Exists(PluginPeer.Programs), "needs Debian's containernetworking-plugins");
        string json = $$"""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"bridge","bridge":"cni7","isGateway":true,"vlan":7,"preserveDefaultVlan":true,{{Dual}}}]}""";
        var shown = new List<string>();
        foreach (bool builtIn in (bool[])[false, true])
        {
            NetworkHost.Run(() =>
            {
                Assert.SkipUnless(Shell.TryRun("ip link add probe type bridge vlan_filtering 1").Code == 0, "bridges of this kernel know of no virtual networks");
                Shell.Run("ip link del probe");
                using var peer = new PluginPeer(json, builtIn);
                var result = peer.Attach();
                string picture = peer.Show(result) + Shell.Run($"bridge vlan show dev {result.Interfaces[1].Name}");
                shown.Add(picture.Replace(result.Interfaces[1].Name, "VETH", StringComparison.Ordinal));
                peer.Detach();
            });
        }

        Assert.Equal(shown[0], shown[1]);
    }

    [NetworkFact]
    public void Limits_of_traffic_are_the_same()
    {
        Assert.SkipUnless(Directory.Exists(PluginPeer.Programs), "needs Debian's containernetworking-plugins");
        const string Json = """{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"ptp","ipam":{"type":"static","addresses":[{"address":"10.77.0.5/24","gateway":"10.77.0.1"}]}},{"type":"bandwidth","capabilities":{"bandwidth":true}}]}""";
        var limits = new CapabilityArguments { Bandwidth = new BandwidthLimits(8_000_000, 800_000, 16_000_000, 1_600_000) };
        var shown = new List<string>();
        foreach (bool builtIn in (bool[])[false, true])
        {
            NetworkHost.Run(() =>
            {
                Assert.SkipUnless(Shell.TryRun("ip link add probe type ifb").Code == 0, "the kernel has no ifb devices");
                Shell.Run("ip link del probe");
                using var peer = new PluginPeer(Json, builtIn, capabilities: limits);
                var result = peer.Attach();
                string outer = result.Interfaces[0].Name, block = result.Interfaces[^1].Name;
                Assert.StartsWith("bwp", block, StringComparison.Ordinal);

                // Debian's program has a second action that says the same and is never come to.
                string filter = Shell.Run($"tc filter show dev {outer} parent ffff:").Split("action order 2")[0].Trim();
                shown.Add($"{Shell.Run($"tc qdisc show dev {outer}")}{filter}\n{Shell.Run($"tc qdisc show dev {block}; ip -o link show {block}")}"
                    .Replace(outer, "OUTER", StringComparison.Ordinal).Replace(block, "BLOCK", StringComparison.Ordinal).Split(" mode ")[0]);
                Assert.Equal([], peer.Attacher.Check(peer.Pod.Path));
                peer.Detach();
                Assert.DoesNotContain("bwp", Shell.Run("ip link show"), StringComparison.Ordinal);
            });
        }

        Assert.Equal(shown[0], shown[1]);
    }

    [NetworkFact]
    public void A_device_that_was_tuned_gets_back_what_it_had() => NetworkHost.Run(() =>
    {
        using var peer = new PluginPeer("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"loopback"},{"type":"tuning","dataDir":"$DIRECTORY/tuning","mac":"c2:11:22:33:44:55","mtu":1300,"promisc":true,"allmulti":true,"txQLen":77}]}""", builtIn: true);
        peer.Pod.Run("ip link add eth0 txqueuelen 500 type veth peer name other");
        string before = peer.Pod.Run("ip -o link show eth0");
        peer.Attach();
        string during = peer.Pod.Run("ip -o link show eth0");
        Assert.All((string[])["c2:11:22:33:44:55", "mtu 1300", "PROMISC", "ALLMULTI", "qlen 77"], part => Assert.Contains(part, during, StringComparison.Ordinal));
        Assert.Equal([], peer.Attacher.Check(peer.Pod.Path));
        peer.Detach();
        Assert.Equal(before, peer.Pod.Run("ip -o link show eth0"));
    });

    [NetworkFact]
    public void What_only_the_program_knows_goes_to_the_program_and_is_refused_by_its_name_where_there_is_none()
    {
        using var directory = new TemporaryDirectory();
        foreach (var (type, json, reason) in ((string, string, string)[])
            [
                ("bandwidth", """{"shapedSubnets":["10.0.0.0/8"]}""", "'shapedSubnets' is only known to that"), ("bridge", """{"ipMasqBackend":"iptables"}""", "'ipMasqBackend' wants iptables"),
                ("portmap", """{"backend":"iptables"}""", "'backend' wants iptables"), ("portmap", """{"conditionsV4":["-d","10.0.0.1"]}""", "'conditionsV4' is only known to that"),
                ("firewall", """{"backend":"firewalld"}""", "'backend' wants firewalld"), ("ptp", """{"ipMasqBackend":"iptables"}""", "'ipMasqBackend' wants iptables"),
            ])
        {
            using var document = System.Text.Json.JsonDocument.Parse(json);
            Assert.Equal(reason, BuiltInPlugins.All.Single(plugin => plugin.Type == type).NeedsProgram!(SpecNode.Of(document.RootElement)));
            directory.Write(type, "#!/bin/sh", executable: true);
            Assert.Equal($"{directory.Path}/{type}", new NetworkPlugins([directory.Path]).Find(type, document.RootElement).Program);
            if (Directory.Exists(PluginPeer.Programs))
            {
                Assert.Equal($"{PluginPeer.Programs}/{type}", new NetworkPlugins([]).Find(type, document.RootElement).Program);
            }
        }
    }
}
