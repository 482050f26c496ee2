using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Containers whose group systemd makes and limits: eng/guest-tests.sh runs this where it does.</summary>
public sealed class SystemdTests
{
    const long Limit = 67108864, LessLimit = 33554432;

    [Fact]
    public void A_container_is_a_unit_that_systemd_limits_and_forgets()
    {
        Assert.SkipUnless(Directory.Exists("/run/systemd/system"), "process 1 is not systemd: eng/guest-tests.sh runs this where it is");
        Assert.SkipUnless(ControlGroups.AreUnified, "systemd limits in version 2 of control groups alone");
        using var machine = new OciMachine();
        var id = OciMachine.NewId();
        var unit = $"nacelle-{id}.scope";
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.Linux["cgroupsPath"] = $"system.slice:nacelle:{id}";
        bundle.Resources["memory"] = new JsonObject { ["limit"] = Limit, ["swap"] = Limit };
        bundle.Resources["pids"] = new JsonObject { ["limit"] = 50 };
        Expectations.Succeeds(machine.Background(OciMachine.Program, $"--root={machine.Root}", "--systemd-cgroup", "create", $"--bundle={bundle.Write().Path}", id));
        Expectations.Succeeds(machine.Oci("start", id));

        var group = ControlGroups.Of(machine.Pid(id))[""];
        Assert.EndsWith($"/system.slice/{unit}", group, StringComparison.Ordinal);
        Assert.Equal((Limit, Limit), Limits(unit, group));
        Assert.Equal("50", Property(unit, "TasksMax"));
        Expectations.Succeeds(OciMachine.Run("systemctl", "daemon-reload"));
        Assert.Equal((Limit, Limit), Limits(unit, group));
        Assert.Equal(137, Eat(machine, id, Limit + 8_000_000).ExitCode);
        Assert.Equal("running", machine.Status(id));

        Expectations.Succeeds(machine.Oci("update", $"--memory={LessLimit}", $"--memory-swap={LessLimit}", id));
        Expectations.Succeeds(OciMachine.Run("systemctl", "daemon-reload"));
        Assert.Equal((LessLimit, LessLimit), Limits(unit, group));
        Assert.Equal(137, Eat(machine, id, LessLimit + 8_000_000).ExitCode);
        Expectations.Succeeds(machine.Oci("pause", id));
        Assert.Equal("paused", machine.Status(id));
        Expectations.Succeeds(machine.Oci("resume", id));

        machine.Stop(id);
        OciMachine.Eventually(() => Property(unit, "LoadState") == "not-found", "systemd forgets the unit");
        Assert.False(Directory.Exists($"/sys/fs/cgroup{group}"));
    }

    /// <summary>Has a process of the container take so much memory.</summary>
    static Result Eat(OciMachine machine, string id, long bytes) => machine.Oci("exec", id, "/bin/sh", "-c", $"x=$(head -c {bytes} /dev/zero | tr '\\0' x); echo eaten; true");

    /// <summary>What systemd says of the unit's memory, and what the kernel says.</summary>
    static (long Systemd, long Kernel) Limits(string unit, string group) =>
        (long.Parse(Property(unit, "MemoryMax")), long.Parse(File.ReadAllText($"/sys/fs/cgroup{group}/memory.max")));

    static string Property(string unit, string name) => OciMachine.Run("systemctl", "show", "--value", $"--property={name}", unit).Output.TrimEnd('\n');
}
