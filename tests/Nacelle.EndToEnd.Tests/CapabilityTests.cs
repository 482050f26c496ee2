namespace Nacelle.EndToEnd.Tests;

/// <summary>What of root's power an app has.</summary>
public sealed class CapabilityTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Theory]
    [InlineData("--caps-retain=CAP_CHOWN,CAP_KILL", "0000000000000021")]
    [InlineData("--caps-remove=CAP_MKNOD", "00000000a00425fb")]
    public void Capabilities_are_kept_and_taken_by_name(string flag, string expected) =>
        Assert.Equal($"CapBnd:\t{expected}\n", machine.ShellAs("grep CapBnd /proc/self/status", flag).Output);

    [Fact]
    public void The_default_is_what_appc_says_and_nothing_is_inheritable_or_ambient() => Assert.Equal(
        "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n", machine.Shell("grep ^Cap /proc/self/status").Output);

    [Theory]
    [InlineData("chown 1:1 /tmp", "--caps-remove=CAP_CHOWN")]
    [InlineData("mknod /tmp/n c 1 3", "--caps-retain=CAP_CHOWN")]
    [InlineData("kill -0 1", "--caps-retain=CAP_CHOWN", "--user=user")]
    public void What_was_taken_cannot_be_done(string attempt, params string[] flags)
    {
        Assert.Equal(0, machine.Shell(attempt).ExitCode);
        Assert.Equal(1, machine.ShellAs(attempt, flags).ExitCode);
    }

    [Fact]
    public void Who_is_not_root_has_none_and_cannot_get_them_back() => Assert.Equal(
        "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000020\nCapAmb:\t0000000000000000\n",
        machine.ShellAs("grep -E 'Cap(Prm|Eff|Bnd|Amb)' /proc/self/status", "--user=user", "--caps-retain=CAP_KILL").Output);

    [Fact]
    public void All_are_had_only_by_name()
    {
        var ours = File.ReadAllLines("/proc/self/status").Single(line => line.StartsWith("CapBnd:", StringComparison.Ordinal)).Split('\t')[1];
        Assert.Equal($"CapEff:\t{ours}\n", machine.Shell("grep CapEff /proc/self/status", "--insecure-options=capabilities").Output);
    }

    [Theory]
    [InlineData("--caps-retain=CAP_CHOWN", "--caps-remove=CAP_KILL")]
    [InlineData("--caps-retain=CAP_SUCH")]
    public void Nonsense_is_one_line(params string[] flags)
    {
        var run = machine.ShellAs("true", flags);
        Assert.True(run.ExitCode == 254, run.ToString());
        Assert.Single(run.Errors.TrimEnd('\n').Split('\n'));
        Assert.Empty(machine.Pods());
    }
}
