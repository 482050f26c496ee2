using System.Net;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network.Tests;

/// <summary>Programs of plug-ins as Debian has them (containernetworking-plugins), in a machine's network of the test's own.</summary>
public sealed class DebianPluginTests : IDisposable
{
    const string Programs = "/usr/lib/cni";

    readonly TemporaryDirectory directory = new();

    [NetworkFact]
    public void A_bridge_with_leases_and_forwarded_ports() => InNetwork("bridge host-local portmap tuning firewall", host =>
    {
        using var pod = new PodNamespace();
        var attachment = Attachment($$$"""
            {"cniVersion":"1.0.0","name":"n1","plugins":[
            {"type":"bridge","bridge":"cni7","isGateway":true,"ipMasq":true,"hairpinMode":true,"ipam":{"type":"host-local","dataDir":"{{{directory.Path}}}/leases","ranges":[[{"subnet":"10.77.0.0/24"}],[{"subnet":"fd77::/64"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]},"dns":{"nameservers":["10.77.0.1"]}},
            {"type":"tuning","sysctl":{"net.ipv4.conf.all.log_martians":"1"},"capabilities":{"mac":true}},
            {"type":"firewall"},
            {"type":"portmap","capabilities":{"portMappings":true},"snat":true}]}
            """) with { CapabilityArguments = new CapabilityArguments { PortMappings = [new PortMapping(8080, 80, "tcp")], Mac = "c2:11:22:33:44:55" } };
        var attacher = host.Attacher(attachment);
        var result = Assert.Single(attacher.Attach(pod.Path));
        Assert.Equal(["10.77.0.2/24", "fd77::2/64"], result.Ips.Select(ip => ip.Address.ToString()));
        Assert.Equal("c2:11:22:33:44:55", result.Interfaces[^1].Mac);
        Assert.Equal(["10.77.0.1"], result.Dns.Nameservers);
        Assert.Contains("10.77.0.2/24", pod.Run("ip address show eth0"), StringComparison.Ordinal);
        Assert.Contains("default via 10.77.0.1", pod.Run("ip route"), StringComparison.Ordinal);
        Assert.Equal("1", pod.Run("cat /proc/sys/net/ipv4/conf/all/log_martians").Trim());
        Assert.Contains("8080", Shell.Run("iptables -t nat -S"), StringComparison.Ordinal);
        Assert.True(File.Exists($"{directory.Path}/leases/n1/10.77.0.2"));

        // portmap 1.1 looks for the rules of each family among those of the other one too.
        Assert.All(attacher.Check(pod.Path), fault => Assert.Contains("plug-in portmap: could not check ipv6 dnat", fault, StringComparison.Ordinal));

        var network = Assert.Single(PodNetworks.Read(host.Pod));
        Assert.Equal(["10.77.0.2/24", "fd77::2/64"], network.Addresses.Select(address => address.ToString()));

        pod.Run("ip address del 10.77.0.2/24 dev eth0");
        Assert.Contains("network n1: plug-in bridge: ", Assert.Single(attacher.Check(pod.Path)), StringComparison.Ordinal);

        attacher.Detach(pod.Path);
        Assert.DoesNotContain("eth0", pod.Run("ip link"), StringComparison.Ordinal);
        Assert.False(File.Exists($"{directory.Path}/leases/n1/10.77.0.2"));
        Assert.DoesNotContain("8080", Shell.Run("iptables -t nat -S"), StringComparison.Ordinal);
        attacher.Detach(pod.Path); // once more does no harm
    });

