namespace Nacelle.EndToEnd.Tests;

/// <summary>Ports of the machine that lead into pods.</summary>
public sealed class PortTests : IDisposable
{
    readonly NetworkMachine machine = new();

    public void Dispose() => machine.Dispose();

    string Web(params string[] flags)
    {
        var uuid = machine.Start(NetworkMachine.Serve("pod", 80), flags);
        Machine.Eventually(() => machine.InHost(NetworkMachine.Ask($"{machine.AddressOf(uuid)}:80")).ExitCode == 0, "the pod's server answers");
        return uuid;
    }

    [Fact]
    public void A_port_is_reached_from_outside_from_the_machine_and_from_the_pod_itself()
    {
        var uuid = Web("--port=web:tcp:80::8080");
        Assert.Equal($"pod saw {NetworkMachine.World}\n", Plain(machine.InWorld(NetworkMachine.Ask($"{NetworkMachine.Outside}:8080"))));
        Assert.Equal($"pod saw {NetworkMachine.WorldSix}\n", Plain(machine.InWorld(NetworkMachine.Ask($"[{NetworkMachine.OutsideSix}]:8080"))));
        foreach (var address in (string[])[NetworkMachine.Outside, "127.0.0.1", $"[{NetworkMachine.OutsideSix}]"])
        {
            Assert.StartsWith("pod saw ", machine.InHost(NetworkMachine.Ask($"{address}:8080")).Output);
        }

        Assert.StartsWith("pod saw ", machine.Nacelle("enter", uuid, "/bin/sh", "-c", NetworkMachine.Ask($"{NetworkMachine.Outside}:8080")).Output);
        Assert.StartsWith("pod saw ", machine.Shell(NetworkMachine.Ask($"{NetworkMachine.Outside}:8080")).Output);
    }

    /// <summary>Without the form of IPv4 in IPv6, and without brackets.</summary>
    static string Plain(Result result) => result.Output.Replace("::ffff:", "", StringComparison.Ordinal).Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);

    [Fact]
    public void A_port_of_one_address_is_forwarded_for_that_alone()
    {
        Web("--port=web:tcp:80:127.0.0.1:8080");
        Assert.Equal(0, machine.InHost(NetworkMachine.Ask("127.0.0.1:8080")).ExitCode);
        Assert.NotEqual(0, machine.InWorld(NetworkMachine.Ask($"{NetworkMachine.Outside}:8080")).ExitCode);
    }

    [Fact]
    public void Ports_are_named_by_the_apps_of_a_manifest()
    {
        Assert.Equal(254, machine.Shell("true", "--port=web:8080").ExitCode);
        var file = $"{machine.Path}/pod.json";
        var app = $$"""{"exec":["/bin/sh","-c","{{System.Text.Json.JsonEncodedText.Encode(NetworkMachine.Serve("pod", 80))}}"],"user":"0","group":"0","ports":[{"name":"web","protocol":"tcp","port":80}]}""";
        var id = machine.Nacelle("fetch", "--full", TestImages.Busybox).Output.Trim();
        File.WriteAllText(file, $$"""{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"web","image":{"id":"{{id}}"},"app":{{app}}}],"ports":[{"name":"web","hostPort":8080}]}""");
        var started = machine.Nacelle("run", "--detach", $"--pod-manifest={file}");
        Assert.True(started.ExitCode == 0, started.ToString());
        Machine.Eventually(() => machine.InWorld(NetworkMachine.Ask($"{NetworkMachine.Outside}:8080")).ExitCode == 0, "the port leads to the app");
    }

    [Fact]
    public void A_port_that_is_taken_names_its_holder_until_that_one_ends()
    {
        var uuid = Web("--port=web:tcp:80::8080");
        var second = machine.Shell("true", "--port=other:tcp:81:127.0.0.1:8080");
        Assert.Equal(254, second.ExitCode);
        Assert.Contains("8080", second.Errors);
        Assert.Contains(uuid, second.Errors);
        Assert.Single(second.Errors.TrimEnd().Split('\n'));
        machine.Nacelle("stop", uuid);
        Machine.Eventually(() => machine.Leftovers().Length == 0, "the pod's network is taken down with it");
        Assert.Equal(0, machine.Shell("true", "--port=other:tcp:81:127.0.0.1:8080").ExitCode);
    }

    [Theory]
    [InlineData("web", "--port=web: write NAME:[ADDRESS:]PORT")]
    [InlineData("web:0", "'0' is not a port")]
    [InlineData("web:70000", "'70000' is not a port")]
    [InlineData("web:here:80", "'here' is no address")]
    [InlineData("web:icmp:80::8080", "'icmp' is not tcp, udp or sctp")]
    [InlineData("web:8080", "no app of the pod has a port 'web'")]
    public void Bad_ports_are_refused_before_there_is_a_pod(string port, string message)
    {
        var result = machine.Shell("true", $"--port={port}");
        Assert.Equal(254, result.ExitCode);
        Assert.Contains(message, result.Errors);
        Assert.DoesNotContain("busybox", machine.Nacelle("list").Output);
    }

    [Fact]
    public void A_pod_without_networks_has_no_ports_and_one_on_the_hosts_needs_none()
    {
        Assert.Contains("it has no network", machine.Shell("true", "--net=none", "--port=web:tcp:80::8080").Errors);
        var shared = machine.Shell("true", "--net=host", "--port=web:tcp:80::8080");
        Assert.Equal(0, shared.ExitCode);
        Assert.Contains("none is forwarded", shared.Errors);
    }
}
