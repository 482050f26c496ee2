using System.Net.Sockets;
using System.Text.Json;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network.Tests;

/// <summary>What is built in beyond what Debian's programs are compared by: keys, checks, collecting, refusals.</summary>
public sealed class BuiltInTests : IDisposable
{
    const string Addresses = """
        "ipam":{"type":"host-local","dataDir":"$LEASES","ranges":[[{"subnet":"10.77.0.0/24"}],[{"subnet":"fd77::/64"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}
        """;

    const int Port = 7000;

    readonly TemporaryDirectory directory = new();

    [NetworkFact]
    public void A_bridges_ports_are_as_asked() => OnMachine(() =>
    {
        using var peer = Attach($$"""{"type":"bridge","bridge":"cni7","isGateway":true,"hairpinMode":true,"portIsolation":true,"capabilities":{"mac":true},{{Addresses}}}""", new() { Mac = "c2:11:22:33:44:55" }, out var result);
        Assert.Equal("c2:11:22:33:44:55", result.Interfaces[2].Mac);
        Assert.Contains("c2:11:22:33:44:55", peer.Pod.Run("ip link show eth0"), StringComparison.Ordinal);
        string port = Shell.Run($"ip -d link show {result.Interfaces[1].Name}");
        Assert.Contains("master cni7", port, StringComparison.Ordinal);
        Assert.Contains("hairpin on", port, StringComparison.Ordinal);
        Assert.Contains("isolated on", port, StringComparison.Ordinal);
        Assert.Contains(result.Interfaces[0].Mac!, Shell.Run("ip link show cni7"), StringComparison.Ordinal);
    });

    [NetworkFact]
    public void The_bridge_keeps_its_hardware_address_whichever_ports_come_and_go() => OnMachine(() =>
    {
        string plugin = $$"""{"type":"bridge","bridge":"cni7","isGateway":true,{{Addresses}}}""";
        string before;
        using (var first = Attach(plugin, new(), out var result, "first"))
        {
            before = result.Interfaces[0].Mac!;
            using var second = Attach(plugin, new(), out var other, "second");
            Assert.Equal(before, other.Interfaces[0].Mac);
            first.Detach();
            second.Detach();
        }

        Assert.Contains(before, Shell.Run("ip link show cni7"), StringComparison.Ordinal);
    });

    [NetworkFact]
    public void An_administrators_bridge_is_used_as_it_is_unless_its_address_is_another() => OnMachine(() =>
    {
        Shell.Run("ip link add cni7 type bridge; ip address add 10.77.0.9/24 dev cni7; ip link add cni8 type bridge; ip address add 10.77.0.1/24 dev cni8; ip link add other type veth peer name end");
        var failure = Assert.Throws<NetworkException>(() => Attach($$"""{"type":"bridge","bridge":"cni7","isGateway":true,{{Addresses}}}""", new(), out _));
        Assert.EndsWith("plug-in bridge: bridge cni7 has the address 10.77.0.9/24, and is to have 10.77.0.1/24: set forceAddress, or use another bridge", failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists($"{directory.Path}/leases/n1/10.77.0.2"));
        Assert.DoesNotContain(" veth", Shell.Run("ip -o link show"), StringComparison.Ordinal);
        using var kept = Attach($$"""{"type":"bridge","bridge":"cni8","isGateway":true,{{Addresses}}}""", new(), out _);
        using var forced = Attach($$"""{"type":"bridge","bridge":"cni7","isGateway":true,"forceAddress":true,{{Addresses}}}""", new(), out _, "two");
        Assert.DoesNotContain("10.77.0.9", Shell.Run("ip address show cni7"), StringComparison.Ordinal);
        Assert.EndsWith(
            "plug-in bridge: other is a device already, and no bridge",
            Assert.Throws<NetworkException>(() => Attach("""{"type":"bridge","bridge":"other"}""", new(), out _, "three")).Message, StringComparison.Ordinal);
    });

