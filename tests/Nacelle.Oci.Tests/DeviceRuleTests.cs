using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Which devices the container's control group lets it use; shown with /dev/fuse, which is no default device and does no harm when it is opened.</summary>
public sealed class DeviceRuleTests
{
    const string Deny = """{"allow":false,"access":"rwm"}""";

    // config-linux.md, "Allowed Device list": the rules hold, and are applied in their order, so that a later one wins.
    [Theory]
    [InlineData("", "--")]
    [InlineData("""{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}""", "rw")]
    [InlineData("""{"allow":true,"type":"c","major":10,"minor":229,"access":"r"}""", "r-")]
    [InlineData("""{"allow":true,"type":"c","major":10,"access":"rw"}""", "rw")]
    [InlineData("""{"allow":true,"type":"c","access":"rw"}""", "rw")]
    [InlineData("""{"allow":true,"type":"b","major":10,"minor":229,"access":"rw"}""", "--")]
    [InlineData("""{"allow":true,"type":"c","major":10,"minor":228,"access":"rw"}""", "--")]
    [InlineData("""{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"},{"allow":false,"type":"c","major":10,"minor":229,"access":"w"}""", "r-")]
    [InlineData("""{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"},{"allow":false,"access":"rwm"}""", "--")]
    public void Rules_are_applied_in_their_order(string rules, string access)
    {
        Assert.SkipUnless(File.Exists("/dev/fuse"), "the kernel has no /dev/fuse");
        using var machine = new OciMachine();
        var bundle = machine.Shell("r=-; w=-; (: < /dev/fuse) 2>/dev/null && r=r; (: >> /dev/fuse) 2>/dev/null && w=w; echo $r$w; : > /dev/null && echo and null");
        bundle.Linux["devices"] = JsonNode.Parse("""[{"type":"c","path":"/dev/fuse","major":10,"minor":229,"fileMode":438}]""");
        bundle.Resources["devices"] = JsonNode.Parse($"[{Deny}{(rules.Length > 0 ? "," : "")}{rules}]");
        Assert.Equal($"{access}\nand null", machine.OutputOf(bundle));
    }

    // config-linux.md, "Allowed Device list", type, major and minor: what is not set stands for all, as for a privileged container.
    [Theory]
    [InlineData("""[{"allow":true}]""")]
    [InlineData("""[{"allow":true,"access":"rwm"}]""")]
    [InlineData("""[{"allow":true,"type":"a","access":"rwm"}]""")]
    [InlineData("""[{"allow":false,"access":"rwm"},{"allow":true,"type":"a","access":"rwm"}]""")]
    public void A_rule_for_everything_allows_everything(string rules)
    {
        Assert.SkipUnless(File.Exists("/dev/fuse"), "the kernel has no /dev/fuse");
        using var machine = new OciMachine();
        var bundle = machine.Shell(": < /dev/fuse && : >> /dev/fuse && : > /dev/null && echo all");
        bundle.Linux["devices"] = JsonNode.Parse("""[{"type":"c","path":"/dev/fuse","major":10,"minor":229,"fileMode":438}]""");
        bundle.Resources["devices"] = JsonNode.Parse(rules);
        Assert.Equal("all", machine.OutputOf(bundle));
    }

    // config-linux.md, "Allowed Device list": allow is required, and the letters of type and access are those that there are.
    [Theory]
    [InlineData("""{"access":"r"}""", "allow")]
    [InlineData("""{"allow":true,"type":"x"}""", "type")]
    [InlineData("""{"allow":true,"access":"rx"}""", "access")]
    public void A_rule_that_is_not_well_formed_is_refused(string rule, string member)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Resources["devices"] = JsonNode.Parse($"[{Deny},{rule}]");
        machine.Refuses(bundle, "config.json", $"linux.resources.devices[1].{member}");
    }
}
