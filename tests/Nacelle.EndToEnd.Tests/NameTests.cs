namespace Nacelle.EndToEnd.Tests;

/// <summary>What apps know of names: their hosts and resolv.conf; and the IPC namespace that they share.</summary>
public sealed class NameTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void Resolv_conf_is_made_of_flags() => Assert.Equal(
        "domain example.com\nsearch a.example b.example\nnameserver 10.0.0.1\nnameserver fd00::1\noptions ndots:2 rotate\n",
        machine.Shell(
            "cat /etc/resolv.conf", "--dns=10.0.0.1", "--dns=fd00::1", "--dns-search=a.example", "--dns-search=b.example", "--dns-opt=ndots:2", "--dns-opt=rotate", "--dns-domain=example.com").Output);

    [Fact]
    public void Resolv_conf_is_the_hosts_or_the_images_if_that_is_wanted()
    {
        Assert.SkipUnless(File.Exists("/etc/resolv.conf"), "the host has no resolv.conf");
        Assert.Equal(File.ReadAllText("/etc/resolv.conf"), machine.Shell("cat /etc/resolv.conf", "--dns=host").Output);
        Assert.Equal("no\n", machine.Shell("test -e /etc/resolv.conf && echo yes || echo no", "--net=host", "--dns=none").Output);
    }

    [Fact]
    public void Hosts_gets_lines_of_its_own()
    {
        Assert.EndsWith("10.1.2.3\tdb\nfd00::2\tcache\n", machine.Shell("cat /etc/hosts", "--hosts-entry=10.1.2.3=db", "--hosts-entry=fd00::2=cache").Output, StringComparison.Ordinal);
        Assert.StartsWith("127.0.0.1\tlocalhost here\n", machine.Shell("cat /etc/hosts", "--hosts-entry=10.1.2.3=db", "--hostname=here").Output, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText("/etc/hosts") + "10.1.2.3\tdb\n", machine.Shell("cat /etc/hosts", "--hosts-entry=host", "--hosts-entry=10.1.2.3=db").Output);
    }

    [Fact]
    public void Apps_that_come_later_know_the_same()
    {
        var pod = new MutablePod(machine, "--dns=10.0.0.1", "--hosts-entry=10.1.2.3=db");
        pod.AddAndStart("late", "cat /etc/resolv.conf /etc/hosts");
        pod.AwaitState("late", "exited");
        Assert.Contains("nameserver 10.0.0.1\n", machine.Nacelle("logs", pod.Uuid).Output, StringComparison.Ordinal);
        Assert.Contains("10.1.2.3\tdb\n", machine.Nacelle("logs", pod.Uuid).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_hosts_IPC_namespace_and_shared_memory_are_shared_if_that_is_wanted()
    {
        var name = $"nacelle-test-{Environment.ProcessId}";
        var result = machine.Shell($"readlink /proc/self/ns/ipc; echo shared > /dev/shm/{name}", "--ipc=parent");
        Assert.Equal(new FileInfo("/proc/self/ns/ipc").LinkTarget + "\n", result.Output);
        Assert.Equal("shared\n", File.ReadAllText($"/dev/shm/{name}"));
        File.Delete($"/dev/shm/{name}");
        Assert.NotEqual(result.Output, machine.Shell("readlink /proc/self/ns/ipc").Output);
        Assert.Contains("would change the host", machine.Shell("true", "--ipc=parent", "--sysctl=kernel.msgmax=5000").Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--dns=nowhere", "nacelle: --dns=nowhere: 'nowhere' is no address\n")]
    [InlineData("--hosts-entry=10.1.2.3", "nacelle: --hosts-entry=10.1.2.3: write ADDRESS=NAME or host\n")]
    [InlineData("--dns-search=a b", "nacelle: --dns-search=a b: use a single word\n")]
    [InlineData("--ipc=shared", "nacelle: --ipc=shared: use auto, private or parent\n")]
    public void Nonsense_is_refused(string flag, string message)
    {
        Assert.Equal(message, machine.Shell("true", flag).Errors);
        Assert.Empty(machine.Pods());
    }
}
