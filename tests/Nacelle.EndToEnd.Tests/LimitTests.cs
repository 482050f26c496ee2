namespace Nacelle.EndToEnd.Tests;

public sealed class LimitTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void Limits_stand_in_the_apps_control_group()
    {
        bool unified = File.Exists("/sys/fs/cgroup/cgroup.controllers");
        var script = unified ? "cd /sys/fs/cgroup; cat memory.max cpu.max pids.max" : "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max cpu/cpu.shares";
        var result = machine.ShellAs(script, "--memory=64Mi", "--cpu=500m", "--pids-limit=20", "--cpu-shares=512");
        Assert.Equal(unified ? "67108864\n50000 100000\n20\n" : "67108864\n50000\n20\n512\n", result.Output);
    }

    [Fact]
    public void An_app_that_takes_too_much_memory_is_killed()
    {
        var result = machine.ShellAs("dd if=/dev/zero of=/dev/null bs=200M count=1", "--memory=32M");
        Assert.True(result.ExitCode is 137 or 1, result.ToString());
        Assert.NotEqual(0, machine.ShellAs("dd if=/dev/zero of=/dev/shm/x bs=1M count=60", "--memory=32M").ExitCode);
    }

    [Fact]
    public void Too_many_processes_cannot_be_made()
    {
        var result = machine.ShellAs("for i in $(seq 50); do sleep 5 & done; wait", "--pids-limit=10");
        Assert.Contains("can't fork", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void The_out_of_memory_score_is_set() => Assert.Equal("500\n", machine.ShellAs("cat /proc/self/oom_score_adj", "--oom-score-adj=500").Output);

    [Theory]
    [InlineData("--memory=16m", "did you mean 16M?")]
    [InlineData("--memory=lots", "is not an amount")]
    [InlineData("--cpu=0", "some processor time")]
    [InlineData("--oom-score-adj=2000", "between -1000 and 1000")]
    [InlineData("--caps-retain=CAP_NONE", "is no capability")]
    public void A_wrong_limit_is_one_line(string flag, string complaint)
    {
        var result = machine.ShellAs("true", flag);
        Assert.Equal(254, result.ExitCode);
        Assert.Single(result.Errors.TrimEnd('\n').Split('\n'));
        Assert.Contains(complaint, result.Errors, StringComparison.Ordinal);
        Assert.Empty(machine.Pods());
    }
}