    [NetworkFact]
    public void A_device_may_stay_down_or_have_its_addresses_looked_for_first() => OnMachine(() =>
    {
        using (var down = Attach("""{"type":"bridge","disableContainerInterface":true}""", new(), out _))
        {
            Assert.Contains("state DOWN", down.Pod.Run("ip link show eth0"), StringComparison.Ordinal);
            down.Detach();
        }

        using var careful = Attach($$"""{"type":"bridge","enabledad":true,{{Addresses}}}""", new(), out _);
        string shown = careful.Pod.Run("ip -6 address show eth0");
        Assert.DoesNotContain("nodad", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("tentative", shown, StringComparison.Ordinal);
    });

    [NetworkFact]
    public void Pods_on_a_bridge_belong_to_virtual_networks() => OnMachine(() =>
    {
        Assert.SkipUnless(Shell.TryRun("ip link add probe type bridge vlan_filtering 1").Code == 0, "bridges of this kernel know of no virtual networks");
        static string Network(int vlan, string subnet) => $$$"""{"type":"bridge","bridge":"cni7","isGateway":true,"vlan":{{{vlan}}},"ipam":{"type":"host-local","dataDir":"$LEASES","subnet":"{{{subnet}}}"}}""";
        using var seven = Attach(Network(7, "10.7.0.0/24"), new(), out var result, "seven");
        using var eight = Attach(Network(8, "10.8.0.0/24"), new(), out _, "eight");
        using var trunk = Attach("""{"type":"bridge","bridge":"cni7","vlanTrunk":[{"minID":7,"maxID":8},{"id":20}]}""", new(), out var other, "trunk");
        Assert.Equal("cni7.7", result.Interfaces[3].Name);
        Assert.Contains("10.7.0.1/24", Shell.Run("ip address show cni7.7"), StringComparison.Ordinal);
        Assert.Contains("10.8.0.1/24", Shell.Run("ip address show cni7.8"), StringComparison.Ordinal);
        Assert.Equal(["7 PVID Egress Untagged"], Vlans(result.Interfaces[1].Name));
        Assert.Equal(["1 PVID Egress Untagged", "7", "8", "20"], Vlans(other.Interfaces[1].Name));
        using var server = new EchoServer(null, "machine ", Port);
        using var sevens = Files.Open(seven.Pod.Path, OpenFlags.ReadOnly);
        using var eights = Files.Open(eight.Pod.Path, OpenFlags.ReadOnly);
        using var neighbour = new EchoServer(eights, "eight ", Port);
        Assert.Equal("machine 10.7.0.2", EchoServer.Ask(sevens, "10.7.0.1", Port, ProtocolType.Tcp));
        Assert.Equal("machine 10.8.0.2", EchoServer.Ask(eights, "10.8.0.1", Port, ProtocolType.Tcp));

        // On the same bridge, with an address of the other's network: still nobody hears it.
        seven.Pod.Run("ip address add 10.8.0.77/24 dev eth0");
        Assert.Null(EchoServer.Ask(sevens, "10.8.0.2", Port, ProtocolType.Tcp));
    });

    static string[] Vlans(string port) => [.. Shell.Run($"bridge vlan show dev {port}").Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Replace(port, "", StringComparison.Ordinal).Trim())];

    [NetworkTheory]
    [InlineData("ip address del 10.77.0.2/24 dev eth0", "plug-in ptp: eth0 has 10.77.0.2/24 no more")]
    [InlineData("ip route del default", "plug-in ptp: the route to 0.0.0.0/0 by 10.77.0.1 is gone")]
    [InlineData("ip link set eth0 address 02:00:00:00:00:01", "plug-in ptp: eth0 has the hardware address 02:00:00:00:00:01, and not ")]
    [InlineData("ip link del eth0", "plug-in ptp: there is no eth0 in ")]
    [InlineData("HOST nft delete element inet nacelle sources4 '{ 10.77.0.2 }'", "plug-in ptp: the traffic of 10.77.0.2 is not masqueraded any more")]
    [InlineData("HOST nft delete table inet nacelle", "plug-in ptp: the traffic of 10.77.0.2 is not masqueraded any more")]
    [InlineData("HOST nft delete element inet nacelle ports6 '{ tcp . 8080 }'", "plug-in portmap: tcp port 8080 does not lead to fd77::2 any more")]
    [InlineData("HOST rm -r $DIRECTORY/leases", "plug-in ptp: network n1: eth0 of one has no address")]
    public void What_is_missing_is_found_by_CHECK(string damage, string said) => OnMachine(() =>
    {
        using var peer = Attach($$"""{"type":"ptp","ipMasq":true,{{Addresses}}}""", new() { PortMappings = [new(8080, 80, "tcp")] }, out _);
        Assert.Equal([], peer.Attacher.Check(peer.Pod.Path));
        _ = damage.StartsWith("HOST ", StringComparison.Ordinal) ? Shell.Run(damage[5..].Replace("$DIRECTORY", directory.Path, StringComparison.Ordinal)) : peer.Pod.Run(damage);
        Assert.Contains(peer.Attacher.Check(peer.Pod.Path), fault => fault.Contains(said, StringComparison.Ordinal));
    });

