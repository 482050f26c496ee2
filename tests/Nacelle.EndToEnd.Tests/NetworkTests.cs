namespace Nacelle.EndToEnd.Tests;

/// <summary>Networks that somebody has described, and what is left of them when something dies.</summary>
public sealed class NetworkTests : IDisposable
{
    readonly NetworkMachine machine = new();

    public void Dispose() => machine.Dispose();

    void Bridge(string file, string name, string subnet, string more = "") => machine.Configure(file, $$"""
        {"cniVersion": "1.0.0", "name": "{{name}}", "plugins": [{"type": "bridge", "bridge": "{{name}}0", "isGateway": true, "ipMasq": true,
         "ipam": {"type": "host-local", "dataDir": "/run/nacelle/networks", "ranges": [[{"subnet": "{{subnet}}"}]], "routes": [{"dst": "0.0.0.0/0"}]} {{more}}}]}
        """);

    [Fact]
    public void Two_pods_talk_over_a_bridge()
    {
        Bridge("10-one.conflist", "one", "10.9.1.0/24");
        var server = machine.Start(NetworkMachine.Serve("server", 80), "--net=one");
        var client = machine.Shell($"i=0; until {NetworkMachine.Ask(machine.AddressOf(server))} || [ $i = 20 ]; do i=$((i+1)); busybox usleep 100000; done", "--net=one");
        Assert.StartsWith("server saw ", client.Output);
        Assert.Contains("10.9.1.", client.Output);
        machine.Nacelle("stop", server);
    }

    [Fact]
    public void A_pod_has_several_networks_in_the_order_of_their_files_with_the_restricted_one_last()
    {
        Bridge("20-two.conflist", "two", "10.9.2.0/24");
        Bridge("10-one.conflist", "one", "10.9.1.0/24");
        var result = machine.Shell("ip -o -4 addr show | cut -d' ' -f2,7", "--net=two,one");
        Assert.Matches(@"^lo 127\.0\.0\.1/8\neth0 10\.9\.1\.\d+/24\neth1 10\.9\.2\.\d+/24\neth2 172\.31\.\d+\.\d+/16\n$", result.Output);
        Assert.Contains("eth2 172.16.", machine.Shell("ip -o -4 addr show | cut -d' ' -f2,7", "--net=all").Output);
    }

    [Fact]
    public void Arguments_go_to_the_plug_ins_of_their_network()
    {
        Bridge("10-one.conflist", "one", "10.9.1.0/24");
        Assert.Contains("10.9.1.77/24", machine.Shell("ip -o -4 addr show dev eth0", "--net=one:IP=10.9.1.77").Output);
    }

    [Fact]
    public void A_network_of_the_administrators_replaces_the_default_one()
    {
        Bridge("10-default.conflist", "default", "10.9.1.0/24");
        Assert.Contains("10.9.1.", machine.Shell("ip -o -4 addr show dev eth0").Output);
    }

    [Fact]
    public void A_broken_configuration_is_named_and_stops_no_other_network()
    {
        machine.Configure("10-broken.conflist", """{"cniVersion": "1.0.0", "name": "broken", "plugins": [{"type": 7}]}""");
        Bridge("20-one.conflist", "one", "10.9.1.0/24");
        Assert.Equal(0, machine.Shell("true", "--net=one").ExitCode);
        var broken = machine.Shell("true", "--net=broken");
        Assert.Equal(254, broken.ExitCode);
        Assert.Contains("/net.d/10-broken.conflist: plugins[0].type: 7 is not a string", broken.Errors);
        Assert.Contains("10-broken.conflist", machine.Nacelle("network", "list").Errors);
        Assert.Contains("there is no network 'nosuch'", machine.Shell("true", "--net=nosuch").Errors);
    }

    [Fact]
    public void An_exhausted_range_says_which_and_how_full()
    {
        Bridge("10-one.conflist", "one", "10.9.1.0/30");
        var uuid = machine.Start("sleep 600", "--net=one");
        var second = machine.Shell("true", "--net=one");
        Assert.Equal(254, second.ExitCode);
        Assert.Contains("network one: the range 10.9.1.", second.Errors);
        Assert.Contains("exhausted: ", second.Errors);
        machine.Nacelle("stop", uuid);
    }

    [Fact]
    public void Name_servers_of_a_network_are_the_apps_unless_flags_say_others()
    {
        Bridge("10-one.conflist", "one", "10.9.1.0/24", """, "dns": {"nameservers": ["10.9.9.9"], "search": ["example.com"]}""");
        Assert.Equal("search example.com\nnameserver 10.9.9.9\n", machine.Shell("cat /etc/resolv.conf", "--net=one").Output);
        Assert.Equal("nameserver 192.0.2.10\n", machine.Shell("cat /etc/resolv.conf", "--net=one", "--dns=192.0.2.10").Output);
    }

