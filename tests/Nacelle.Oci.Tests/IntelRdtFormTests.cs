using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

public sealed class IntelRdtFormTests
{
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
