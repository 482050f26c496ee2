using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>A user without privileges, with what <c>spec --rootless</c> writes.</summary>
public sealed class RootlessTests : IDisposable
{
    const string User = "65534";

    readonly OciMachine machine = new();
    readonly string home, program;
    readonly Bundle bundle;

    public RootlessTests()
    {
        var allowed = AsUser("/usr/bin/unshare", "--user", "--pid", "--fork", "/bin/true");
        Assert.SkipUnless(allowed.ExitCode == 0, "this machine does not let users make user namespaces");
        home = Directory.CreateDirectory($"{machine.Path}/home").FullName;
        program = $"{machine.Path}/nacelle-oci"; // where everybody may reach it
        File.Copy(OciMachine.Program, program);
        bundle = new Bundle($"{home}/bundle");
        OciMachine.Run("/bin/chown", "-hR", $"{User}:{User}", home);
        var written = Oci("spec", "--rootless", $"--bundle={bundle.Path}");
        Assert.True(written.ExitCode == 0, written.ToString());
    }

    public void Dispose() => machine.Dispose();

    static Result AsUser(params string[] command) => OciMachine.Run("/usr/bin/setpriv", [$"--reuid={User}", $"--regid={User}", "--clear-groups", .. command]);

    Result Oci(params string[] arguments) => AsUser(["/usr/bin/env", $"XDG_RUNTIME_DIR={home}", program, .. arguments]);

    void Command(params string[] command)
    {
        var config = JsonNode.Parse(File.ReadAllText($"{bundle.Path}/config.json"))!;
        config["process"]!["terminal"] = false;
        config["process"]!["args"] = new JsonArray([.. command.Select(word => (JsonNode)word)]);
        File.WriteAllText($"{bundle.Path}/config.json", config.ToJsonString());
    }

    [Fact]
    public void A_container_runs_as_its_own_root()
    {
        Command("/bin/sh", "-c", "id -u; cat /proc/self/uid_map; ls -d /proc/[0-9]* | head -n 1; touch /tmp/x 2>/dev/null; exit 7");
        var result = Oci("run", $"--bundle={bundle.Path}", OciMachine.NewId());
        Assert.True(result.ExitCode == 7, result.ToString());
        Assert.Equal(["0", "0", User, "1", "/proc/1"], result.Output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void A_container_is_created_started_entered_killed_and_deleted()
    {
        Command("/bin/sleep", "1000");
        var id = OciMachine.NewId();
        var created = machine.Background("/usr/bin/setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups", "/usr/bin/env", $"XDG_RUNTIME_DIR={home}", program, "create", $"--bundle={bundle.Path}", id);
        Assert.True(created.ExitCode == 0, created.ToString());
        Assert.Equal("created", Status(id));
        Assert.Equal(0, Oci("start", id).ExitCode);
        Assert.Equal("running", Status(id));
        var joined = Oci("exec", id, "/bin/sh", "-c", "id -u; cat /proc/1/comm; exit 5");
        Assert.True(joined is { ExitCode: 5, Output: "0\nsleep\n" }, joined.ToString());
        Assert.Equal(0, Oci("kill", id, "KILL").ExitCode);
        OciMachine.Eventually(() => Status(id) == "stopped", "the container stops");
        var deleted = Oci("delete", id);
        Assert.True(deleted.ExitCode == 0, deleted.ToString());
        Assert.Equal("", Oci("list", "--quiet").Output);
        Assert.Empty(OciMachine.ProcessesOf(bundle.Path));
    }

    string Status(string id) => (string)JsonNode.Parse(Oci("state", id).Output)!["status"]!;
}
