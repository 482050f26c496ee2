namespace Nacelle.Specs.Tests;

public sealed class RuntimeSysctlTests
{
    [Theory]
    [InlineData("net.ipv4.ip_forward", "net/ipv4/ip_forward")]
    [InlineData("net/ipv4/ip_forward", "net/ipv4/ip_forward")]
    [InlineData("net.ipv4.conf.eth0/1.mtu", "net/ipv4/conf/eth0.1/mtu")]
    [InlineData("net/ipv4/conf/eth0.1/mtu", "net/ipv4/conf/eth0.1/mtu")]
    [InlineData("single", "single")]
    public void Either_separator_parts_a_name(string name, string path) => Assert.Equal(path, RuntimeSysctl.PathOf(name));

    [Theory]
    [InlineData("")]
    [InlineData("net..ipv4")]
    [InlineData("net/../kernel/core_pattern")]
    [InlineData("net./.kernel")]
    [InlineData("net.//.kernel.core_pattern")]
    [InlineData("/net/a")]
    [InlineData("net/a/")]
    [InlineData("net/./a")]
    [InlineData("net.a\0")]
    public void What_would_lead_elsewhere_is_no_name(string name) => Assert.Null(RuntimeSysctl.PathOf(name));

    [Theory]
    [InlineData("kernel.shm_rmid_forced", "ipc", "an ipc")]
    [InlineData("kernel.msgmax", "ipc", "an ipc")]
    [InlineData("fs.mqueue.msg_max", "ipc", "an ipc")]
    [InlineData("net/ipv4/ip_forward", "network", "a network")]
    [InlineData("kernel.domainname", "uts", "a uts")]
    [InlineData("user.max_net_namespaces", "user", "a user")]
    public void A_parameter_of_a_namespace_needs_that_namespace(string name, string type, string article)
    {
        string Config(string namespaces) => $$"""{"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"namespaces":[{{namespaces}}],"sysctl":{"{{name}}":"1"} } }""";
        Assert.Null(WholeConfig.Complaint(Config($$"""{"type":"{{type}}"}""")));
        Assert.Null(WholeConfig.Complaint(Config($$"""{"type":"{{type}}","path":"/proc/1/ns/x"}""")));
        Assert.Equal($"linux.sysctl.{name}: would change the host: give the container {article} namespace", WholeConfig.Complaint(Config("""{"type":"pid"}""")));
    }

    [Theory]
    [InlineData("kernel.core_pattern")]
    [InlineData("kernel.msgmax.x")]
    [InlineData("vm.swappiness")]
    [InlineData("fs.mqueue")]
    [InlineData("netfilter.a")]
    public void A_parameter_of_the_machine_is_refused(string name) =>
        Assert.Equal($"linux.sysctl.{name}: would change the host: no namespace has it for itself", WholeConfig.Complaint(WholeConfig.With("linux.sysctl", $$"""{"{{name}}":"1"}""")));

    [Theory]
    [InlineData("""{"net.//.kernel":"1"}""", "linux.sysctl: 'net.//.kernel' is not a parameter's name such as net.ipv4.ip_forward")]
    [InlineData("""{"kernel.hostname":"a"}""", "linux.sysctl.kernel.hostname: is said twice: hostname stands for it")]
    [InlineData("""{"kernel.domainname":"a"}""", "linux.sysctl.kernel.domainname: is said twice: domainname stands for it")]
    [InlineData("""{"net.a":"\u0000"}""", "linux.sysctl.net.a: holds a NUL, where the kernel would cut it off")]
    public void A_broken_rule_is_named_with_its_path(string parameters, string complaint) =>
        Assert.Equal(complaint, WholeConfig.Complaint(WholeConfig.With("linux.sysctl", parameters)));
}
