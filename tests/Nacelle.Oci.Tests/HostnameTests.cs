namespace Nacelle.Oci.Tests;

public sealed class HostnameTests
{
    // config.md, "Hostname": the container sees this name, and the host keeps its own.
    [Theory]
    [InlineData("box")]
    [InlineData("name-of-64-letters-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void The_container_has_the_host_name_that_is_given(string name)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/sys/kernel/hostname");
        bundle.Config["hostname"] = name;
        var before = File.ReadAllText("/proc/sys/kernel/hostname");
        Assert.Equal(name, machine.OutputOf(bundle));
        Assert.Equal(before, File.ReadAllText("/proc/sys/kernel/hostname"));
    }

    // config.md, "Domainname": the same for the domain's name.
    [Fact]
    public void The_container_has_the_domain_name_that_is_given()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/sys/kernel/domainname");
        bundle.Config["domainname"] = "example.test";
        var before = File.ReadAllText("/proc/sys/kernel/domainname");
        Assert.Equal("example.test", machine.OutputOf(bundle));
        Assert.Equal(before, File.ReadAllText("/proc/sys/kernel/domainname"));
    }

    // config.md, "Hostname": without one, the new namespace begins with the host's.
    [Fact]
    public void Without_a_host_name_it_is_the_hosts()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/sys/kernel/hostname");
        bundle.Config.Remove("hostname");
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/hostname").TrimEnd(), machine.OutputOf(bundle));
    }

    // config.md, "Hostname" and "Domainname"; runtime.md, "Create": a name that cannot be given, or would be the host's, is refused.
    [Theory]
    [InlineData("hostname", "", true)]
    [InlineData("domainname", "", true)]
    [InlineData("hostname", "name-of-65-letters-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    [InlineData("domainname", "name-of-65-letters-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void A_name_that_cannot_be_given_is_refused(string member, string name, bool withoutNamespace)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Config.Remove("hostname");
        bundle.Config[member] = name.Length > 0 ? name : "name";
        if (withoutNamespace)
        {
            bundle.RemoveNamespace("uts");
        }

        machine.Refuses(bundle, "config.json", member);
    }
}