    [NetworkFact]
    public void Two_networks_of_two_kinds_in_one_pod_and_the_namespace_gone_before_DEL() => InNetwork("ptp macvlan host-local", host =>
    {
        Shell.Run("ip link add parent type veth peer name other; ip link set parent up; ip link set other up");
        NetworkAttacher attacher;
        using (var pod = new PodNamespace())
        {
            attacher = host.Attacher(
                Attachment($$$"""{"cniVersion":"0.3.1","name":"n1","plugins":[{"type":"ptp","ipam":{"type":"host-local","dataDir":"{{{directory.Path}}}/leases","subnet":"10.77.0.0/24"}}]}"""),
                Attachment($$$"""{"cniVersion":"1.0.0","name":"n2","plugins":[{"type":"macvlan","master":"parent","ipam":{"type":"host-local","dataDir":"{{{directory.Path}}}/leases","subnet":"10.78.0.0/24"}}]}""", "eth1"));
            var results = attacher.Attach(pod.Path);
            Assert.Equal(["10.77.0.2/24", "10.78.0.2/24"], results.Select(result => Assert.Single(result.Ips).Address.ToString()));
            Assert.Contains("macvlan", pod.Run("ip -d link show eth1"), StringComparison.Ordinal);
        }

        attacher.Detach(null);
        Assert.Empty(Directory.GetFiles($"{directory.Path}/leases/n1", "10.*"));
        Assert.Empty(Directory.GetFiles($"{directory.Path}/leases/n2", "10.*"));
    });

    [NetworkFact]
    public void An_address_that_was_asked_for_is_given_whatever_others_in_the_chain_make_of_the_argument() => InNetwork("bridge host-local", host =>
    {
        using var pod = new PodNamespace();
        var attacher = host.Attacher(Attachment($$$"""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"bridge","bridge":"cni7","ipam":{"type":"host-local","dataDir":"{{{directory.Path}}}/leases","subnet":"10.77.0.0/24"}}]}""") with { Arguments = [new("IP", "10.77.0.9")] });
        Assert.Equal("10.77.0.9/24", Assert.Single(Assert.Single(attacher.Attach(pod.Path)).Ips).Address.ToString());
        attacher.Detach(pod.Path);
    });

