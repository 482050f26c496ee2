namespace Nacelle.EndToEnd.Tests;

/// <summary>Three faults that rkt was left with: a process that entered a pod had none of the pod's restrictions, and as root it could leave by that.</summary>
public sealed class EnterTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    /// <summary>Starts a process in the pod, and finds it and the app from outside, by their command lines.</summary>
    (string App, string Entered) EnterBeside(string script, params string[] flags)
    {
        var (_, uuid) = machine.StartShell(script, flags);
        machine.Start("enter", uuid, "/bin/sleep", "4712");
        string? app = null, entered = null;
        Machine.Eventually(() => (app = Find(uuid, "4711")) is not null && (entered = Find(uuid, "4712")) is not null, "both processes run");
        return (app!, entered!);
    }

    /// <summary>The process of the pod that sleeps for so many seconds.</summary>
    string? Find(string uuid, string seconds)
    {
        var pod = new FileInfo($"/proc/{machine.PidOf(uuid)}/ns/pid").LinkTarget;
        return Directory.GetDirectories("/proc").Where(process => char.IsAsciiDigit(process[6])).FirstOrDefault(process =>
        {
            try
            {
                return new FileInfo($"{process}/ns/pid").LinkTarget == pod && File.ReadAllText($"{process}/cmdline").EndsWith($"sleep\0{seconds}\0", StringComparison.Ordinal);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        });
    }

    static string[] RestrictionsOf(string process) => [.. File.ReadLines($"{process}/status")
        .Where(line => ((string[])["Cap", "Seccomp", "NoNewPrivs", "Groups", "Uid", "Gid"]).Any(start => line.StartsWith(start, StringComparison.Ordinal)))];

    // CVE-2019-10144: with all the capabilities of root on the host. CVE-2019-10145: without the seccomp filter.
    [Theory]
    [InlineData]
    [InlineData("--private-users")]
    public void Who_enters_a_pod_has_the_capabilities_and_the_filter_of_the_app(params string[] flags)
    {
        var (app, entered) = EnterBeside("exec sleep 4711", flags);
        Assert.Contains("CapBnd:\t00000000a80425fb", RestrictionsOf(entered));
        Assert.Contains("CapInh:\t0000000000000000", RestrictionsOf(entered));
        Assert.Contains("Seccomp:\t2", RestrictionsOf(entered));
        Assert.Equal(RestrictionsOf(app), RestrictionsOf(entered));
    }

    // CVE-2019-10147: outside of the control groups, and so without the pod's limits.
    [Fact]
    public void Who_enters_a_pod_is_in_the_control_groups_of_the_app()
    {
        var (app, entered) = EnterBeside("exec sleep 4711");
        Assert.Contains("nacelle", File.ReadAllText($"{entered}/cgroup"), StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText($"{app}/cgroup"), File.ReadAllText($"{entered}/cgroup"));
    }

    [Theory]
    [InlineData("unshare -m true")]
    [InlineData("mount -t tmpfs none /tmp")]
    [InlineData("mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk")]
    [InlineData("echo 1 >/proc/sys/kernel/panic")]
    [InlineData("ls /proc/1/root/")]
    public void What_the_app_may_not_do_who_enters_may_not_either(string attempt)
    {
        var (_, uuid) = machine.StartShell("exec sleep 4711");
        var result = machine.Nacelle("enter", uuid, "/bin/sh", "-c", attempt);
        Assert.True(result.ExitCode is not (0 or 254), $"{attempt}: {result}");
    }
}
