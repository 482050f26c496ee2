using System.Text;
using Nacelle.Specs;

namespace Nacelle.Network.Tests;

public sealed class PodNetworkTests : IDisposable
{
    const string Answer = """
        {"cniVersion":"1.0.0","interfaces":[{"name":"br0","mac":"00:00:00:00:00:01"},{"name":"eth0","mac":"02:00:00:00:00:07","sandbox":"x"}],
        "ips":[{"interface":1,"address":"10.1.0.5/20","gateway":"10.1.0.1"},{"interface":1,"address":"fd00::5/64","gateway":"fd00::1"},{"interface":0,"address":"10.1.0.1/20"}],
        "routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["10.1.0.1"],"search":["pods.example"]}}
        """;

    readonly ShellPlugins plugins = new ShellPlugins().Add("first", $"cat <<END\n{Answer}\nEND");
    readonly PodNamespace pod = new();

    [NetworkFact]
    public void A_pod_tells_its_networks_with_addresses_of_both_families()
    {
        var attachment = Network() with { Source = "/etc/net.d/10-n1.conflist", Arguments = [new("IP", "10.1.0.5")], CapabilityArguments = new CapabilityArguments { PortMappings = [new PortMapping(8080, 80, "tcp")] } };
        plugins.Attacher(plugins.Plan(attachment)).Attach(pod.Path);
        var network = Assert.Single(PodNetworks.Read(plugins.Pod));
        Assert.Equal(("n1", "eth0", "02:00:00:00:00:07", "IP=10.1.0.5"), (network.Name, network.InterfaceName, network.Mac, network.Arguments));
        Assert.Equal(["10.1.0.5/20", "fd00::5/64"], network.Addresses.Select(address => address.ToString()));
        Assert.Equal(["10.1.0.1", "fd00::1"], network.Gateways.Select(gateway => gateway.ToString()));
        Assert.Equal(["10.1.0.1"], network.Dns.Nameservers);
        Assert.Equal([new PortMapping(8080, 80, "tcp")], network.Ports);
        Assert.Equal(("/etc/net.d/10-n1.conflist", $"{plugins.Path}/bin/first"), (network.Source, network.PluginPath));
    }

    [NetworkFact]
    public void The_file_has_rkts_keys_first()
    {
        plugins.Attacher(plugins.Plan(Network() with { Source = "/etc/net.d/10-n1.conflist" })).Attach(pod.Path);
        Assert.StartsWith(
            $$"""[{"netName":"n1","netConf":"/etc/net.d/10-n1.conflist","pluginPath":"{{plugins.Path}}/bin/first","ifName":"eth0","ip":"10.1.0.5","args":"","mask":"255.255.240.0",""",
            File.ReadAllText($"{plugins.Path}/pod/net-info.json"), StringComparison.Ordinal);
    }

    [NetworkFact]
    public void What_rkts_stage1_has_written_is_read()
    {
        File.WriteAllText($"{plugins.Path}/pod/net-info.json", """[{"netName":"default","netConf":"net/99-default.conf","pluginPath":"stage1/rootfs/usr/lib/rkt/plugins/net/ptp","ifName":"eth0","ip":"172.16.28.2","args":"","mask":"255.255.255.0"}]""" + "\n");
        var network = Assert.Single(PodNetworks.Read(plugins.Pod));
        Assert.Equal(("default", "172.16.28.2/24"), (network.Name, Assert.Single(network.Addresses).ToString()));
    }

    [NetworkFact]
    public void A_pod_without_networks_has_none() => Assert.Empty(PodNetworks.Read(plugins.Pod));

    public void Dispose()
    {
        pod.Dispose();
        plugins.Dispose();
    }

    static NetworkAttachment Network() =>
        new(NetworkConfiguration.Parse(Encoding.UTF8.GetBytes("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"first","capabilities":{"portMappings":true}}]}"""), "test"), "eth0");
}
