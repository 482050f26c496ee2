namespace Nacelle.Oci.Tests;

public sealed class StartTests
{
    // runtime.md, "Lifecycle", step 8, and "Start": the program that process names is run, as it says.
    [Fact]
    public void Starting_runs_the_program_of_the_configuration()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sh", "-c", "echo \"$0 $1 $WORD $PWD\" > /data/said; exec sleep 1000", "zero", "one");
        bundle.Process["env"]!.AsArray().Add((System.Text.Json.Nodes.JsonNode)"WORD=word");
        bundle.Process["cwd"] = "/etc";
        var shared = machine.Share(bundle);
        var id = machine.Start(bundle.Write());
        OciMachine.Eventually(() => File.Exists($"{shared}/said") && File.ReadAllText($"{shared}/said") == "zero one word /etc\n", "the program has said its arguments");
        Assert.Equal("running", machine.Status(id));
    }

    // runtime.md, "Start": without an id there is an error.
    [Fact]
    public void Starting_nothing_is_an_error()
    {
        using var machine = new OciMachine();
        Expectations.Fails(machine.Oci("start"), "id is missing");
    }

    // runtime.md, "Start": what was never created cannot be started.
    [Fact]
    public void Starting_an_unknown_container_is_an_error()
    {
        using var machine = new OciMachine();
        Expectations.Fails(machine.Oci("start", "nobody"), "nobody", "does not exist");
    }

    // runtime.md, "Start": a container that runs is no longer created; the error leaves it as it is.
    [Fact]
    public void Starting_twice_is_an_error_without_effect()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("echo once >> /data/starts; exec sleep 1000");
        var shared = machine.Share(bundle);
        var id = machine.Start(bundle.Write());
        var before = machine.State(id).ToJsonString();
        Expectations.Fails(machine.Oci("start", id), id, "running");
        Assert.Equal(before, machine.State(id).ToJsonString());
        OciMachine.Eventually(() => File.Exists($"{shared}/starts") && File.ReadAllText($"{shared}/starts") == "once\n", "the program has run once");
    }

    // runtime.md, "Start": a container that has stopped is not started again.
    [Fact]
    public void Starting_a_stopped_container_is_an_error_without_effect()
    {
        using var machine = new OciMachine();
        var id = machine.Start(machine.NewBundle("/bin/true").Write());
        machine.WaitUntilStopped(id);
        Expectations.Fails(machine.Oci("start", id), id, "stopped");
        Assert.Equal("stopped", machine.Status(id));
    }

    // runtime.md, "Start"; config.md, "Process": process may be missing until start, which is an error without it.
    [Fact]
    public void A_container_without_a_process_is_created_and_cannot_be_started()
    {
        using var machine = new OciMachine();
        var id = machine.Create(machine.NewBundle("/bin/true").With(bundle => bundle.Config.Remove("process")));
        Assert.Equal("created", machine.Status(id));
        Expectations.Fails(machine.Oci("start", id), "process");
        Assert.Equal("created", machine.Status(id));
    }
}
