namespace Nacelle.EndToEnd.Tests;

/// <summary>The filter of system calls.</summary>
public sealed class SeccompTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void Seccomp_lists_take_the_place_of_the_default()
    {
        var result = machine.ShellAs("mkdir /tmp/x 2>&1; echo still here", "--seccomp=mode=remove,errno=ENOSYS,mkdir,mkdirat");
        Assert.Contains("Function not implemented", result.Output, StringComparison.Ordinal);
        Assert.Contains("still here", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unshare -m true")]
    [InlineData("unshare -U true")]
    [InlineData("mount -t tmpfs none /tmp")]
    public void The_default_forbids_what_apps_do_not_need(string attempt)
    {
        Assert.NotEqual(0, machine.Shell(attempt).ExitCode);
        Assert.Equal(0, machine.Shell(attempt, "--insecure-options=seccomp,capabilities,paths").ExitCode);
    }

    [Theory]
    [InlineData("0", "--seccomp=mode=retain,@appc.io/all")]
    [InlineData("2", "--seccomp=mode=retain,@docker/default-whitelist")]
    [InlineData("2", "--seccomp=mode=retain,@rkt/default-whitelist")]
    [InlineData("2", "--seccomp=mode=remove,@docker/default-blacklist")]
    [InlineData("2", "--seccomp=mode=remove,@appc.io/empty")]
    public void Sets_are_called_by_their_names(string mode, string flag) => Assert.Equal($"Seccomp:\t{mode}\n", machine.ShellAs("grep Seccomp: /proc/self/status", flag).Output);

    [Fact]
    public void Of_what_is_forbidden_the_app_dies_or_learns_the_error_that_was_asked_for()
    {
        Assert.Equal(159, machine.ShellAs("exec mkdir /tmp/x", "--seccomp=mode=remove,mkdir,mkdirat").ExitCode); // SIGSYS
        Assert.Contains("Operation not supported", machine.ShellAs("mkdir /tmp/x", "--seccomp=mode=remove,errno=ENOTSUP,mkdir,mkdirat").Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--seccomp=mode=keep,read", "mode")]
    [InlineData("--seccomp=mode=retain,errno=ENONE,read", "ENONE")]
    [InlineData("--seccomp=mode=retain,@such/set", "@such/set")]
    public void Nonsense_is_one_line(string flag, string complaint)
    {
        var run = machine.ShellAs("true", flag);
        Assert.True(run.ExitCode == 254, run.ToString());
        Assert.Contains(complaint, Assert.Single(run.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Empty(machine.Pods());
    }
}
