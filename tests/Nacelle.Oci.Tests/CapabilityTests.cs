using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>The five sets of capabilities of the process.</summary>
public sealed class CapabilityTests
{
    const ulong Kill = 1ul << 5, NetBindService = 1ul << 10, NetRaw = 1ul << 13, SysChroot = 1ul << 18;

    // config.md, "Linux Process", capabilities: the sets of the process that waits for its start are those that were given, each by itself.
    [Fact]
    public void Each_set_is_as_it_was_given()
    {
        using var machine = new OciMachine();
        var id = machine.Create(machine.NewBundle("/bin/sleep", "1000").With(bundle => bundle.Process["capabilities"] = new JsonObject
        {
            ["bounding"] = Expectations.List("CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SYS_CHROOT"),
            ["permitted"] = Expectations.List("CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW"),
            ["effective"] = Expectations.List("CAP_KILL"),
            ["inheritable"] = Expectations.List("CAP_NET_BIND_SERVICE", "CAP_NET_RAW"),
            ["ambient"] = Expectations.List("CAP_NET_RAW"),
        }));
        var status = File.ReadAllText($"/proc/{machine.Pid(id)}/status");
        Assert.Equal(Kill | NetBindService | NetRaw | SysChroot, Set(status, "CapBnd"));
        Assert.Equal(Kill | NetBindService | NetRaw, Set(status, "CapPrm"));
        Assert.Equal(Kill, Set(status, "CapEff"));
        Assert.Equal(NetBindService | NetRaw, Set(status, "CapInh"));
        Assert.Equal(NetRaw, Set(status, "CapAmb"));
    }

    // config.md, "Linux Process", capabilities: root's program has what the bounding set leaves, as execve(2) makes of it.
    [Fact]
    public void Roots_program_has_what_the_bounding_set_leaves()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/status");
        bundle.Process["capabilities"] = new JsonObject
        {
            ["bounding"] = Expectations.List("CAP_KILL", "CAP_NET_RAW"),
            ["permitted"] = Expectations.List("CAP_KILL", "CAP_NET_RAW"),
            ["effective"] = Expectations.List("CAP_KILL", "CAP_NET_RAW"),
        };
        var status = machine.OutputOf(bundle);
        Assert.Equal([Kill | NetRaw, Kill | NetRaw, Kill | NetRaw, 0, 0], ((string[])["CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb"]).Select(name => Set(status, name)));
    }

    // config.md, "Linux Process", capabilities, ambient: another user's program keeps these, and only these.
    [Fact]
    public void Another_users_program_has_the_ambient_capabilities()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/status");
        bundle.Process["user"] = JsonNode.Parse("""{"uid":1000,"gid":1000}""");
        bundle.Process["capabilities"] = new JsonObject
        {
            ["bounding"] = Expectations.List("CAP_KILL", "CAP_NET_RAW"),
            ["permitted"] = Expectations.List("CAP_KILL", "CAP_NET_RAW"),
            ["effective"] = Expectations.List("CAP_KILL", "CAP_NET_RAW"),
            ["inheritable"] = Expectations.List("CAP_NET_RAW"),
            ["ambient"] = Expectations.List("CAP_NET_RAW"),
        };
        var status = machine.OutputOf(bundle);
        Assert.Equal([Kill | NetRaw, NetRaw, NetRaw, NetRaw, NetRaw], ((string[])["CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb"]).Select(name => Set(status, name)));
    }

    // config.md, "Linux Process", capabilities: empty sets leave nothing.
    [Fact]
    public void Empty_sets_leave_no_capability()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/status");
        bundle.Process["capabilities"] = new JsonObject();
        var status = machine.OutputOf(bundle);
        Assert.All((string[])["CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb"], name => Assert.Equal(0ul, Set(status, name)));
    }

    // config.md, "Linux Process", capabilities: what the kernel does not know, or does not grant, is a warning in the log, and the container runs.
    [Theory]
    [InlineData("CAP_NO_SUCH", 0)]
    [InlineData("CAP_SYS_RESOURCE", 24)]
    public void A_capability_that_cannot_be_granted_is_a_warning(string name, int number)
    {
        var own = Convert.ToUInt64(Expectations.StatusOf(File.ReadAllText("/proc/self/status"), "CapBnd"), 16);
        Assert.SkipWhen(number > 0 && (own & (1ul << number)) != 0, $"{name} can be granted here");
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/status");
        foreach (var set in (string[])["bounding", "permitted", "effective", "inheritable", "ambient"])
        {
            bundle.Process["capabilities"]![set] = Expectations.List("CAP_KILL", name);
        }

        var log = $"{machine.Path}/log";
        var run = machine.Oci($"--log={log}", "--log-format=json", "run", $"--bundle={bundle.Write().Path}", OciMachine.NewId());
        Expectations.Succeeds(run);
        Assert.Equal("0000000000000020", Expectations.StatusOf(run.Output, "CapEff"));
        var lines = File.ReadAllLines(log).Select(line => JsonNode.Parse(line)!);
        Assert.Contains(lines, line => (string?)line["level"] == "warning" && ((string?)line["msg"])!.Contains(name, StringComparison.Ordinal));
    }

    static ulong Set(string status, string name) => Convert.ToUInt64(Expectations.StatusOf(status, name), 16);
}
