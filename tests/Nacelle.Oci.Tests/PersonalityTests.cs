using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Execution domain, and policy for memory nodes.</summary>
public sealed class PersonalityTests
{
    // config-linux.md, "Personality", domain: LINUX32 shows a 32-bit processor, LINUX the real one.
    [Theory]
    [InlineData("LINUX", "x86_64")]
    [InlineData("LINUX32", "i686")]
    public void The_machine_is_shown_as_the_domain_says(string domain, string shown)
    {
        Assert.SkipUnless(System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.X64, "the names are those of x86-64");
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/busybox", "uname", "-m");
        bundle.Linux["personality"] = new JsonObject { ["domain"] = domain };
        Assert.Equal(shown, machine.OutputOf(bundle));
    }

    // config-linux.md, "Personality": domain is required, and of a list; flags there are none.
    [Theory]
    [InlineData("""{}""", "domain")]
    [InlineData("""{"domain":"LINUX64"}""", "domain")]
    [InlineData("""{"domain":"LINUX","flags":["ADDR_NO_RANDOMIZE"]}""", "flags")]
    public void A_personality_that_there_is_not_is_refused(string personality, string member)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux["personality"] = JsonNode.Parse(personality);
        machine.Refuses(bundle, "config.json", $"linux.personality.{member}");
    }

    // config-linux.md, "Memory policy": the program's memory has the mode, nodes and flags that are given; numa(7).
    [Theory]
    [InlineData("""{"mode":"MPOL_DEFAULT"}""", "default")]
    [InlineData("""{"mode":"MPOL_BIND","nodes":"0"}""", "bind:0")]
    [InlineData("""{"mode":"MPOL_INTERLEAVE","nodes":"0"}""", "interleave:0")]
    [InlineData("""{"mode":"MPOL_PREFERRED","nodes":"0"}""", "prefer:0")]
    [InlineData("""{"mode":"MPOL_PREFERRED_MANY","nodes":"0"}""", "prefer (many):0")]
    [InlineData("""{"mode":"MPOL_WEIGHTED_INTERLEAVE","nodes":"0"}""", "weighted interleave:0")]
    [InlineData("""{"mode":"MPOL_LOCAL"}""", "local")]
    [InlineData("""{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES"]}""", "bind=static:0")]
    [InlineData("""{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_RELATIVE_NODES"]}""", "bind=relative:0")]
    [InlineData("""{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_NUMA_BALANCING"]}""", "bind")]
    public void Memory_is_taken_by_the_policy_that_is_given(string policy, string shown)
    {
        Assert.SkipUnless(File.Exists("/proc/self/numa_maps"), "the kernel has no memory policies");
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/head", "-n", "1", "/proc/self/numa_maps");
        bundle.Linux["memoryPolicy"] = JsonNode.Parse(policy);
        Assert.Contains($" {shown}", machine.OutputOf(bundle), StringComparison.Ordinal);
    }

    // config-linux.md, "Memory policy": mode is required, mode and flags are of a list, and nodes are numbers.
    [Theory]
    [InlineData("""{}""", "mode")]
    [InlineData("""{"mode":"MPOL_NOSUCH"}""", "mode")]
    [InlineData("""{"mode":"MPOL_BIND"}""", "nodes")]
    [InlineData("""{"mode":"MPOL_BIND","nodes":"x"}""", "nodes")]
    [InlineData("""{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_NOSUCH"]}""", "flags")]
    public void A_memory_policy_that_there_is_not_is_refused(string policy, string member)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux["memoryPolicy"] = JsonNode.Parse(policy);
        machine.Refuses(bundle, "config.json", $"linux.memoryPolicy.{member}");
    }
}
