namespace Nacelle.EndToEnd.Tests;

/// <summary>Limits on all apps of a pod together, kernel parameters of its namespaces, and labels.</summary>
public sealed class PodLimitTests : IDisposable
{
    static readonly bool Unified = File.Exists("/sys/fs/cgroup/cgroup.controllers");

    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void Apps_may_together_have_no_more_than_the_pod()
    {
        var result = machine.Nacelle(
            "run", "--pod-pids-limit=12", TestImages.Busybox, "--name=first", "--exec=/bin/sh", "--", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 3 & done; wait", "---",
            TestImages.Busybox, "--name=second", "--exec=/bin/sh", "--", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 3 & done; wait");
        Assert.Contains("can't fork", result.Errors, StringComparison.Ordinal);
        Assert.NotEqual(0, result.ExitCode);
    }

    [Fact]
    public void The_pods_limits_stand_in_its_own_group()
    {
        var (_, uuid) = machine.StartShell("sleep 600", "--pod-memory=256Mi", "--pod-cpu=1.5", "--pod-block-bandwidth=1M");
        var group = Unified ? $"/sys/fs/cgroup/nacelle/{uuid}" : $"/sys/fs/cgroup/memory/nacelle/{uuid}";
        Assert.Equal("268435456", File.ReadAllText($"{group}/{(Unified ? "memory.max" : "memory.limit_in_bytes")}").Trim());
        Assert.Equal(Unified ? "150000 100000" : "150000", File.ReadAllText(Unified ? $"{group}/cpu.max" : $"/sys/fs/cgroup/cpu/nacelle/{uuid}/cpu.cfs_quota_us").Trim());
        var rates = File.ReadAllText(Unified ? $"{group}/io.max" : $"/sys/fs/cgroup/blkio/nacelle/{uuid}/blkio.throttle.read_bps_device");
        Assert.Contains("1000000", rates, StringComparison.Ordinal);
        var processes = File.ReadAllLines(Unified ? $"{group}/busybox/cgroup.procs" : $"/sys/fs/cgroup/blkio/nacelle/{uuid}/busybox/cgroup.procs");
        Assert.NotEmpty(processes);
    }

    [Fact]
    public void Disks_are_limited_for_an_app()
    {
        var (_, uuid) = machine.StartShellAs("sleep 600", "--block-iops=100", "--block-bandwidth=2M");
        var directory = Unified ? $"/sys/fs/cgroup/nacelle/{uuid}/busybox" : $"/sys/fs/cgroup/blkio/nacelle/{uuid}/busybox";
        Assert.Contains("100", File.ReadAllText($"{directory}/{(Unified ? "io.max" : "blkio.throttle.write_iops_device")}"), StringComparison.Ordinal);
    }

    [Fact]
    public void Kernel_parameters_are_the_pods_own()
    {
        var before = File.ReadAllText("/proc/sys/net/core/somaxconn");
        var result = machine.Shell("cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax", "--sysctl=net.core.somaxconn=77", "--sysctl=kernel.msgmax=5000");
        Assert.Equal("77\n5000\n", result.Output);
        Assert.Equal(before, File.ReadAllText("/proc/sys/net/core/somaxconn"));
        Assert.Equal("78\n", machine.Shell("cat /proc/sys/net/core/somaxconn", "--private-users", "--sysctl=net.core.somaxconn=78").Output);
    }

    [Fact]
    public void Those_of_the_host_are_refused_and_nothing_is_left()
    {
        Assert.Equal(
            "nacelle: net.core.somaxconn would change the host, whose network the pod is to share (--net=host)\n",
            machine.Shell("true", "--net=host", "--sysctl=net.core.somaxconn=77").Errors);
        Assert.Equal("nacelle: isolators[0].value: vm.swappiness would change the host: no namespace of a pod has it for itself\n", machine.Shell("true", "--sysctl=vm.swappiness=1").Errors);
        Assert.Empty(machine.Pods());
    }

    [Theory]
    [InlineData("--apparmor-profile=nacelle-none", "set the AppArmor profile nacelle-none, which has to be loaded")]
    [InlineData("--selinux-context=system_u:system_r:container_t:s0:c1,c2", "system_u:system_r:container_t:s0:c1,c2")]
    public void A_label_that_cannot_be_had_is_an_error(string flag, string operation)
    {
        Assert.SkipWhen(File.Exists("/sys/fs/selinux/enforce"), "SELinux runs here, and might know the label");
        var result = machine.ShellAs("true", flag);
        Assert.Equal(254, result.ExitCode);
        Assert.Contains(operation, result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_call_that_is_filtered_without_an_error_ends_the_app()
    {
        Assert.Equal(159, machine.ShellAs("exec mkdir /tmp/x", "--seccomp=mode=remove,mkdir,mkdirat").ExitCode); // SIGSYS
        var result = machine.ShellAs("mkdir /tmp/x; echo code=$?", "--seccomp=mode=remove,errno=ENOSYS,mkdir,mkdirat");
        Assert.Contains("code=1", result.Output, StringComparison.Ordinal);
    }
}
