namespace Nacelle.EndToEnd.Tests;

/// <summary>Commands that need the number of a pod's first process, while stage1 has not written it down yet. rkt 1.30, tests/rkt_pid_file_test.go.</summary>
public sealed class PidFileTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public async Task Who_enters_early_waits_until_it_is_there()
    {
        var (_, uuid) = machine.StartShell("exec sleep 600");
        var pid = $"{machine.Pod(uuid)}/pid";
        File.Move(pid, pid + ".away");
        var entering = Task.Run(() => machine.Nacelle("enter", uuid, "/bin/echo", "entered"));
        await Task.Delay(500, TestContext.Current.CancellationToken);
        Assert.False(entering.IsCompleted);
        File.Move(pid + ".away", pid);
        Assert.Equal("entered\n", (await entering).Output);
    }

    [Fact]
    public void Where_it_never_comes_that_is_told_in_one_line()
    {
        var (_, uuid) = machine.StartShell("exec sleep 600");
        File.Delete($"{machine.Pod(uuid)}/pid");
        var enter = machine.Nacelle("enter", uuid, "/bin/true");
        Assert.True(enter.ExitCode == 254, enter.ToString());
        Assert.Contains("has written neither pid nor ppid", Assert.Single(enter.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_comes_at_any_moment_of_a_pods_life_gets_in_or_is_told_why_not()
    {
        var uuid = machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--exec=/bin/sleep", "--", "0.7").Output.Trim();
        var run = machine.Start("run-prepared", uuid);
        int entered = 0;
        while (!run.HasExited)
        {
            var enter = machine.Nacelle("enter", uuid, "/bin/echo", "in");
            Assert.True(enter is { ExitCode: 0, Output: "in\n" } or { ExitCode: 254 or 137 or 1 }, enter.ToString());
            Assert.True(enter.ExitCode != 254 || enter.Errors.TrimEnd('\n').Split('\n').Length == 1, enter.ToString());
            Assert.DoesNotContain("fault of nacelle", enter.Errors, StringComparison.Ordinal);
            entered += enter.ExitCode == 0 ? 1 : 0;
        }

        Assert.True(entered > 0);
    }
}
