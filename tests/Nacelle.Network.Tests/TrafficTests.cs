using System.Net.Sockets;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network.Tests;

/// <summary>Where packets of pods go that are attached by what is built in: a machine with a neighbour that knows no way to pods.</summary>
public sealed class TrafficTests
{
    const int Port = 7000, HostPort = 8080;

    const string Addresses = """
        "ipam":{"type":"host-local","dataDir":"$LEASES","ranges":[[{"subnet":"10.77.0.0/24"}],[{"subnet":"fd77::/64"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}
        """;

    static readonly CapabilityArguments Forwarded = new() { PortMappings = [new(HostPort, Port, "tcp"), new(HostPort, Port, "udp")] };

    public static TheoryData<string> Networks => new()
    {
        $$"""{"type":"ptp","ipMasq":true,{{Addresses}}}""",
        $$"""{"type":"bridge","bridge":"cni7","isGateway":true,"ipMasq":true,"hairpinMode":true,{{Addresses}}}""",
    };

    [NetworkTheory]
    [MemberData(nameof(Networks))]
    public void Pods_reach_what_is_outside_by_the_machines_address_and_each_other_by_their_own(string plugin) => OnMachine((outside, leases) =>
    {
        using var one = Attach(plugin, "one", leases);
        using var two = Attach(plugin, "two", leases);
        using var space = one.Open();
        using var server = new EchoServer(outside.Open(), "outside ", Port);
        using var neighbour = new EchoServer(two.Open(), "two ", Port);
        foreach (var protocol in (ProtocolType[])[ProtocolType.Tcp, ProtocolType.Udp])
        {
            Assert.Equal("outside 192.0.2.1", EchoServer.Ask(space, "192.0.2.2", Port, protocol));
            Assert.Equal("outside 2001:db8::1", EchoServer.Ask(space, "2001:db8::2", Port, protocol));
            Assert.Equal("two 10.77.0.2", EchoServer.Ask(space, "10.77.0.3", Port, protocol));
            Assert.Equal("two fd77::2", EchoServer.Ask(space, "fd77::3", Port, protocol));
        }
    });

    [NetworkTheory]
    [MemberData(nameof(Networks))]
    public void A_forwarded_port_is_reached_from_outside_the_machine_its_loopback_other_pods_and_the_pod_itself(string plugin) => OnMachine((outside, leases) =>
    {
        using var one = Attach(plugin, "one", leases, Forwarded);
        using var two = Attach(plugin, "two", leases);
        using var server = new EchoServer(one.Open(), "one ", Port);
        using var from = outside.Open();
        foreach (var protocol in (ProtocolType[])[ProtocolType.Tcp, ProtocolType.Udp])
        {
            Assert.Equal("one 192.0.2.2", EchoServer.Ask(from, "192.0.2.1", HostPort, protocol));
            Assert.Equal("one 2001:db8::2", EchoServer.Ask(from, "2001:db8::1", HostPort, protocol));
            Assert.StartsWith("one ", EchoServer.Ask(null, "192.0.2.1", HostPort, protocol), StringComparison.Ordinal);
            Assert.StartsWith("one ", EchoServer.Ask(null, "2001:db8::1", HostPort, protocol), StringComparison.Ordinal);
            Assert.Equal("one 10.77.0.1", EchoServer.Ask(null, "127.0.0.1", HostPort, protocol));
            using var second = two.Open();
            Assert.StartsWith("one ", EchoServer.Ask(second, "192.0.2.1", HostPort, protocol), StringComparison.Ordinal);
            Assert.StartsWith("one ", EchoServer.Ask(second, "2001:db8::1", HostPort, protocol), StringComparison.Ordinal);
            using var itself = one.Open();
            Assert.Equal("one 10.77.0.1", EchoServer.Ask(itself, "192.0.2.1", HostPort, protocol));
            Assert.StartsWith("one fd77::1", EchoServer.Ask(itself, "2001:db8::1", HostPort, protocol), StringComparison.Ordinal);
        }

        one.Peer.Detach();
        Assert.Null(EchoServer.Ask(from, "192.0.2.1", HostPort, ProtocolType.Tcp));
        foreach (var map in (string[])["ports4", "ports6", "targets4", "targets6"])
        {
            Assert.DoesNotContain("elements", Shell.Run($"nft list map inet nacelle {map}"), StringComparison.Ordinal);
        }
    });

