namespace Nacelle.EndToEnd.Tests;

/// <summary>Apps that are started again when they have ended.</summary>
public sealed class RestartTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void An_app_that_fails_is_started_so_often_and_then_ends_the_pod_with_its_code()
    {
        var result = machine.ShellAs("echo run; exit 6", "--restart=on-failure:2");
        Assert.Equal("run\nrun\nrun\n", result.Output);
        Assert.Equal(6, result.ExitCode);
    }

    [Fact]
    public void An_app_that_succeeds_at_last_ends_the_pod_well()
    {
        var result = machine.ShellAs("echo x >> /tmp/count; test $(wc -l < /tmp/count) = 2", "--restart=on-failure");
        Assert.Equal(0, result.ExitCode);
    }

    [Fact]
    public void Success_is_no_failure() => Assert.Equal("once\n", machine.ShellAs("echo once", "--restart=on-failure").Output);

    [Fact]
    public void What_always_runs_ends_when_it_is_stopped()
    {
        var pod = new MutablePod(machine);
        pod.AddAndStart("again", "exit 0", "--restart=always");
        Machine.Eventually(() => int.TryParse(pod.Status("again", "restarts"), out int count) && count >= 2, "it is started twice more");
        pod.App("stop", "again");
        var restarts = pod.Status("again", "restarts");
        Thread.Sleep(1000); // longer than the next delay
        Assert.Equal(restarts, pod.Status("again", "restarts"));
        Assert.Equal("exited", pod.Status("again", "state"));
    }

    [Fact]
    public void One_apps_restart_leaves_the_others_alone()
    {
        var pod = new MutablePod(machine);
        pod.AddAndStart("steady", "sleep 600");
        pod.AwaitState("steady", "running");
        var pid = File.ReadAllText($"{machine.Pod(pod.Uuid)}/stage1/rootfs/rkt/pid/steady");
        pod.AddAndStart("shaky", "exit 1", "--restart=on-failure:2");
        pod.AwaitState("shaky", "exited");
        Machine.Eventually(() => pod.Status("shaky", "restarts") == "2", "it is started twice more");
        Assert.Equal(pid, File.ReadAllText($"{machine.Pod(pod.Uuid)}/stage1/rootfs/rkt/pid/steady"));
    }

    [Theory]
    [InlineData("--restart=sometimes", "nacelle: --restart=sometimes: use no, on-failure, on-failure:COUNT or always\n")]
    [InlineData("--restart=on-failure:0", "nacelle: --restart=on-failure:0: use no, on-failure, on-failure:COUNT or always\n")]
    [InlineData("--stop-signal=SIGNONE", "nacelle: --stop-signal=SIGNONE: there is no such signal\n")]
    [InlineData("--stdin=log", "nacelle: --stdin=log: use null, stream, tty, interactive\n")]
    public void Wrong_values_are_refused(string flag, string message)
    {
        var result = machine.ShellAs("true", flag);
        Assert.Equal(254, result.ExitCode);
        Assert.Equal(message, result.Errors);
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void An_app_is_asked_by_its_own_signal_and_killed_after_its_own_time()
    {
        var pod = new MutablePod(machine);
        pod.AddAndStart("asked", "trap 'echo asked; exit 9' USR2; while true; do sleep 0.1; done", "--stop-signal=USR2");
        pod.AddAndStart("deaf", "trap '' TERM; while true; do sleep 0.1; done", "--stop-timeout=1");
        Thread.Sleep(500); // until the traps are set
        pod.App("stop", "asked");
        Assert.Equal("9", pod.Status("asked", "exit_code"));
        pod.App("stop", "deaf");
        Assert.Equal("137", pod.Status("deaf", "exit_code"));
    }
}
