using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>What a running container uses, and who is in it.</summary>
public sealed class EventsTests
{
    [Fact]
    public void Statistics_tell_use_and_limits()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("sleep 1000 & sleep 1000");
        bundle.Resources["memory"] = new JsonObject { ["limit"] = 67108864 };
        bundle.Resources["pids"] = new JsonObject { ["limit"] = 33 };
        var id = machine.Start(bundle.Write());
        OciMachine.Eventually(() => Processes(machine, id).Length == 2, "both processes run");
        var stats = JsonNode.Parse(machine.Oci("events", "--stats", id).Output)!;
        Assert.Equal(("stats", id), ((string?)stats["type"], (string?)stats["id"]));
        var data = stats["data"]!;
        Assert.Equal(67108864UL, (ulong)data["memory"]!["usage"]!["limit"]!);
        Assert.InRange((ulong)data["memory"]!["usage"]!["usage"]!, 1UL, 67108864UL);
        Assert.Equal((2UL, 33UL), ((ulong)data["pids"]!["current"]!, (ulong)data["pids"]!["limit"]!));
        Assert.True((ulong)data["cpu"]!["usage"]!["total"]! > 0, stats.ToJsonString());
    }

    [Fact]
    public void Memory_that_has_run_out_is_an_event()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("until [ -e /data/go ]; do sleep 0.1; done; (x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo $x); sleep 1; exit 0");
        bundle.Resources["memory"] = new JsonObject { ["limit"] = 16777216, ["swap"] = 16777216 };
        var shared = machine.Share(bundle);
        var id = machine.Start(bundle.Write());
        var events = machine.StartProcess("/bin/sh", "-c", $"exec {OciMachine.Program} --root={machine.Root} events --interval=100s {id} >{machine.Path}/events");
        OciMachine.Eventually(() => File.Exists($"{machine.Path}/events") && File.ReadAllText($"{machine.Path}/events").EndsWith('\n'), "the first statistics are there");
        File.WriteAllText($"{shared}/go", "");
        OciMachine.Eventually(() => File.ReadAllText($"{machine.Path}/events").Contains($"{{\"type\":\"oom\",\"id\":\"{id}\"}}\n", StringComparison.Ordinal), "memory runs out");
        machine.WaitUntilStopped(id);
        Assert.True(events.WaitForExit(20_000), "events do not end with the container");
    }

    [Fact]
    public void The_processes_of_a_container_are_shown()
    {
        using var machine = new OciMachine();
        var id = machine.Start(machine.Shell("sleep 4711 & sleep 4712").Write());
        OciMachine.Eventually(() => Processes(machine, id).Length == 2, "both processes run");
        Assert.Contains(machine.Pid(id), Processes(machine, id));
        var table = machine.Oci("ps", id).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(3, table.Length);
        Assert.Contains("PID", table[0], StringComparison.Ordinal);
        Assert.Contains(table, line => line.EndsWith("sleep 4711", StringComparison.Ordinal));
    }

    // A frozen process ends when it is killed, in either version; nothing runs in a paused container unless that is asked for.
    [Theory]
    [InlineData("kill")]
    [InlineData("delete")]
    public void A_paused_container_can_be_killed(string command)
    {
        using var machine = new OciMachine();
        var id = machine.Start(machine.NewBundle("/bin/sleep", "1000").Write());
        Expectations.Succeeds(machine.Oci("pause", id));
        Expectations.Fails(machine.Oci("exec", id, "/bin/true"), id, "paused");
        Assert.Equal("paused", machine.Status(id));
        if (command == "kill")
        {
            Expectations.Succeeds(machine.Oci("kill", id, "KILL"));
            machine.WaitUntilStopped(id);
        }

        Expectations.Succeeds(machine.Oci("delete", "--force", id));
        machine.HasNothingOf(id);
    }

    static int[] Processes(OciMachine machine, string id) =>
        [.. JsonNode.Parse(machine.Oci("ps", "--format=json", id).Output)!.AsArray().Select(process => (int)process!)];
}
