using System.Text.Json;

namespace Nacelle.EndToEnd.Tests;

/// <summary>What pods use, and their processes.</summary>
public sealed class StatsTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void Each_apps_use_is_a_row()
    {
        var (_, uuid) = machine.StartShellAs("while true; do :; done", "--memory=64Mi", "--name=busy");
        var rows = machine.Nacelle("stats", "--no-stream").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, rows.Length);
        Assert.StartsWith($"{uuid[..8]}\tbusy", rows[1], StringComparison.Ordinal);
        Assert.Contains("\t64MiB\t", rows[1], StringComparison.Ordinal);
        var one = JsonDocument.Parse(machine.Nacelle("stats", "--format=json", uuid[..8]).Output).RootElement[0];
        Assert.Equal(67108864, one.GetProperty("memory_limit_bytes").GetInt64());
        Assert.True(one.GetProperty("cpu_percent").GetDouble() > 1, one.ToString());
        Assert.InRange(one.GetProperty("memory_bytes").GetInt64(), 1, 67108864);
        Assert.Equal(1, one.GetProperty("pids").GetInt64());
    }

    [Fact]
    public void A_pod_that_does_not_run_uses_nothing()
    {
        machine.Shell("true");
        var uuid = Path.GetFileName(machine.Pods()[0]);
        Assert.Equal($"nacelle: pod {uuid} is exited, not running\n", machine.Nacelle("stats", "--no-stream", uuid).Errors);
        Assert.Single(machine.Nacelle("stats", "--no-stream").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Processes_are_known_inside_and_outside()
    {
        var (_, uuid) = machine.StartShell("sleep 611 & exec sleep 612");
        string[] rows = [];
        Machine.Eventually( // the shell's own command line has both at its end
            () => (rows = machine.Nacelle("top", uuid).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)).Count(row => row.EndsWith("\tsleep 611", StringComparison.Ordinal) || row.EndsWith("\tsleep 612", StringComparison.Ordinal)) == 2,
            "both processes are there");
        var fields = rows.Single(row => row.EndsWith("\tsleep 612", StringComparison.Ordinal)).Split('\t', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("busybox", fields[0]);
        Assert.Equal(File.ReadAllText($"{machine.Pod(uuid)}/stage1/rootfs/rkt/pid/busybox").Trim(), fields[1]);
        Assert.Equal("sleep\0612\0", File.ReadAllText($"/proc/{fields[2]}/cmdline"));
    }
}