    [NetworkFact]
    public void An_exhausted_range_says_so_and_leaves_nothing() => InNetwork("bridge host-local", host =>
    {
        using var pod = new PodNamespace();
        Directory.CreateDirectory($"{directory.Path}/leases/n1");
        File.WriteAllText($"{directory.Path}/leases/n1/10.77.0.2", "other\r\neth0");
        var attacher = host.Attacher(Attachment($$$"""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"bridge","bridge":"cni7","ipam":{"type":"host-local","dataDir":"{{{directory.Path}}}/leases","subnet":"10.77.0.0/30"}}]}"""));
        var problem = Assert.Throws<NetworkException>(() => attacher.Attach(pod.Path));
        Assert.Contains("attach to network n1 as eth0: plug-in bridge: failed to allocate for range 0: no IP addresses available", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("eth0", pod.Run("ip link"), StringComparison.Ordinal);
        Assert.Null(NetworkPlan.TryRead(host.Pod));
    });

    [NetworkFact]
    public void A_version_that_is_too_new_for_a_plugin_is_refused_by_it_and_avoided_where_there_is_a_choice() => InNetwork("bridge static", host =>
    {
        using var pod = new PodNamespace();
        const string Plugin = """{"type":"bridge","bridge":"cni7","ipam":{"type":"static","addresses":[{"address":"10.77.0.5/24"}]}}""";
        var problem = Assert.Throws<NetworkException>(() => host.Attacher(Attachment($$$"""{"cniVersion":"1.1.0","name":"n1","plugins":[{{{Plugin}}}]}""")).Attach(pod.Path));
        Assert.Equal(NetworkException.IncompatibleVersion, problem.Code);
        var attacher = host.Attacher(Attachment($$$"""{"cniVersion":"1.1.0","cniVersions":["1.0.0","0.4.0"],"name":"n1","plugins":[{{{Plugin}}}]}"""));
        Assert.Equal("10.77.0.5/24", Assert.Single(Assert.Single(attacher.Attach(pod.Path)).Ips).Address.ToString());
        attacher.Detach(pod.Path);
    });

    [NetworkFact]
    public void Every_version_since_the_first_is_spoken() => InNetwork("ptp host-local", host =>
    {
        foreach (var version in CniVersion.Known.Where(version => version <= CniVersion.Major1))
        {
            using var pod = new PodNamespace();
            var attacher = host.Attacher(Attachment($$$"""{"cniVersion":"{{{version}}}","name":"n1","plugins":[{"type":"ptp","ipam":{"type":"host-local","dataDir":"{{{directory.Path}}}/leases","subnet":"10.77.0.0/24","routes":[{"dst":"0.0.0.0/0"}]}}]}"""));
            var result = Assert.Single(attacher.Attach(pod.Path));
            Assert.Equal(IPAddress.Parse("10.77.0.1"), Assert.Single(result.Ips).Gateway);
            Assert.Equal("0.0.0.0/0", Assert.Single(result.Routes).Destination.ToString());
            Assert.Equal([], attacher.Check(pod.Path));
            attacher.Detach(pod.Path);
        }
    });

    [NetworkFact]
    public void Source_based_routes_and_bandwidth_limits() => InNetwork("ptp static sbr bandwidth", host =>
    {
        using var pod = new PodNamespace();
        var attacher = host.Attacher(Attachment("""
            {"cniVersion":"1.0.0","name":"n1","plugins":[
            {"type":"ptp","ipam":{"type":"static","addresses":[{"address":"10.77.0.5/24","gateway":"10.77.0.1"}],"routes":[{"dst":"10.99.0.0/16"}]}},
            {"type":"sbr"},{"type":"bandwidth","capabilities":{"bandwidth":true}}]}
            """) with { CapabilityArguments = new CapabilityArguments { Bandwidth = new BandwidthLimits(8_000_000, 800_000, 8_000_000, 800_000) } });
        attacher.Attach(pod.Path);
        Assert.Contains("from 10.77.0.5 lookup", pod.Run("ip rule"), StringComparison.Ordinal);
        Assert.Contains("tbf", Shell.Run("tc qdisc"), StringComparison.Ordinal);
        attacher.Detach(pod.Path);
        Assert.DoesNotContain("10.77.0.5", pod.Run("ip rule"), StringComparison.Ordinal);
        Assert.DoesNotContain("tbf", Shell.Run("tc qdisc"), StringComparison.Ordinal);
    });

    [NetworkFact]
    public void A_device_of_the_hosts_goes_into_the_pod_and_comes_back() => InNetwork("host-device", host =>
    {
        using var pod = new PodNamespace();
        Shell.Run("ip link add given type veth peer name other");
        var attacher = host.Attacher(Attachment("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"host-device","device":"given"}]}"""));
        attacher.Attach(pod.Path);
        Assert.Contains("eth0", pod.Run("ip link"), StringComparison.Ordinal);
        Assert.DoesNotContain("given", Shell.Run("ip link"), StringComparison.Ordinal);
        attacher.Detach(pod.Path);
        Assert.Contains("given", Shell.Run("ip link"), StringComparison.Ordinal);
    });

    [NetworkFact]
    public void An_address_by_DHCP() => InNetwork("bridge dhcp", host =>
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/dnsmasq"), "needs dnsmasq-base");
        Shell.Run($"ip link add cni7 type bridge; ip link set cni7 up; ip address add 10.77.0.1/24 dev cni7");
        Shell.Run($"dnsmasq --conf-file=/dev/null --interface=cni7 --bind-interfaces --port=0 --dhcp-range=10.77.0.100,10.77.0.110,255.255.255.0,2m --dhcp-leasefile={directory.Path}/dnsmasq.leases --pid-file={directory.Path}/dnsmasq.pid --user=root");
        Shell.Run($"{Programs}/dhcp daemon >{directory.Path}/dhcp.log 2>&1 & echo $! >{directory.Path}/dhcp.pid; for round in $(seq 100); do [ -S /run/cni/dhcp.sock ] && exit 0; sleep 0.1; done; exit 1");
        try
        {
            using var pod = new PodNamespace();
            var attacher = host.Attacher(Attachment("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"bridge","bridge":"cni7","ipam":{"type":"dhcp"}}]}"""));
            var result = Assert.Single(attacher.Attach(pod.Path));
            Assert.StartsWith("10.77.0.1", Assert.Single(result.Ips).Address.ToString(), StringComparison.Ordinal);
            attacher.Detach(pod.Path);
        }
        finally
        {
            Shell.Run($"kill $(cat {directory.Path}/dhcp.pid) $(cat {directory.Path}/dnsmasq.pid)");
        }
    });

