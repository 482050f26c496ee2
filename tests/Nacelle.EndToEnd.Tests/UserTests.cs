namespace Nacelle.EndToEnd.Tests;

/// <summary>Who apps run as: by number, by name, by the owner of a path; and in which groups.</summary>
public sealed class UserTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void Who_is_not_root_gains_no_privileges()
    {
        var result = machine.ShellAs("id -u; id -g; id -G; grep -E '^(CapEff|NoNewPrivs):' /proc/self/status", "--user=user");
        Assert.Equal("1000\n1000\n1000 1001\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n", result.Output);
    }

    const string Who = "grep -E '^(Uid|Gid|Groups):' /proc/self/status | tr -s '\\t ' ' ' | cut -d ' ' -f 2- | sed 's/ *$//' | tr '\\n' '|'; echo $HOME";

    [Theory]
    [InlineData("0 0 0 0|0 0 0 0||/root")]
    [InlineData("7 7 7 7|0 0 0 0||/", "--user=7")]
    [InlineData("7 7 7 7|8 8 8 8|9 10|/", "--user=7", "--group=8", "--supplementary-gids=9,10")]
    [InlineData("1000 1000 1000 1000|1000 1000 1000 1000|1001|/home/user", "--user=user")]
    [InlineData("1000 1000 1000 1000|1000 1000 1000 1000|1001|/home/user", "--user=1000")]
    [InlineData("1000 1000 1000 1000|1001 1001 1001 1001|1001|/home/user", "--user=user", "--group=extra")]
    [InlineData("0 0 0 0|1001 1001 1001 1001|1001|/", "--user=/etc/passwd", "--group=extra", "--supplementary-gids=1001")]
    [InlineData("4294967294 4294967294 4294967294 4294967294|0 0 0 0||/", "--user=4294967294")]
    public void They_are_found_in_the_image(string expected, params string[] flags) => Assert.Equal(expected + "\n", machine.ShellAs(Who.Replace("sed", "busybox sed", StringComparison.Ordinal).Replace("tr ", "busybox tr ", StringComparison.Ordinal), flags).Output);

    [Fact]
    public void The_image_says_who_where_nobody_else_does() => Assert.Equal("1000\n", machine.Nacelle("run", TestImages.Volume, "--", "id -u").Output);

    [Theory]
    [InlineData("--user=4294967295", "no user and no group has the number 4294967295")]
    [InlineData("--group=4294967295", "no user and no group has the number 4294967295")]
    [InlineData("--supplementary-gids=4294967295", "no user and no group has the number 4294967295")]
    [InlineData("--user=none", "the image has no user 'none'")]
    [InlineData("--group=none", "the image has no group 'none'")]
    [InlineData("--user=/none", "the image has no /none")]
    [InlineData("--supplementary-gids=x", "--supplementary-gids")]
    public void Who_is_not_there_is_refused_in_one_line(string flag, string complaint)
    {
        var run = machine.ShellAs("true", flag);
        Assert.True(run.ExitCode == 254, run.ToString());
        Assert.Contains(complaint, Assert.Single(run.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Empty(machine.Pods());
    }
}
