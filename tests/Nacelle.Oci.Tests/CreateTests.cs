namespace Nacelle.Oci.Tests;

public sealed class CreateTests
{
    // runtime.md, "Lifecycle", step 2, and "Create": the environment is made, and the program is not run before start.
    [Fact]
    public void Creating_makes_the_environment_and_does_not_run_the_program()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("touch /data/ran; exec sleep 1000");
        var shared = machine.Share(bundle);
        var id = machine.Create(bundle.Write());
        int pid = machine.Pid(id);
        Assert.Equal("nacelle", OciMachine.Run("nsenter", "-t", $"{pid}", "-u", "hostname").Output.Trim());
        Assert.Contains(MountEntry.Parse(File.ReadAllText($"/proc/{pid}/mountinfo")), mount => mount.Point == "/data");
        Assert.Contains(OciMachine.Groups(), group => group.EndsWith($"/{id}", StringComparison.Ordinal));
        Assert.False(File.Exists($"{shared}/ran"), "the program has run before start");
        Expectations.Succeeds(machine.Oci("start", id));
        OciMachine.Eventually(() => File.Exists($"{shared}/ran"), "the program runs");
    }

    // runtime.md, "Lifecycle", step 2, and "Create": what is written into config.json afterwards has no effect.
    [Fact]
    public void A_configuration_that_is_changed_after_creation_changes_nothing()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("hostname > /data/name; exec sleep 1000");
        var shared = machine.Share(bundle);
        var id = machine.Create(bundle.Write());
        bundle.With(changed =>
        {
            changed.Config["hostname"] = "changed";
            changed.Config["annotations"] = new System.Text.Json.Nodes.JsonObject { ["changed"] = "yes" };
            changed.Process["args"] = Expectations.List("/bin/touch", "/data/changed");
            changed.AddHook("poststart", "exit 1");
        });
        Expectations.Succeeds(machine.Oci("start", id));
        OciMachine.Eventually(() => File.Exists($"{shared}/name") && File.ReadAllText($"{shared}/name") == "nacelle\n", "the program runs with the old host name");
        Assert.Null(machine.State(id)["annotations"]?["changed"]);
        File.Delete($"{bundle.Path}/config.json");
        machine.Stop(id);
        Assert.False(File.Exists($"{shared}/changed"));
    }

    // runtime.md, "Create": a second container with the id is refused, and nothing of the first is touched.
    [Fact]
    public void An_id_that_is_taken_is_refused_and_its_container_lives_on()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000").Write();
        var id = machine.Start(bundle);
        var before = machine.State(id).ToJsonString();
        var groups = OciMachine.Groups().Where(group => group.EndsWith($"/{id}", StringComparison.Ordinal)).ToList();
        Expectations.Fails(machine.Background(OciMachine.Program, $"--root={machine.Root}", "create", $"--bundle={bundle.Path}", id), id, "already exists");
        Assert.Equal(before, machine.State(id).ToJsonString());
        Assert.Equal(groups, OciMachine.Groups().Where(group => group.EndsWith($"/{id}", StringComparison.Ordinal)));
    }

    // runtime.md, "Create": an id that is not valid is refused, and no container is made.
    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("../a")]
    [InlineData("/etc")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("é")]
    [InlineData("a*")]
    [InlineData(TooLong)]
    public void An_id_that_is_no_name_is_refused(string id)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true").Write();
        var result = machine.Background(OciMachine.Program, $"--root={machine.Root}", "create", $"--bundle={bundle.Path}", id);
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains("id", result.Errors, StringComparison.Ordinal);
        Assert.True(!Directory.Exists(machine.Root) || Directory.GetFileSystemEntries(machine.Root).Length == 0);
        Assert.False(Directory.Exists($"{machine.Path}/a"));
    }

    const string TooLong =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    // runtime.md, "Create": without an id there is an error.
    [Fact]
    public void Creating_without_an_id_is_an_error()
    {
        using var machine = new OciMachine();
        Expectations.Fails(machine.Oci("create", $"--bundle={machine.NewBundle("/bin/true").Write().Path}"), "id is missing");
    }

    // runtime.md, "Create": without a bundle there is an error.
    [Fact]
    public void Creating_from_a_bundle_that_is_not_there_is_an_error()
    {
        using var machine = new OciMachine();
        var id = OciMachine.NewId();
        Expectations.Fails(machine.Oci("create", $"--bundle={machine.Path}/nowhere", id), "nowhere");
        machine.HasNothingOf(id);
    }

    // runtime.md, "Scope of a Container": whoever made the container can use every operation on it, by any command that knows the same state.
    [Fact]
    public void Every_operation_works_on_a_container_that_was_made()
    {
        using var machine = new OciMachine();
        var id = machine.Create(machine.NewBundle("/bin/sleep", "1000").Write());
        foreach (var operation in (string[][])[["state", id], ["start", id], ["kill", id, "KILL"]])
        {
            Expectations.Succeeds(machine.Oci(operation));
        }

        machine.WaitUntilStopped(id);
        Expectations.Succeeds(machine.Oci("delete", id));
        machine.HasNothingOf(id);
    }

    // runtime.md, "Create", and "Errors": what cannot be applied is an error, no container is made, and what was made on the way is gone.
    [Theory]
    [InlineData("a bind mount's source is missing")]
    [InlineData("a file system is not known")]
    [InlineData("the program is missing")]
    [InlineData("a kernel parameter is not there")]
    [InlineData("a device is something else")]
    public void A_property_that_cannot_be_applied_is_an_error_that_leaves_nothing(string what)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        switch (what)
        {
            case "a bind mount's source is missing": bundle.AddMount("/data", "none", $"{machine.Path}/nowhere", "bind"); break;
            case "a file system is not known": bundle.AddMount("/data", "nosuchfs", "none"); break;
            case "the program is missing": bundle.Process["args"] = Expectations.List("/bin/nosuch"); break;
            case "a kernel parameter is not there": bundle.Linux["sysctl"] = new System.Text.Json.Nodes.JsonObject { ["net.nosuch.parameter"] = "1" }; break;
            case "a device is something else":
                bundle.Linux["devices"] = new System.Text.Json.Nodes.JsonArray(
                    new System.Text.Json.Nodes.JsonObject { ["path"] = "/etc/passwd", ["type"] = "c", ["major"] = 1, ["minor"] = 3 });
                break;
        }

        machine.Refuses(bundle);
    }

    // runtime-linux.md, "File descriptors": nothing but the three standard streams is open for the program.
    [Fact]
    public void Only_the_standard_streams_are_open_for_the_program()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("for fd in /proc/self/fd/*; do echo ${fd##*/}; done").Write();
        var command = $"exec 7</etc/passwd 9</; exec {OciMachine.Program} --root={machine.Root} run --bundle={bundle.Path} {OciMachine.NewId()}";
        var run = OciMachine.Run("/bin/sh", "-c", command);
        Expectations.Succeeds(run);
        var open = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["0", "1", "2"], open.Where(number => int.Parse(number) < 10 && number != "3").Order(StringComparer.Ordinal)); // the shell reads its directory by 3
        Assert.DoesNotContain("7", open);
        Assert.DoesNotContain("9", open);
    }

    // runtime-linux.md, "File descriptors": further descriptors can be handed on when that is asked for.
    [Fact]
    public void Descriptors_that_are_asked_for_are_handed_on()
    {
        using var machine = new OciMachine();
        File.WriteAllText($"{machine.Path}/word", "handed on\n");
        var bundle = machine.Shell("cat <&3").Write();
        var command = $"exec 3<{machine.Path}/word 4</etc/passwd; exec {OciMachine.Program} --root={machine.Root} run --preserve-fds=1 --bundle={bundle.Path} {OciMachine.NewId()}";
        Assert.Equal("handed on\n", OciMachine.Run("/bin/sh", "-c", command).Output);
    }

    // runtime.md, "Delete": an id is free again when its container is deleted.
    [Fact]
    public void A_deleted_containers_id_can_be_used_again()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000").Write();
        var id = machine.Start(bundle);
        machine.Stop(id);
        Expectations.Succeeds(machine.Background(OciMachine.Program, $"--root={machine.Root}", "create", $"--bundle={bundle.Path}", id));
        Assert.Equal("created", machine.Status(id));
    }
}
