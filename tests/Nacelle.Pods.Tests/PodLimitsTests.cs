using System.Text.Json;
using Nacelle.Specs;

namespace Nacelle.Pods.Tests;

public sealed class PodLimitsTests
{
    static PodLimits Read(string name, string value) =>
        PodLimits.Read(new PodManifest { Apps = [], Isolators = [new Isolator(name, JsonDocument.Parse(value).RootElement)] });

    [Fact]
    public void Resources_parameters_and_a_label_are_a_pods()
    {
        Assert.Equal(1_000_000, Read("resource/memory", """{"limit":"1M"}""").Resources.Memory);
        Assert.Equal("1", Read("os/unix/sysctl", """{"net.ipv4.ip_forward":"1"}""").Parameters["net.ipv4.ip_forward"]);
        Assert.Equal("u:r:t:s0", Read("os/linux/selinux-context", """{"user":"u","role":"r","type":"t","level":"s0"}""").SelinuxLabel);
    }

    [Theory]
    [InlineData("os/linux/capabilities-retain-set", """{"set":["CAP_KILL"]}""", "isolators[0].value: the isolator os/linux/capabilities-retain-set cannot be enforced here; remove it to run without it")]
    [InlineData("os/unix/sysctl", """{"vm.swappiness":"1"}""", "isolators[0].value: vm.swappiness would change the host: no namespace of a pod has it for itself")]
    [InlineData("os/unix/sysctl", """{"net..":"1"}""", "isolators[0].value: 'net..' is not a parameter's name such as net.ipv4.ip_forward")]
    [InlineData("os/unix/sysctl", """{"net.core.somaxconn":1}""", "isolators[0].value: is not what the isolator os/unix/sysctl takes: {\"net.core.somaxconn\":1}")]
    [InlineData("os/unix/sysctl", "[]", "isolators[0].value: is not what the isolator os/unix/sysctl takes: []")]
    public void What_a_pod_cannot_have_is_refused_by_name(string name, string value, string message) =>
        Assert.Equal(message, Assert.Throws<SpecException>(() => Read(name, value)).Message);

    [Fact]
    public void The_hosts_namespaces_are_not_changed()
    {
        Assert.Throws<PodException>(() => Read("os/unix/sysctl", """{"net.core.somaxconn":"1"}""").RequireOwn(network: false, ipc: true));
        Assert.Throws<PodException>(() => Read("os/unix/sysctl", """{"kernel.msgmax":"1"}""").RequireOwn(network: true, ipc: false));
        Read("os/unix/sysctl", """{"kernel.msgmax":"1"}""").RequireOwn(network: false, ipc: true);
    }
}
