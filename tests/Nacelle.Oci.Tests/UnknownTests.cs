using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

public sealed class UnknownTests
{
    // config.md, "Extensibility": members that the specification does not have are passed over, at every place.
    [Fact]
    public void Unknown_members_are_ignored_everywhere()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/echo", "runs");
        bundle.Linux["devices"] = JsonNode.Parse("""[{"type":"c","path":"/dev/fuse","major":10,"minor":229}]""");
        bundle.Resources["pids"] = JsonNode.Parse("""{"limit":100}""");
        bundle.Process["rlimits"] = JsonNode.Parse("""[{"type":"RLIMIT_CORE","soft":0,"hard":0}]""");
        bundle.AddHook("createRuntime", "exit 0");
        int places = AddEverywhere(bundle.Config);
        Assert.True(places > 20, $"{places} objects");
        Assert.Equal("runs", machine.OutputOf(bundle));
    }

    // config.md, "Annotations": unknown keys are taken like other unknown members, and the values are handed on.
    [Fact]
    public void Unknown_annotations_are_ignored()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/echo", "runs");
        bundle.Config["annotations"] = JsonNode.Parse("""{"org.opencontainers.image.stopSignal":"SIGTERM","org.opencontainers.unknown":"x","run.oci.unknown":"1"}""");
        Assert.Equal("runs", machine.OutputOf(bundle));
    }

    // config.md, "Annotations": a map of strings by strings that are not empty.
    [Theory]
    [InlineData("""{"":"x"}""")]
    [InlineData("""{"a":1}""")]
    [InlineData("""{"a":{"b":"c"}}""")]
    [InlineData("""["a"]""")]
    [InlineData("\"a\"")]
    public void Annotations_that_are_no_map_of_words_are_refused(string annotations)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Config["annotations"] = JsonNode.Parse(annotations);
        machine.Refuses(bundle, "config.json", "annotations");
    }

    // config.md, "Platform-specific configuration": sections for other platforms have no effect here.
    [Fact]
    public void Sections_of_other_platforms_are_ignored()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/echo", "runs");
        foreach (var platform in (string[])["windows", "solaris", "freebsd", "vm", "zos"])
        {
            bundle.Config[platform] = JsonNode.Parse("""{"some":["thing"]}""");
        }

        Assert.Equal("runs", machine.OutputOf(bundle));
    }

    /// <summary>Gives every object that is a structure, and no map, a member more.</summary>
    static int AddEverywhere(JsonNode node)
    {
        switch (node)
        {
            case JsonArray list:
                return list.Where(one => one is not null).Sum(one => AddEverywhere(one!));
            case JsonObject structure:
                int below = structure.Where(member => member.Value is not null).ToList().Sum(member => AddEverywhere(member.Value!));
                structure["org.example.unknown"] = JsonNode.Parse("""{"deep":[1,null,{"x":true}]}""");
                return below + 1;
            default:
                return 0;
        }
    }
}
