namespace Nacelle.EndToEnd.Tests;

/// <summary>What pods are called, and where their apps read it.</summary>
public sealed class HostnameTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    const string Look = "hostname; cat /etc/hostname /proc/sys/kernel/hostname; head -n 1 /etc/hosts";

    [Fact]
    public void A_pod_is_called_by_its_uuid()
    {
        var file = $"{machine.Path}/uuid";
        var name = machine.Shell(Look, $"--uuid-file-save={file}").Output;
        var expected = $"nacelle-{File.ReadAllText(file).Trim()}";
        Assert.Equal($"{expected}\n{expected}\n{expected}\n127.0.0.1\tlocalhost {expected}\n", name);
    }

    [Theory]
    [InlineData]
    [InlineData("--net=host")]
    [InlineData("--private-users")]
    public void Or_as_it_is_told_and_the_host_keeps_its_name(params string[] flags)
    {
        var before = Environment.MachineName;
        Assert.StartsWith("some.name\nsome.name\nsome.name\n", machine.Shell(Look, ["--hostname=some.name", .. flags]).Output, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText("/proc/sys/kernel/hostname").Trim());
    }

    [Fact]
    public void All_apps_of_a_pod_are_in_it() => Assert.Equal("here\nhere\n", machine.Nacelle(
        "run", "--hostname=here", TestImages.Busybox, "--name=a", "--exec=/bin/hostname", TestImages.Busybox, "--name=b", "--exec=/bin/hostname").Output);

    [Theory]
    [InlineData("--hostname=")]
    [InlineData("--hostname=a b")]
    [InlineData("--hostname=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Nonsense_is_refused(string flag)
    {
        Assert.Contains("use at most 64 letters", machine.Shell("true", flag).Errors, StringComparison.Ordinal);
        Assert.Empty(machine.Pods());
    }
}