    [NetworkFact]
    public void A_loopback_device() => InNetwork("loopback", host =>
    {
        using var pod = new PodNamespace();
        var attacher = host.Attacher(Attachment("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"loopback"}]}""", "lo"));
        Assert.Contains("127.0.0.1/8", Assert.Single(attacher.Attach(pod.Path)).Ips.Select(ip => ip.Address.ToString()));
        attacher.Detach(pod.Path);
    });

    [NetworkFact]
    public void A_device_of_a_VLAN() => InKernelWith("vlan", "ip link add v0 type veth peer name v1; ip link add link v0 name v0.5 type vlan id 5", host =>
    {
        Shell.Run("ip link add parent type veth peer name other; ip link set parent up");
        Works(host, """{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"vlan","master":"parent","vlanId":7,"ipam":{"type":"static","addresses":[{"address":"10.77.0.5/24"}]}}]}""");
    });

    [NetworkFact]
    public void A_device_of_IPVLAN() => InKernelWith("ipvlan", "ip link add v0 type veth peer name v1; ip link add link v0 name i0 type ipvlan", host =>
    {
        Shell.Run("ip link add parent type veth peer name other; ip link set parent up");
        Works(host, """{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"ipvlan","master":"parent","ipam":{"type":"static","addresses":[{"address":"10.77.0.5/24"}]}}]}""");
    });

    [NetworkFact]
    public void A_device_in_a_VRF() => InKernelWith("vrf", "ip link add r0 type vrf table 10", host =>
        Works(host, """{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"ptp","ipam":{"type":"static","addresses":[{"address":"10.77.0.5/24","gateway":"10.77.0.1"}]}},{"type":"vrf","vrfname":"blue"}]}"""));

    public void Dispose() => directory.Dispose();

    void Works(Host host, string json)
    {
        using var pod = new PodNamespace();
        var attacher = host.Attacher(Attachment(json));
        Assert.Equal("10.77.0.5/24", Assert.Single(Assert.Single(attacher.Attach(pod.Path)).Ips).Address.ToString());
        Assert.Contains("10.77.0.5", pod.Run("ip address show eth0"), StringComparison.Ordinal);
        attacher.Detach(pod.Path);
        Assert.DoesNotContain("eth0", pod.Run("ip link"), StringComparison.Ordinal);
    }

    void InKernelWith(string kind, string probe, Action<Host> body) => InNetwork(kind, host =>
    {
        Assert.SkipUnless(Shell.TryRun(probe).Code == 0, $"the kernel has no {kind} devices");
        body(host);
    });

    void InNetwork(string needed, Action<Host> body)
    {
        Assert.SkipUnless(needed.Split(' ').All(name => File.Exists($"{Programs}/{name}")), "needs Debian's containernetworking-plugins");
        Assert.SkipUnless(File.Exists("/usr/sbin/iptables") && File.Exists("/sbin/ip"), "needs iptables and iproute2");
        NetworkHost.Run(() =>
        {
            using var pod = Files.Open(directory.Path, OpenFlags.ReadOnly | OpenFlags.Directory);
            body(new Host(pod, directory.Path));
        });
    }

    static NetworkAttachment Attachment(string json, string device = "eth0") => ShellPlugins.Network(json, device);

    sealed record Host(FileDescriptor Pod, string Directory)
    {
        public NetworkAttacher Attacher(params NetworkAttachment[] attachments)
        {
            var plan = new NetworkPlan { ContainerId = "3b6a8f1c-pod", Attachments = attachments, PluginPath = [Programs], Lock = $"{Directory}/lock" };
            plan.Write(Pod);
            return new NetworkAttacher(Pod, plan);
        }
    }
}
