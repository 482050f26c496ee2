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
}
