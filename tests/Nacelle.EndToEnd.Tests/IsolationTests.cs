namespace Nacelle.EndToEnd.Tests;

public sealed class IsolationTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Theory]
    [InlineData("mnt")]
    [InlineData("pid")]
    [InlineData("ipc")]
    [InlineData("uts")]
    [InlineData("net")]
    [InlineData("cgroup")]
    public void A_pod_has_namespaces_of_its_own(string kind)
    {
        var result = machine.Shell($"readlink /proc/self/ns/{kind}");
        Assert.StartsWith(kind + ":[", result.Output, StringComparison.Ordinal);
        Assert.NotEqual(new FileInfo($"/proc/self/ns/{kind}").LinkTarget, result.Output.Trim());
    }

    [Fact]
    public void An_app_has_fourteen_capabilities_a_filter_and_three_descriptors()
    {
        var result = machine.Shell("grep -E '^(CapPrm|CapEff|CapBnd|CapAmb|Seccomp):' /proc/self/status; ls /proc/$$/fd; true");
        Assert.Equal(
            "CapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nSeccomp:\t2\n0\n1\n2\n", result.Output);
    }

    [Fact]
    public void Only_the_supervisor_and_the_app_run_in_a_pod()
    {
        var result = machine.Shell("ps -o pid,comm | tail -n +2 | head -n 1; ls -d /proc/[0-9]* | wc -l");
        Assert.Contains("1 nacelle-init", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mount -t tmpfs none /tmp")]
    [InlineData("unshare -m true")]
    [InlineData("echo 1 > /proc/sys/kernel/panic")]
    [InlineData("echo x > /sys/kernel/uevent_helper")]
    [InlineData("mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk")]
    [InlineData("ls /proc/1/root/")]
    [InlineData("cat /proc/1/exe")]
    [InlineData("cat /proc/1/environ")]
    [InlineData("hostname other")]
    [InlineData("ip link set lo down")]
    public void What_an_app_may_not_do_fails(string attempt)
    {
        var result = machine.Shell(attempt);
        Assert.True(result.ExitCode is not (0 or 254), $"{attempt}: {result}");
    }

    [Fact]
    public void The_loopback_is_up_and_alone()
    {
        var result = machine.Shell("ip -o link | cut -d: -f2; ip -o addr show lo | grep -c 127.0.0.1/8");
        Assert.Equal(" lo\n1\n", result.Output);
    }

    [Fact]
    public void The_host_network_is_the_hosts()
    {
        var result = machine.Shell("readlink /proc/self/ns/net", "--net=host");
        Assert.Equal(new FileInfo("/proc/self/ns/net").LinkTarget, result.Output.Trim());
    }

    [Fact]
    public void A_read_only_root_file_system_is_read_only()
    {
        var result = machine.ShellAs("touch /x 2>/dev/null || echo refused; touch /dev/shm/x && echo shm", "--readonly-rootfs");
        Assert.Equal("refused\nshm\n", result.Output);
    }

    [Fact]
    public void Restrictions_go_only_by_name()
    {
        var result = machine.Nacelle("--insecure-options=all-run", "run", TestImages.Busybox, "--", "sh", "-c", "grep -E '^(Seccomp|CapEff):' /proc/self/status; cat /proc/kallsyms | head -c 1 | wc -c");
        Assert.Contains("Seccomp:\t0", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("00000000a80425fb", result.Output, StringComparison.Ordinal);
    }
}