    [NetworkFact]
    public void The_same_address_works_at_once_for_the_next_pod() => OnMachine((outside, leases) =>
    {
        using var server = new EchoServer(outside.Open(), "outside ", Port);
        using var from = outside.Open();
        for (int round = 0; round < 5; round++)
        {
            var peer = new PluginPeer(
                Chain(Ptp), builtIn: true, $"pod-{round}", Forwarded, leases, [new("IP", "10.77.0.9")]);
            peer.Attach();
            using var pod = new TestPod(peer);
            using var served = new EchoServer(pod.Open(), "pod ", Port);
            Assert.Equal("outside 192.0.2.1", EchoServer.Ask(pod.Open(), "192.0.2.2", Port, ProtocolType.Tcp));
            Assert.Equal("pod 192.0.2.2", EchoServer.Ask(from, "192.0.2.1", HostPort, ProtocolType.Tcp));
            peer.Pod.Dispose(); // and its namespace goes with it, some time
            peer.Attacher.Detach(null);
        }
    });

    [NetworkTheory]
    [MemberData(nameof(Networks))]
    public void A_hundred_pods_attach_at_once(string plugin) => OnMachine((outside, leases) =>
    {
        const int Count = 100;
        var results = new NetworkResult?[Count];
        var failures = new System.Collections.Concurrent.ConcurrentBag<Exception>();
        var peers = Enumerable.Range(0, Count).Select(i => new PluginPeer(
            Chain(plugin), builtIn: true, $"pod-{i}",
            new CapabilityArguments { PortMappings = [new((ushort)(HostPort + i), Port, "tcp")] }, leases)).ToList();
        try
        {
            void All(Action<int> act)
            {
                var threads = Enumerable.Range(0, Count).Select(i => new Thread(() =>
                {
                    try
                    {
                        act(i);
                    }
                    catch (Exception failure)
                    {
                        failures.Add(failure);
                    }
                })).ToList();
                threads.ForEach(thread => thread.Start());
                threads.ForEach(thread => thread.Join());
                Assert.Empty(failures);
            }

            All(i => results[i] = peers[i].Attach());
            Assert.Equal(Count, results.Select(result => result!.Ips[0].Address.Address).Distinct().Count());
            using var server = new EchoServer(outside.Open(), "outside ", Port);
            using var space = Files.Open(peers[77].Pod.Path, OpenFlags.ReadOnly);
            Assert.Equal("outside 192.0.2.1", EchoServer.Ask(space, "192.0.2.2", Port, ProtocolType.Tcp));
            Assert.Equal(2 * Count, Shell.Run("nft list map inet nacelle sources4; nft list map inet nacelle ports4").Split("n1 pod-").Length - 1);
            All(i => peers[i].Detach());
            Assert.Empty(Leases(leases));
            Assert.DoesNotContain("elements", Shell.Run("nft list table inet nacelle"), StringComparison.Ordinal);
            Assert.DoesNotContain(" veth", Shell.Run("ip -o link show"), StringComparison.Ordinal);
        }
        finally
        {
            peers.ForEach(peer => peer.Dispose());
        }
    });

    [NetworkFact]
    public void A_port_of_one_address_is_not_reached_by_others() => OnMachine((outside, leases) =>
    {
        using var one = Attach(Ptp, "one", leases, new CapabilityArguments { PortMappings = [new(HostPort, Port, "tcp", "192.0.2.1"), new(HostPort, Port, "udp", "0.0.0.0")] });
        using var server = new EchoServer(one.Open(), "one ", Port);
        using var from = outside.Open();
        Assert.Equal("one 192.0.2.2", EchoServer.Ask(from, "192.0.2.1", HostPort, ProtocolType.Tcp));
        Assert.Null(EchoServer.Ask(null, "127.0.0.1", HostPort, ProtocolType.Tcp));
        Assert.Null(EchoServer.Ask(from, "2001:db8::1", HostPort, ProtocolType.Tcp));
        Assert.NotNull(EchoServer.Ask(null, "127.0.0.1", HostPort, ProtocolType.Udp));
        Assert.Null(EchoServer.Ask(from, "2001:db8::1", HostPort, ProtocolType.Udp));
    });

