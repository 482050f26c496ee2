using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>What becomes of a container whose hook fails.</summary>
public sealed class HookFailureTests
{
    // runtime.md, "Lifecycle", steps 3 to 5: an error, the container is stopped and destroyed, and later hooks do not run.
    [Theory]
    [InlineData("prestart", "exit 3", "code 3")]
    [InlineData("createRuntime", "exit 4", "code 4")]
    [InlineData("createContainer", "exit 5", "code 5")]
    [InlineData("createRuntime", "kill -9 $$", "signal")]
    public void A_hook_of_creation_that_fails_leaves_no_container(string kind, string script, string how)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.AddHook(kind, script);
        bundle.AddHook(kind, $"touch {machine.Path}/later");
        machine.Refuses(bundle, $"{kind}[0]", how);
        Assert.False(File.Exists($"{machine.Path}/later"), "a hook behind the one that failed has run");
    }

    // runtime.md, "Lifecycle", step 7: an error, the program is not run, and the container ends.
    [Fact]
    public void A_startContainer_hook_that_fails_ends_the_container_before_its_program()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("touch /data/ran; exec sleep 1000");
        var shared = machine.Share(bundle);
        bundle.AddHook("startContainer", "exit 6");
        var id = machine.Create(bundle.Write());
        int pid = machine.Pid(id);
        Expectations.Fails(machine.Oci("start", id), "startContainer[0]", "code 6");
        OciMachine.Eventually(() => Linux.Processes.TryStatus(pid) is null or { HasEnded: true }, "the container's process ends");
        Assert.False(File.Exists($"{shared}/ran"), "the program has run");
    }

    // runtime.md, "Lifecycle", step 9: an error, and the container ends.
    [Fact]
    public void A_poststart_hook_that_fails_ends_the_container()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.AddHook("poststart", "exit 7");
        var id = machine.Create(bundle.Write());
        int pid = machine.Pid(id);
        Expectations.Fails(machine.Oci("start", id), "poststart[0]", "code 7");
        OciMachine.Eventually(() => Linux.Processes.TryStatus(pid) is null or { HasEnded: true }, "the container's process ends");
    }

    // runtime.md, "Lifecycle", steps 3 to 5 and 13: after the failure of creation comes the destruction, and then poststop.
    [Theory]
    [InlineData("prestart")]
    [InlineData("createRuntime")]
    [InlineData("createContainer")]
    public void Poststop_hooks_run_when_a_hook_of_creation_has_failed(string kind)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.AddHook(kind, "exit 1");
        bundle.AddHook("poststop", $"touch {machine.Path}/poststop");
        machine.Refuses(bundle, $"{kind}[0]");
        Assert.True(File.Exists($"{machine.Path}/poststop"), "poststop has not run");
    }

    // runtime.md, "Lifecycle", steps 7, 9, 12 and 13: the container is then destroyed without a delete, and poststop runs.
    [Theory]
    [InlineData("startContainer")]
    [InlineData("poststart")]
    public void A_hook_of_start_that_fails_destroys_the_container(string kind)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.AddHook(kind, "exit 1");
        bundle.AddHook("poststop", $"touch {machine.Path}/poststop");
        var id = machine.Create(bundle.Write());
        Expectations.Fails(machine.Oci("start", id), $"{kind}[0]");
        machine.HasNothingOf(id);
        Assert.True(File.Exists($"{machine.Path}/poststop"), "poststop has not run");
    }

    // runtime.md, "Lifecycle", step 13, and "Warnings": a warning, and everything goes on as if the hook had succeeded.
    [Fact]
    public void A_poststop_hook_that_fails_is_a_warning_only()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.AddHook("poststop", "exit 8");
        bundle.AddHook("poststop", $"touch {machine.Path}/later");
        var id = machine.Start(bundle.Write());
        machine.WaitUntilStopped(id);
        var log = $"{machine.Path}/log";
        Expectations.Succeeds(machine.Oci($"--log={log}", "--log-format=json", "delete", id));
        var line = JsonNode.Parse(Assert.Single(File.ReadAllLines(log)))!;
        Assert.Equal("warning", (string?)line["level"]);
        Assert.Contains("poststop[0]", (string?)line["msg"], StringComparison.Ordinal);
        Assert.Contains("code 8", (string?)line["msg"], StringComparison.Ordinal);
        Assert.True(File.Exists($"{machine.Path}/later"), "the hook behind it has not run");
        machine.HasNothingOf(id);
    }

    // config.md, "POSIX-platform Hooks", timeout: a hook is aborted after so many seconds, which is a failure.
    [Fact]
    public void A_hook_that_takes_too_long_is_aborted()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.AddHook("createRuntime", "echo $$ > " + machine.Path + "/pid; exec sleep 1000", timeout: 1);
        var watch = Stopwatch.StartNew();
        machine.Refuses(bundle, "createRuntime[0]", "1 seconds");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"it took {watch.Elapsed}");
        Assert.False(Directory.Exists($"/proc/{File.ReadAllText($"{machine.Path}/pid").Trim()}"), "the hook still runs");
    }

    // config.md, "POSIX-platform Hooks": a hook that cannot be executed has failed.
    [Theory]
    [InlineData("createRuntime")]
    [InlineData("createContainer")]
    public void A_hook_whose_program_is_missing_fails(string kind)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Config["hooks"] = new JsonObject { [kind] = new JsonArray(new JsonObject { ["path"] = "/nowhere/program" }) };
        machine.Refuses(bundle, $"{kind}[0]", "/nowhere/program");
    }

    // config.md, "POSIX-platform Hooks", path and timeout: the one is absolute, the other above zero.
    [Theory]
    [InlineData("prestart", "relative/program", null, "path")]
    [InlineData("poststop", "program", null, "path")]
    [InlineData("createRuntime", "/bin/true", 0, "timeout")]
    [InlineData("startContainer", "/bin/true", -1, "timeout")]
    public void A_hook_that_is_not_well_formed_is_refused(string kind, string path, int? timeout, string member)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        var hook = new JsonObject { ["path"] = path };
        if (timeout is { } seconds)
        {
            hook["timeout"] = seconds;
        }

        bundle.Config["hooks"] = new JsonObject { [kind] = new JsonArray(hook) };
        machine.Refuses(bundle, $"hooks.{kind}[0].{member}");
    }
}