    [Fact]
    public void Name_servers_are_not_written_into_what_is_no_file()
    {
        Bridge("10-one.conflist", "one", "10.9.1.0/24", """, "dns": {"nameservers": ["10.9.9.9"]}""");
        Assert.Equal("a pipe\n", machine.Nacelle("run", "--net=one", TestImages.Piped, "--exec=/bin/sh", "--", "-c", "[ -p /etc/resolv.conf ] && echo a pipe").Output);
    }

    [Fact]
    public void A_pod_that_cannot_be_run_leaves_no_trace_among_the_networks()
    {
        Assert.Equal(254, machine.Nacelle("run", TestImages.Busybox, "--exec=/no/such").ExitCode);
        Assert.Equal("", machine.Leftovers());
    }

    [Fact]
    public void A_pod_that_is_killed_is_detached_by_gc_and_by_network_gc()
    {
        foreach (string[] collect in (string[][])[["network", "gc"], ["gc", "--grace-period=0s"]])
        {
            var uuid = machine.Start("sleep 600", "--port=web:tcp:80::8080");
            var other = machine.Start("sleep 600", "--port=web:tcp:80::8081");
            machine.InHost($"kill -9 $(cat {machine.Pod(uuid)}/pid) $(ps -o ppid= -p $(cat {machine.Pod(uuid)}/pid))");
            Machine.Eventually(() => !machine.Nacelle("list").Output.Contains($"{uuid[..8]}\tbusybox\toci:", StringComparison.Ordinal) || machine.Nacelle("status", uuid).Output.Contains("state=exited", StringComparison.Ordinal), "the pod is dead");
            Assert.Contains(uuid, machine.Leftovers());
            Machine.Eventually(() => machine.Nacelle(collect).ExitCode == 0 && !machine.Leftovers().Contains(uuid, StringComparison.Ordinal), "what the dead pod held is given back");
            Assert.Contains(other, machine.Leftovers());
            Assert.EndsWith(": ok\n", machine.Nacelle("network", "check", other).Output);
            machine.Nacelle("stop", other);
        }
    }

    [Fact]
    public void A_network_that_fails_leaves_nothing_and_says_what_the_plug_in_said()
    {
        machine.Configure("10-bad.conflist", """{"cniVersion": "1.0.0", "name": "bad", "plugins": [{"type": "refuses"}]}""");
        var plugin = $"{machine.Path}/config/net.d/refuses";
        File.WriteAllText(plugin, """
            #!/bin/sh
            cat >/dev/null
            case $CNI_COMMAND in
                VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}' ;;
                ADD) echo '{"cniVersion":"1.0.0","code":119,"msg":"not today","details":"come back"}'; exit 1 ;;
            esac
            """);
        File.SetUnixFileMode(plugin, (UnixFileMode)0x1ED);
        var result = machine.Shell("echo ran", "--net=bad,default");
        Assert.Equal(254, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.Contains("not today", result.Errors);
        Assert.Contains("119", result.Errors);
        Machine.Eventually(() => machine.Leftovers().Length == 0, "nothing is left of the networks");
    }

    [Fact]
    public void A_pods_bandwidth_is_limited_on_its_networks()
    {
        var uuid = machine.Start("sleep 600", "--pod-network-bandwidth=1M");
        Assert.Contains("rate 8Mbit", machine.InHost("tc qdisc show").Output);
        machine.Nacelle("stop", uuid);
        Assert.Contains("share its network", machine.Nacelle("run", TestImages.Busybox, "--name=a", "--network-bandwidth=1M", "---", TestImages.Busybox, "--name=b").Errors);
        Assert.Contains("cannot be limited", machine.Shell("true", "--net=host", "--pod-network-bandwidth=1M").Errors);
    }

    [Fact]
    public void Many_pods_that_start_at_once_have_addresses_of_their_own()
    {
        const int Count = 24;
        Assert.Equal(0, machine.Nacelle("fetch", TestImages.Busybox).ExitCode);
        var all = Enumerable.Range(0, Count).Select(_ => machine.Begin("run", TestImages.Busybox, "--exec=/bin/sh", "--", "-c", "ip -o -4 addr show dev eth0 | cut -d' ' -f7; sleep 1")).ToList();
        var addresses = all.Select(process => (process.StandardOutput.ReadToEnd(), process.StandardError.ReadToEnd())).ToList();
        Assert.All(addresses, one => Assert.Equal("", one.Item2));
        Assert.Equal(Count, addresses.Select(one => one.Item1).Distinct().Count());
    }
}
