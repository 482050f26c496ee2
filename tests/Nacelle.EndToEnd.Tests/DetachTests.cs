namespace Nacelle.EndToEnd.Tests;

/// <summary>Pods that nobody waits for.</summary>
public sealed class DetachTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose()
    {
        foreach (var pod in machine.Pods().Where(pod => pod.Contains("/run/", StringComparison.Ordinal)))
        {
            machine.Nacelle("stop", "--force", Path.GetFileName(pod));
        }

        machine.Dispose();
    }

    [Fact]
    public void A_pod_runs_on_when_its_uuid_is_printed()
    {
        var result = machine.Nacelle("run", "--detach", TestImages.Busybox, "--exec=/bin/sh", "--", "-c", "echo said; readlink /proc/self/fd/0; sleep 600");
        Assert.True(result.ExitCode == 0, $"{result}");
        var uuid = result.Output.Trim();
        Assert.Contains("state=running", machine.Nacelle("status", uuid).Output, StringComparison.Ordinal);
        Machine.Eventually(() => machine.Nacelle("logs", uuid).Output == "said\n/dev/null\n", "the app's output is in its log");
        Assert.Equal(0, machine.Nacelle("stop", uuid).ExitCode);
        Machine.Eventually(() => machine.Nacelle("status", uuid).Output.Contains("state=exited", StringComparison.Ordinal), "the pod ends");
    }

    [Fact]
    public void A_prepared_pod_and_a_sandbox_run_on_too()
    {
        var prepared = machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--", "sleep", "600").Output.Trim();
        Assert.Equal(prepared + "\n", machine.Nacelle("run-prepared", "--detach", "--hostname=afar", prepared).Output);
        Assert.Equal("afar\n", machine.Nacelle("enter", prepared, "hostname").Output);
        var sandbox = machine.Nacelle("app", "sandbox", "--detach").Output.Trim();
        Assert.Contains("state=running", machine.Nacelle("status", sandbox).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void It_waits_for_apps_that_say_when_they_are_ready()
    {
        var result = machine.Nacelle("run", "--detach", TestImages.Busybox, "--annotation=appc.io/executor/supports-systemd-notify=true", "--exec=/bin/sh", "--", "-c", "sleep 0.7; exit 3");
        Assert.Equal(0, result.ExitCode); // it never became ready, but ran
        Assert.Contains("app-busybox=3", machine.Nacelle("status", result.Output.Trim()).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_run_is_told_and_leaves_nothing()
    {
        var result = machine.Nacelle("run", "--detach", TestImages.Busybox, "--exec=/bin/nothere");
        Assert.Equal(254, result.ExitCode);
        Assert.Equal("nacelle: app busybox: /bin/nothere is not in the image\n", result.Errors);
        Assert.Equal("", result.Output);
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void Nobody_sits_at_its_terminal()
    {
        var result = machine.Nacelle("run", "--detach", "--interactive", TestImages.Busybox);
        Assert.Equal("nacelle: --detach and --interactive exclude each other: nobody would sit at the terminal\n", result.Errors);
        Assert.Empty(machine.Pods());
    }
}