    [NetworkFact]
    public void A_port_that_is_taken_names_its_holder_and_leaves_nothing() => OnMachine((outside, leases) =>
    {
        using var one = Attach(Ptp, "one", leases, Forwarded);
        var failure = Assert.Throws<NetworkException>(() => Attach(Ptp, "two", leases, Forwarded));
        Assert.EndsWith("plug-in portmap: tcp port 8080 leads to one (10.77.0.2) already", failure.Message, StringComparison.Ordinal);
        Assert.Equal("one", failure.Details);
        Assert.Equal(["10.77.0.2", "fd77::2"], Leases(leases));
        Assert.Single(Shell.Run("ip -o link show").Split('\n'), line => line.Contains(" veth", StringComparison.Ordinal) && line.Contains("link-netnsid", StringComparison.Ordinal));
        Assert.DoesNotContain("two eth0", Shell.Run("nft list table inet nacelle"), StringComparison.Ordinal);
    });

    [NetworkFact]
    public void What_a_dead_pod_left_gives_way_to_who_has_its_address_now() => OnMachine((outside, leases) =>
    {
        using (Attach(Ptp, "dead", leases, Forwarded))
        {
        }

        // Its namespace is gone with its process, and somebody has removed the leases.
        Directory.Delete(leases, recursive: true);
        using var one = Attach(Ptp, "one", leases, Forwarded);
        using var server = new EchoServer(one.Open(), "one ", Port);
        using var from = outside.Open();
        Assert.Equal("one 192.0.2.2", EchoServer.Ask(from, "192.0.2.1", HostPort, ProtocolType.Tcp));
        Assert.DoesNotContain("dead eth0", Shell.Run("nft list table inet nacelle"), StringComparison.Ordinal);
    });

