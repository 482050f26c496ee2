namespace Nacelle.EndToEnd.Tests;

/// <summary>The networks that pods have without a configuration.</summary>
public sealed class DefaultNetworkTests : IDisposable
{
    readonly NetworkMachine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void A_pod_reaches_the_world_by_the_machines_address()
    {
        machine.ServeInWorld();
        var result = machine.Shell($"{NetworkMachine.Ask($"{NetworkMachine.World}:7000")}; {NetworkMachine.Ask($"[{NetworkMachine.WorldSix}]:7000")}");
        Assert.Equal(0, result.ExitCode);
        Assert.Matches($@"^world-\d+ saw (::ffff:)?{NetworkMachine.Outside}\nworld-\d+ saw {NetworkMachine.OutsideSix}\n$", result.Output.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal));
    }

    [Fact]
    public void A_restricted_pod_reaches_the_machine_and_not_the_world()
    {
        machine.ServeInWorld();
        var result = machine.Shell($"ip -o addr show dev eth0; ip route; ping -c1 -W2 172.31.0.1 >/dev/null && echo machine; {NetworkMachine.Ask($"{NetworkMachine.World}:7000")} || echo cut; {NetworkMachine.Ask($"[{NetworkMachine.WorldSix}]:7000")} || echo cut", "--net=default-restricted");
        Assert.Contains(" 172.31.", result.Output);
        Assert.DoesNotContain("default via", result.Output);
        Assert.EndsWith("machine\ncut\ncut\n", result.Output);
    }

    [Fact]
    public void Pods_reach_each_other_by_names_that_they_are_told()
    {
        var server = machine.Start(NetworkMachine.Serve("server", 80));
        foreach (int family in (int[])[4, 6])
        {
            var result = machine.Shell($"i=0; until {NetworkMachine.Ask("server")} || [ $i = 20 ]; do i=$((i+1)); busybox usleep 100000; done", $"--hosts-entry={machine.AddressOf(server, family)}=server");
            Assert.StartsWith("server saw ", result.Output);
        }
    }

    [Fact]
    public void Networks_are_shown_of_a_pod_that_runs()
    {
        var uuid = machine.Start("sleep 600");
        var address = machine.AddressOf(uuid);
        Assert.StartsWith("172.16.", address);
        Assert.StartsWith("fd6e:6163:656c:1::", machine.AddressOf(uuid, 6));
        Assert.Contains($"default:ip4={address},ip6=", machine.Nacelle("list").Output);
        Assert.Contains($"networks=default:ip4={address},ip6=", machine.Nacelle("status", uuid).Output);
        Assert.Contains($"\"netName\":\"default\"", machine.Nacelle("status", "--format=json", uuid).Output);
        Assert.Equal(1, machine.Nacelle("network", "list", "--no-legend").Output.Split('\n').Count(line => line.StartsWith("default\t", StringComparison.Ordinal) && line.Contains('1', StringComparison.Ordinal)));
        machine.Nacelle("stop", uuid);
        Machine.Eventually(() => machine.Leftovers().Length == 0, "the pod's network is taken down with it");
        Assert.DoesNotContain("ip4=", machine.Nacelle("list").Output);
    }

    [Fact]
    public void A_pod_has_its_networks_in_its_own_user_namespace()
    {
        machine.ServeInWorld();
        Assert.Contains(" saw ", machine.Shell(NetworkMachine.Ask($"{NetworkMachine.World}:7000"), "--private-users").Output);
    }

    [Fact]
    public void An_app_that_is_added_later_is_in_the_pods_network()
    {
        machine.ServeInWorld();
        var file = $"{machine.Path}/uuid";
        Assert.Equal(0, machine.Nacelle("app", "sandbox", "--detach", $"--uuid-file-save={file}").ExitCode);
        var uuid = File.ReadAllText(file).Trim();
        Assert.Equal(0, machine.Nacelle("app", "add", uuid, TestImages.Busybox, "--name=later", "--exec=/bin/sleep", "--", "600").ExitCode);
        Assert.Equal(0, machine.Nacelle("app", "start", "--app=later", uuid).ExitCode);
        Assert.Contains(" saw ", machine.Nacelle("app", "exec", "--app=later", uuid, "/bin/sh", "-c", NetworkMachine.Ask($"{NetworkMachine.World}:7000")).Output);
    }

    [Fact]
    public void Without_networks_a_pod_has_its_loopback_and_with_the_hosts_all_of_the_machine()
    {
        Assert.Equal("lo\n", machine.Shell("ls /sys/class/net", "--net=none").Output);
        Assert.Contains("up0\n", machine.Shell("ls /sys/class/net", "--net=host").Output);
    }

    [Fact]
    public void The_machines_name_servers_are_the_pods_unless_they_are_on_its_loopback()
    {
        machine.InHost("printf 'search example.com\nnameserver 127.0.0.53\nnameserver 192.0.2.9\n' >/run/nacelle/resolv; mount --bind /run/nacelle/resolv /etc/resolv.conf; rm /run/nacelle/resolv");
        Assert.Equal("search example.com\nnameserver 192.0.2.9\n", machine.Shell("cat /etc/resolv.conf").Output);
        Assert.Equal("nameserver 192.0.2.10\n", machine.Shell("cat /etc/resolv.conf", "--dns=192.0.2.10").Output);
        Assert.Equal("", machine.Shell("cat /etc/resolv.conf 2>/dev/null", "--dns=none").Output);
    }
}
