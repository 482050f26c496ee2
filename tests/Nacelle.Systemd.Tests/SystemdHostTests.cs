using System.Diagnostics;
using Nacelle.Linux;

namespace Nacelle.Systemd.Tests;

/// <summary>Runs <see cref="SystemdScopeTests"/> where process 1 is systemd: in a container on this machine, and in a virtual machine with version 2 control groups.</summary>
public class SystemdHostTests
{
    static readonly string Tests = Path.ChangeExtension(typeof(SystemdHostTests).Assembly.Location, ".dll");

    const string All = "--no-ansi --progress off --results-directory /tmp/results --filter-class Nacelle.Systemd.Tests.SystemdScopeTests";
    const string Limits = "--no-ansi --progress off --results-directory /tmp/results --filter-method Nacelle.Systemd.Tests.SystemdScopeTests.Limits_hold_also_after_systemd_has_read_its_configuration_anew";

    [Theory]
    [InlineData("")]
    [InlineData("--unified")]
    public void The_systemd_of_the_machine_makes_scopes(string option)
    {
        var result = RunInHost(["eng/systemd-host.sh", .. option.Split(' ', StringSplitOptions.RemoveEmptyEntries)], $"dotnet exec {Tests} {All}");
        Assert.True(result.ExitCode == 0, result.Output);
        Assert.Contains("succeeded: 9", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_systemd_of_a_user_makes_scopes()
    {
        var result = RunInHost(
            ["eng/systemd-host.sh"],
            $"systemctl start user@1000.service && setpriv --reuid=1000 --regid=1000 --clear-groups env HOME=/home/tester XDG_RUNTIME_DIR=/run/user/1000 dotnet exec {Tests} {All}");
        Assert.True(result.ExitCode == 0, result.Output);
        Assert.Contains("succeeded: 9", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_limits_of_a_scope_hold_in_version_2()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/qemu-system-x86_64") && Directory.GetFiles("/boot", "vmlinuz-*-cloud-amd64").Length > 0, "needs qemu and Debian's cloud kernel");
        var result = RunInHost(["eng/guest.sh", "--timeout", "300", "--", "eng/systemd-host.sh", "--timeout", "200"], $"dotnet exec {Tests} {Limits}");
        Assert.True(result.ExitCode == 0, result.Output);
        Assert.Contains("succeeded: 1\n", result.Output, StringComparison.Ordinal);
    }

    static (int ExitCode, string Output) RunInHost(string[] host, string command)
    {
        Assert.SkipUnless(Processes.IsRoot, "needs root");
        var root = AppContext.BaseDirectory;
        while (!File.Exists(root + "/eng/systemd-host.sh"))
        {
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("eng/systemd-host.sh is not above the tests");
        }

        using var process = System.Diagnostics.Process.Start(new ProcessStartInfo($"{root}/{host[0]}", [.. host[1..], "--", "sh", "-c", command])
        {
            WorkingDirectory = root,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