    [NetworkFact]
    public void A_neighbour_does_not_reach_what_listens_on_loopback_only() => OnMachine((outside, leases) =>
    {
        using var one = Attach(Ptp, "one", leases, Forwarded);
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 9000);
        listener.Start();
        using var space = one.Open();
        one.Run("ip route add 127.0.0.0/8 via 10.77.0.1 table 77; ip rule add to 127.0.0.0/8 lookup 77 pref 0; ip rule del pref 0 lookup local; ip rule add pref 1 lookup local; sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1");
        Assert.Null(EchoServer.Ask(space, "127.0.0.1", 9000, ProtocolType.Tcp));
        Assert.False(listener.Pending());
        Shell.Run("nft flush chain inet nacelle guard");
        _ = EchoServer.Ask(space, "127.0.0.1", 9000, ProtocolType.Tcp);
        Assert.True(listener.Pending(), "the packets of this test never reach the machine");
    });

    [NetworkFact]
    public void A_pod_without_masquerading_does_not_reach_out() => OnMachine((outside, leases) =>
    {
        using var one = Attach($$"""{"type":"ptp",{{Addresses}}}""", "one", leases);
        using var server = new EchoServer(outside.Open(), "outside ", Port);
        using var own = new EchoServer(null, "machine ", Port);
        using var space = one.Open();
        Assert.Null(EchoServer.Ask(space, "192.0.2.2", Port, ProtocolType.Tcp));
        Assert.Equal("machine 10.77.0.2", EchoServer.Ask(space, "10.77.0.1", Port, ProtocolType.Tcp));
        Assert.Equal("machine fd77::2", EchoServer.Ask(space, "fd77::1", Port, ProtocolType.Tcp));
    });

    [NetworkFact]
    public void A_pod_sends_from_no_other_hardware_address_than_its_own() => OnMachine((outside, leases) =>
    {
        using var one = Attach($$"""{"type":"bridge","bridge":"cni7","isGateway":true,"macspoofchk":true,{{Addresses}}}""", "one", leases);
        using var server = new EchoServer(null, "machine ", Port);
        using var space = one.Open();
        Assert.Equal("machine 10.77.0.2", EchoServer.Ask(space, "10.77.0.1", Port, ProtocolType.Tcp));
        one.Run("ip link set eth0 address 02:00:00:00:00:99");
        Assert.Null(EchoServer.Ask(space, "10.77.0.1", Port, ProtocolType.Tcp));
        one.Peer.Detach();
        Assert.DoesNotContain("elements", Shell.Run("nft list table bridge nacelle"), StringComparison.Ordinal);
    });

    public static TheoryData<string, string> DroppingFirewalls => new()
    {
        { "nft add table inet mine; nft add chain inet mine forward '{ type filter hook forward priority 5; policy drop; }'", "nft list table inet mine" },
        { "nft add table inet firewalld; nft add chain inet firewalld filter_FORWARD '{ type filter hook forward priority 10; policy accept; }'; nft add rule inet firewalld filter_FORWARD reject with icmpx admin-prohibited", "nft list table inet firewalld" },
        { "iptables -P FORWARD DROP; ip6tables -P FORWARD DROP; iptables -A FORWARD -i nothing -j ACCEPT", "iptables -S FORWARD; ip6tables -S FORWARD" },
    };

    [NetworkTheory]
    [MemberData(nameof(DroppingFirewalls))]
    public void A_firewall_that_drops_what_it_does_not_know_lets_pods_through_that_have_the_plugin(string setup, string show) => OnMachine((outside, leases) =>
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/iptables"), "needs iptables");
        Shell.Run(setup);
        string before = Shell.Run(show);
        using var server = new EchoServer(outside.Open(), "outside ", Port);
        using var from = outside.Open();
        using var barred = Attach(Ptp, "barred", leases);
        using var one = Attach(Ptp + """,{"type":"firewall"}""", "one", leases, Forwarded);
        using var served = new EchoServer(one.Open(), "one ", Port);
        Assert.Null(EchoServer.Ask(barred.Open(), "192.0.2.2", Port, ProtocolType.Tcp));
        Assert.Equal("outside 192.0.2.1", EchoServer.Ask(one.Open(), "192.0.2.2", Port, ProtocolType.Tcp));
        Assert.Equal("outside 2001:db8::1", EchoServer.Ask(one.Open(), "2001:db8::2", Port, ProtocolType.Udp));
        Assert.Equal("one 192.0.2.2", EchoServer.Ask(from, "192.0.2.1", HostPort, ProtocolType.Tcp));
        Assert.Equal("one 2001:db8::2", EchoServer.Ask(from, "2001:db8::1", HostPort, ProtocolType.Udp));
        Assert.Equal([], one.Peer.Attacher.Check(one.Peer.Pod.Path));
        string during = Shell.Run(show);
        Assert.Contains("10.77.0.3", during, StringComparison.Ordinal);
        one.Peer.Detach();
        Assert.Equal(before, Shell.Run(show));
    });

    [NetworkFact]
    public void Bridges_are_kept_apart_and_pods_on_one_as_the_policy_says() => OnMachine((outside, leases) =>
    {
        static string Bridge(string name, string subnet, string policy) => $$$"""
            {"type":"bridge","bridge":"{{{name}}}","isGateway":true,"ipam":{"type":"host-local","dataDir":"$LEASES","subnet":"{{{subnet}}}","routes":[{"dst":"0.0.0.0/0"}]}},{"type":"firewall","ingressPolicy":"{{{policy}}}"}
            """;
        using var one = Attach(Bridge("cni1", "10.1.0.0/24", "same-bridge"), "one", leases);
        using var two = Attach(Bridge("cni1", "10.1.0.0/24", "same-bridge"), "two", leases);
        using var other = Attach(Bridge("cni2", "10.2.0.0/24", "isolated"), "other", leases, network: "n2");
        using var another = Attach(Bridge("cni2", "10.2.0.0/24", "isolated"), "another", leases, network: "n2");
        using var third = Attach(Bridge("cni3", "10.3.0.0/24", "open"), "third", leases, network: "n3");
        using var server = new EchoServer(two.Open(), "two ", Port);
        using var isolated = new EchoServer(another.Open(), "another ", Port);
        Assert.Equal("two 10.1.0.2", EchoServer.Ask(one.Open(), "10.1.0.3", Port, ProtocolType.Tcp));
        Assert.Null(EchoServer.Ask(other.Open(), "10.1.0.3", Port, ProtocolType.Tcp));
        Assert.Null(EchoServer.Ask(one.Open(), "10.2.0.3", Port, ProtocolType.Tcp));
        Assert.Equal("two 10.3.0.2", EchoServer.Ask(third.Open(), "10.1.0.3", Port, ProtocolType.Tcp));
        Assert.SkipUnless(Shell.TryRun("cat /proc/sys/net/bridge/bridge-nf-call-iptables").Output.Trim() == "1", "what stays on a bridge passes no rules here (bridge-nf-call-iptables)");
        Assert.Null(EchoServer.Ask(other.Open(), "10.2.0.3", Port, ProtocolType.Tcp));
    });

    /// <summary>A sender that goes on sending from one port, as a resolver or a logger does, is one connection to the kernel.</summary>
    [NetworkFact]
    public void Who_sent_by_UDP_before_the_port_was_forwarded_reaches_the_pod_now() => OnMachine((outside, leases) =>
    {
        using var from = outside.Open();
        using var early = Attach(Ptp, "early", leases, new CapabilityArguments { PortMappings = [new(HostPort + 1, Port, "udp")] }); // makes the kernel watch connections
        Socket? sender = null;
        NetworkNamespace.Run(from, () =>
        {
            sender = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 1500 };
            sender.Connect(new System.Net.IPEndPoint(System.Net.IPAddress.Parse("192.0.2.1"), HostPort));
        });
        using (sender)
        {
            using var listener = new UdpClient(HostPort);
            sender!.Send("1"u8);
            System.Net.IPEndPoint? who = null;
            listener.Receive(ref who);
            using var one = Attach(Ptp, "one", leases, Forwarded);
            using var server = new EchoServer(one.Open(), "one ", Port);
            sender.Send("2"u8);
            var answer = new byte[100];
            Assert.Equal("one 192.0.2.2", System.Text.Encoding.ASCII.GetString(answer, 0, sender.Receive(answer)));
        }
    });

    const string Ptp = $$"""{"type":"ptp","ipMasq":true,{{Addresses}}}""";

    static string[] Leases(string directory) => [.. Directory.GetFiles($"{directory}/n1").Select(path => Path.GetFileName(path)!).Where(name => System.Net.IPAddress.TryParse(name, out _)).Order(StringComparer.Ordinal)];

    static string Chain(string plugin, string network = "n1") => $$$"""{"cniVersion":"1.0.0","name":"{{{network}}}","plugins":[{{{plugin}}},{"type":"portmap","capabilities":{"portMappings":true}}]}""";

    static TestPod Attach(string plugin, string container, string leases, CapabilityArguments? capabilities = null, string network = "n1")
    {
        var peer = new PluginPeer(Chain(plugin, network), builtIn: true, container, capabilities, leases);
        try
        {
            peer.Attach();
            return new TestPod(peer);
        }
        catch
        {
            peer.Dispose();
            throw;
        }
    }

    static void OnMachine(Action<TestPod, string> body) => NetworkHost.Run(() =>
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/nft"), "needs nftables");
        using var directory = new TemporaryDirectory();
        using var outside = new PodNamespace();
        Shell.Run($"ip link add uplink type veth peer name eth0 netns {outside.Path.Split('/')[2]}; ip link set uplink up; ip address add 192.0.2.1/24 dev uplink; ip address add 2001:db8::1/64 dev uplink nodad");
        outside.Run("ip link set eth0 up");
        outside.Run("ip address add 192.0.2.2/24 dev eth0");
        outside.Run("ip address add 2001:db8::2/64 dev eth0 nodad");
        body(new TestPod(outside), $"{directory.Path}/leases");
    });

    /// <summary>A namespace to talk from, with what attached it.</summary>
    sealed class TestPod(PodNamespace space) : IDisposable
    {
        readonly List<FileDescriptor> opened = [];
        PluginPeer? peer;

        public TestPod(PluginPeer peer)
            : this(peer.Pod) => this.peer = peer;

        public PluginPeer Peer => peer!;

        public FileDescriptor Open()
        {
            opened.Add(Files.Open(space.Path, OpenFlags.ReadOnly));
            return opened[^1];
        }

        public string Run(string command) => space.Run($"sh -c '{command}'");

        public void Dispose()
        {
            opened.ForEach(one => one.Dispose());
            peer?.Dispose();
            peer = null;
        }
    }
}