    [NetworkFact]
    public void Collecting_leaves_what_belongs_to_valid_attachments_and_to_other_networks() => OnMachine(() =>
    {
        string plugin = $$"""{"type":"ptp","ipMasq":true,{{Addresses}}},{"type":"firewall"}""";
        Shell.Run("iptables -P FORWARD DROP");
        using var one = Attach(plugin, new() { PortMappings = [new(8081, 80, "tcp")] }, out _, "one");
        using var two = Attach(plugin, new() { PortMappings = [new(8082, 80, "tcp")] }, out _, "two");
        using var other = Attach(plugin, new() { PortMappings = [new(8083, 80, "tcp")] }, out _, "three", "n11");
        foreach (var type in (string[])["portmap", "firewall", "ptp"])
        {
            using var document = JsonDocument.Parse(
                $$"""{"cniVersion":"1.1.0","name":"n1","ipMasq":true,"cni.dev/valid-attachments":[{"containerID":"two","ifname":"eth0"}],{{Addresses.Replace("$LEASES", $"{directory.Path}/leases", StringComparison.Ordinal)}}}""");
            BuiltInPlugins.All.Single(plugin => plugin.Type == type).Collect!(new PluginCall("", "", document.RootElement));
        }

        string rules = Shell.Run("nft list table inet nacelle; nft list table ip filter");
        Assert.DoesNotContain("n1 one eth0", rules, StringComparison.Ordinal);
        Assert.Contains("8082 comment \"n1 two eth0\"", rules, StringComparison.Ordinal);
        Assert.Contains("8083 comment \"n11 three eth0\"", rules, StringComparison.Ordinal);
        Assert.Contains("10.77.0.3 counter", rules, StringComparison.Ordinal);
        Assert.False(File.Exists($"{directory.Path}/leases/n1/10.77.0.2"));
        Assert.True(File.Exists($"{directory.Path}/leases/n1/10.77.0.3"));
        Assert.True(File.Exists($"{directory.Path}/leases/n11/10.77.0.2"));
        Assert.Equal([], two.Attacher.Check(two.Pod.Path));
    });

    [NetworkFact]
    public void A_table_that_somebody_cleared_is_filled_again_for_the_next_pod() => OnMachine(() =>
    {
        string plugin = $$"""{"type":"ptp","ipMasq":true,{{Addresses}}}""";
        using var one = Attach(plugin, new(), out _, "one");
        string before = Shell.Run("nft list table inet nacelle");
        one.Detach();
        Shell.Run("nft flush ruleset");
        using var two = Attach(plugin, new(), out _, "one2");
        Assert.Equal(before.Replace("one eth0", "one2 eth0", StringComparison.Ordinal).Replace("10.77.0.2", "10.77.0.3", StringComparison.Ordinal).Replace("fd77::2", "fd77::3", StringComparison.Ordinal), Shell.Run("nft list table inet nacelle"));
    });

    [NetworkFact]
    public void Detaching_twice_or_what_was_never_attached_does_no_harm() => OnMachine(() =>
    {
        using var peer = Attach($$"""{"type":"bridge","bridge":"cni7","isGateway":true,"ipMasq":true,"macspoofchk":true,{{Addresses}}},{"type":"firewall"},{"type":"tuning","mtu":1300,"dataDir":"$DIRECTORY/tuning"},{"type":"bandwidth"}""", new(), out _);
        peer.Detach();
        peer.Detach();
        using var never = new PluginPeer(Chain($$"""{"type":"ptp","ipMasq":true,{{Addresses}}}"""), builtIn: true, leases: $"{directory.Path}/leases");
        never.Detach();
    });

