namespace Nacelle.Oci.Tests;

public sealed class DeleteTests
{
    // runtime.md, "Delete": without an id there is an error.
    [Fact]
    public void Deleting_nothing_is_an_error()
    {
        using var machine = new OciMachine();
        Expectations.Fails(machine.Oci("delete"), "id is missing");
    }

    // runtime.md, "Delete": what does not exist is not deleted.
    [Fact]
    public void Deleting_an_unknown_container_is_an_error()
    {
        using var machine = new OciMachine();
        Expectations.Fails(machine.Oci("delete", "nobody"), "nobody", "does not exist");
    }

    // runtime.md, "Delete": only a container that has stopped is deleted; of any other, the error leaves everything.
    [Theory]
    [InlineData("created")]
    [InlineData("running")]
    public void Deleting_a_container_that_has_not_stopped_is_an_error_without_effect(string status)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000").Write();
        var id = status == "created" ? machine.Create(bundle) : machine.Start(bundle);
        var before = machine.State(id).ToJsonString();
        Expectations.Fails(machine.Oci("delete", id), id, status);
        Assert.Equal(before, machine.State(id).ToJsonString());
        Assert.Contains(OciMachine.Groups(), group => group.EndsWith($"/{id}", StringComparison.Ordinal));
    }

    // runtime.md, "Lifecycle", step 12, and "Delete": what creation made is gone with the container.
    [Fact]
    public void Deleting_removes_all_that_was_made()
    {
        using var machine = new OciMachine();
        var id = machine.Start(machine.NewBundle("/bin/true").Write());
        machine.WaitUntilStopped(id);
        Expectations.Succeeds(machine.Oci("delete", id));
        machine.HasNothingOf(id);
        Expectations.Fails(machine.Oci("delete", id), "does not exist");
    }

    // runtime.md, "Lifecycle", step 12: with a host's process ids, what the program left running ends with the container.
    [Fact]
    public void Deleting_ends_what_still_runs_in_the_container()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("sleep 1000 & echo $! > /data/pid");
        bundle.RemoveNamespace("pid");
        var shared = machine.Share(bundle);
        var id = machine.Start(bundle.Write());
        machine.WaitUntilStopped(id);
        int left = int.Parse(File.ReadAllText($"{shared}/pid"));
        Assert.True(Directory.Exists($"/proc/{left}"), "nothing was left running");
        Expectations.Succeeds(machine.Oci("delete", id));
        OciMachine.Eventually(() => Linux.Processes.TryStatus(left) is null or { HasEnded: true }, $"process {left} ends");
        machine.HasNothingOf(id);
    }

    // runtime.md, "Delete": what the container only used stays: its bundle, its volumes, and namespaces that were there before.
    [Fact]
    public void Deleting_leaves_what_was_there_before()
    {
        using var machine = new OciMachine();
        var sleeper = machine.StartProcess("unshare", "--net", "--uts", "sleep", "1000");
        OciMachine.Eventually(() => Expectations.NamespaceOf(sleeper.Id, "uts") != Expectations.NamespaceOf(Environment.ProcessId, "uts"), "the namespaces are there");
        var bundle = machine.Shell("hostname left-behind; echo kept > /data/file");
        bundle.Process["capabilities"]!["bounding"]!.AsArray().Add((System.Text.Json.Nodes.JsonNode)"CAP_SYS_ADMIN");
        bundle.SetNamespace("network", $"/proc/{sleeper.Id}/ns/net");
        var shared = machine.Share(bundle);
        var id = machine.Start(bundle.Write());
        machine.WaitUntilStopped(id);
        Expectations.Succeeds(machine.Oci("delete", id));
        Assert.False(sleeper.HasExited);
        Assert.Equal("kept\n", File.ReadAllText($"{shared}/file"));
        Assert.True(File.Exists($"{bundle.Path}/config.json") && File.Exists($"{bundle.Rootfs}/bin/busybox"));
    }
}
