using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

public sealed class SysctlTests
{
    // config-linux.md, "Sysctl": a parameter has the value that is given, for this container alone; slashes for dots are taken as sysctl(8) does.
    [Theory]
    [InlineData("net.ipv4.ip_forward", "1", "net/ipv4/ip_forward", "network")]
    [InlineData("net.core.somaxconn", "256", "net/core/somaxconn", "network")]
    [InlineData("net/ipv4/conf/lo/forwarding", "1", "net/ipv4/conf/lo/forwarding", "network")]
    [InlineData("kernel.shmmax", "123456", "kernel/shmmax", "ipc")]
    [InlineData("kernel.msgmni", "77", "kernel/msgmni", "ipc")]
    [InlineData("fs.mqueue.msg_max", "20", "fs/mqueue/msg_max", "ipc")]
    [InlineData("kernel.domainname", "by-sysctl", "kernel/domainname", "uts")]
    public void A_parameter_has_the_value_that_is_given(string name, string value, string path, string type)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", $"/proc/sys/{path}");
        bundle.SetNamespace(type);
        bundle.Linux["sysctl"] = new JsonObject { [name] = value };
        var before = File.ReadAllText($"/proc/sys/{path}");
        Assert.Equal(value, machine.OutputOf(bundle));
        Assert.Equal(before, File.ReadAllText($"/proc/sys/{path}"));
    }

    // runtime.md, "Create": a parameter that there is not, or a value that it does not take, makes no container.
    [Theory]
    [InlineData("net.nosuch", "1")]
    [InlineData("net.ipv4.ip_forward", "many")]
    public void A_parameter_that_cannot_be_set_is_an_error(string name, string value)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux["sysctl"] = new JsonObject { [name] = value };
        machine.Refuses(bundle, name);
    }

    // config-linux.md, "Sysctl": parameters are changed for the container; what is the host's is refused.
    [Theory]
    [InlineData("kernel.panic", "mount")]
    [InlineData("vm.swappiness", "mount")]
    [InlineData("net.core.somaxconn", "network")]
    [InlineData("kernel.shmmax", "ipc")]
    [InlineData("../../etc/passwd", "mount")]
    public void A_parameter_of_the_host_is_refused(string name, string missing)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        if (missing != "mount")
        {
            bundle.RemoveNamespace(missing);
        }

        bundle.Linux["sysctl"] = new JsonObject { [name] = "1" };
        machine.Refuses(bundle, "config.json", "linux.sysctl", name);
    }
}
