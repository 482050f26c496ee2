using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

public sealed class StateTests
{
    // runtime.md, "State" and "Query State": version, id, status, process id and the bundle's absolute path are there, in the types of the schema.
    [Fact]
    public void A_state_has_every_required_member_in_its_type()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000").Write();
        var id = machine.Start(bundle);
        var state = machine.State(id).AsObject();
        Assert.Equal("1.3.0", (string?)state["ociVersion"]);
        Assert.Equal(id, (string?)state["id"]);
        Assert.Equal("running", (string?)state["status"]);
        Assert.Equal(JsonValueKind.Number, state["pid"]!.GetValueKind());
        Assert.Equal(bundle.Path, (string?)state["bundle"]);
        Assert.True(state["annotations"] is null or JsonObject, state.ToJsonString());
    }

    // runtime.md, "State", bundle: the path is absolute, however the bundle was named.
    [Fact]
    public void The_bundles_path_is_absolute_although_it_was_given_relative()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000").Write();
        var id = OciMachine.NewId();
        var script = $"cd {machine.Path} && exec {OciMachine.Program} --root={machine.Root} create --bundle={Path.GetFileName(bundle.Path)} {id}";
        Expectations.Succeeds(machine.Background("/bin/sh", "-c", script));
        Assert.Equal(bundle.Path, (string?)machine.State(id)["bundle"]);
    }

    // runtime.md, "State", pid: it is there in both states in which there is a process, and is that process.
    [Fact]
    public void The_process_id_is_the_containers_process_while_created_and_running()
    {
        using var machine = new OciMachine();
        var id = machine.Create(machine.NewBundle("/bin/sleep", "1000").Write());
        int created = machine.Pid(id);
        Assert.NotEqual(Expectations.NamespaceOf(Environment.ProcessId, "pid"), Expectations.NamespaceOf(created, "pid"));
        Assert.EndsWith("\t1", Expectations.StatusOf(File.ReadAllText($"/proc/{created}/status"), "NSpid"), StringComparison.Ordinal);
        Expectations.Succeeds(machine.Oci("start", id));
        Assert.Equal(created, machine.Pid(id));
        Assert.StartsWith("/bin/sleep\0", File.ReadAllText($"/proc/{created}/cmdline"), StringComparison.Ordinal);
    }

    // runtime.md, "State", status: creating, created, running and stopped, each at its time.
    [Fact]
    public void The_status_follows_the_containers_life()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        var seen = $"{machine.Path}/seen";
        bundle.AddHook("createRuntime", $"id=$(sed -n 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/p'); {OciMachine.Program} --root={machine.Root} state $id > {seen}");
        var id = machine.Create(bundle.Write());
        Assert.Equal("creating", (string?)JsonNode.Parse(File.ReadAllText(seen))!["status"]);
        Assert.Equal("created", machine.Status(id));
        Expectations.Succeeds(machine.Oci("start", id));
        Assert.Equal("running", machine.Status(id));
        Expectations.Succeeds(machine.Oci("kill", id, "KILL"));
        machine.WaitUntilStopped(id);
    }

    // runtime.md, "State", status: a value of the runtime's own stands for a state that the specification has not.
    [Fact]
    public void A_frozen_container_is_paused_and_then_running_again()
    {
        using var machine = new OciMachine();
        var id = machine.Start(machine.NewBundle("/bin/sleep", "1000").Write());
        Expectations.Succeeds(machine.Oci("pause", id));
        Assert.Equal("paused", machine.Status(id));
        Expectations.Succeeds(machine.Oci("resume", id));
        Assert.Equal("running", machine.Status(id));
    }

    // runtime.md, "State", annotations; config.md, "Annotations": a map of words, with every key as it was given.
    [Fact]
    public void The_annotations_of_the_configuration_are_in_the_state()
    {
        using var machine = new OciMachine();
        var annotations = new JsonObject { ["org.example/key"] = "a \"value\"\n", ["com.example.empty"] = "", ["ключ"] = "значение" };
        var id = machine.Create(machine.NewBundle("/bin/true").With(bundle => bundle.Config["annotations"] = annotations.DeepClone()));
        Assert.True(JsonNode.DeepEquals(annotations, machine.State(id)["annotations"]), machine.State(id).ToJsonString());
    }

    // runtime.md, "Query State": without an id there is an error.
    [Fact]
    public void A_state_of_no_id_is_an_error()
    {
        using var machine = new OciMachine();
        Expectations.Fails(machine.Oci("state"), "id is missing");
    }

    // runtime.md, "Query State": a container that does not exist is an error.
    [Fact]
    public void A_state_of_an_unknown_container_is_an_error()
    {
        using var machine = new OciMachine();
        Expectations.Fails(machine.Oci("state", "nobody"), "nobody", "does not exist");
    }

    // runtime.md, "State", id: one container's state is not another's.
    [Fact]
    public void Each_of_two_containers_has_its_own_state()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000").Write();
        var (one, other) = (machine.Create(bundle), machine.Create(bundle));
        Expectations.Succeeds(machine.Oci("start", other));
        Assert.Equal(("created", "running"), (machine.Status(one), machine.Status(other)));
        Assert.NotEqual(machine.Pid(one), machine.Pid(other));
    }
}
