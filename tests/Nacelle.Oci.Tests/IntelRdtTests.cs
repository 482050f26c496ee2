using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

public sealed class IntelRdtTests
{
    // config-linux.md, "IntelRdt": where no resctrl is mounted, asking for it is an error.
    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"closID":"some"}""")]
    [InlineData("""{"closID":"/"}""")]
    [InlineData("""{"l3CacheSchema":"L3:0=f"}""")]
    [InlineData("""{"enableMonitoring":true}""")]
    public void Without_a_resctrl_file_system_it_is_an_error(string rdt)
    {
        Assert.SkipWhen(File.ReadAllText("/proc/mounts").Contains(" resctrl ", StringComparison.Ordinal), "there is a resctrl here");
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux["intelRdt"] = JsonNode.Parse(rdt);
        machine.Refuses(bundle, "linux.intelRdt");
    }

    // config-linux.md, "IntelRdt": memory bandwidth begins with MB:, nothing has line breaks, and a class is a name or "/".
    [Theory]
    [InlineData("""{"memBwSchema":"0=70"}""", "memBwSchema")]
    [InlineData("""{"memBwSchema":"MB:0=70\nL3:0=f"}""", "memBwSchema")]
    [InlineData("""{"schemata":["L3:0=f\nMB:0=1"]}""", "schemata[0]")]
    [InlineData("""{"closID":"../up"}""", "closID")]
    public void What_is_not_well_formed_is_refused(string rdt, string member)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux["intelRdt"] = JsonNode.Parse(rdt);
        machine.Refuses(bundle, "config.json", $"linux.intelRdt.{member}");
    }
}