    [NetworkTheory]
    [InlineData("""{"type":"bridge","hairpinMode":true,"promiscMode":true}""", "plug-in bridge: hairpinMode: cannot be set together with promiscMode")]
    [InlineData("""{"type":"bridge","vlan":4095}""", "plug-in bridge: vlan: 4095 is not the number of a virtual network: 1 to 4094")]
    [InlineData("""{"type":"bridge","vlanTrunk":[{"id":5},{"minID":9}]}""", "plug-in bridge: vlanTrunk[1].maxID: is missing")]
    [InlineData("""{"type":"bridge","vlanTrunk":[{"minID":9,"maxID":8}]}""", "plug-in bridge: vlanTrunk[0]: minID is greater than maxID")]
    [InlineData("""{"type":"bridge","bridge":"a/b"}""", "plug-in bridge: bridge: 'a/b' is not a device's name")]
    [InlineData("""{"type":"bridge","mac":7,"args":{"cni":{"mac":"nonsense"}}}""", "plug-in bridge: mac: 'nonsense' is not a hardware address, as in 0a:58:0a:01:00:05")]
    [InlineData("""{"type":"ptp"}""", "plug-in ptp: ipam.type: is missing")]
    [InlineData("""{"type":"ptp","ipam":{"type":"static"}}""", "plug-in ptp: static gave no address")]
    [InlineData("""{"type":"ptp","ipam":{"type":"static","addresses":[{"address":"10.1.0.5/24"}]}}""", "plug-in ptp: 10.1.0.5 has no gateway: the machine's end of the link needs an address")]
    [InlineData("""{"type":"ptp","ipam":{"type":"static","addresses":[{"address":"10.1.0.5"}]}}""", "plug-in ptp: ipam.addresses[0].address: '10.1.0.5' is not an address with the length of a prefix, as in 10.1.0.5/16")]
    [InlineData("""{"type":"portmap"}""", "plug-in portmap: it has to come after a plug-in that gives addresses")]
    [InlineData("""{"type":"loopback"},{"type":"tuning","sysctl":{"kernel.hostname":"x"}}""", "plug-in tuning: sysctl.kernel.hostname: is not a setting of the network, as in net.ipv4.conf.IFNAME.log_martians")]
    [InlineData("""{"type":"loopback"},{"type":"tuning","sysctl":{"net.ipv4.nothing":"1"}}""", "plug-in tuning: open /proc/sys/net/ipv4/nothing: ENOENT (No such file or directory)")]
    [InlineData("""{"type":"loopback"},{"type":"bandwidth","ingressRate":8000}""", "plug-in bandwidth: ingressBurst: is missing or less than a byte: ingressRate and ingressBurst go together")]
    [InlineData("""{"type":"loopback"},{"type":"firewall","ingressPolicy":"closed"}""", "plug-in firewall: ingressPolicy: 'closed' is none of open, same-bridge, isolated")]
    public void What_is_wrong_is_said_with_its_place_and_leaves_nothing(string plugins, string said) => OnMachine(() =>
    {
        string before = Shell.Run("ip -o link show | grep -v cni0");
        using var peer = new PluginPeer($$"""{"cniVersion":"1.0.0","name":"n1","plugins":[{{plugins}}]}""", builtIn: true, leases: $"{directory.Path}/leases");
        Assert.EndsWith(said, Assert.Throws<NetworkException>(peer.Attach).Message, StringComparison.Ordinal);
        Assert.Equal(before, Shell.Run("ip -o link show | grep -v cni0"));
        Assert.DoesNotContain("eth0", peer.Pod.Run("ip link show"), StringComparison.Ordinal);
    });

    public void Dispose() => directory.Dispose();

    static string Chain(string plugin, string network = "n1") => $$$"""{"cniVersion":"1.0.0","name":"{{{network}}}","plugins":[{{{plugin}}},{"type":"portmap","capabilities":{"portMappings":true}}]}""";

    PluginPeer Attach(string plugin, CapabilityArguments capabilities, out NetworkResult result, string container = "one", string network = "n1")
    {
        var peer = new PluginPeer(Chain(plugin, network), builtIn: true, container, capabilities, $"{directory.Path}/leases");
        try
        {
            result = peer.Attach();
            return peer;
        }
        catch
        {
            peer.Dispose();
            throw;
        }
    }

    static void OnMachine(Action body)
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/nft") && File.Exists("/usr/sbin/iptables"), "needs nftables and iptables");
        NetworkHost.Run(body);
    }
}
