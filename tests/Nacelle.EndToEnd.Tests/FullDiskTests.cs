namespace Nacelle.EndToEnd.Tests;

/// <summary>A data directory on a disk that fills up while pods run.</summary>
public sealed class FullDiskTests : IDisposable
{
    readonly Machine machine = new();

    public FullDiskTests() => Machine.Script(machine.Path, "mkdir data; mount -t tmpfs -o size=16m none data");

    public void Dispose()
    {
        machine.Nacelle("gc", "--grace-period=0s");
        machine.Nacelle("gc", "--grace-period=0s");
        Machine.Script(machine.Path, "umount data");
        machine.Dispose();
    }

    [Fact]
    public void A_full_disk_does_not_end_a_pod()
    {
        var run = machine.Nacelle(
            "run", TestImages.Busybox, "--name=greedy", "--exec=/bin/sh", "--", "-c", "dd if=/dev/zero of=/fill bs=4096 2>/dev/null; while echo >>/rest; do :; done 2>/dev/null; exit 0", "---",
            TestImages.Busybox, "--name=modest", "--exec=/bin/sh", "--restart=on-failure:2", "--", "-c", "sleep 3; echo still here; exit 5");
        Assert.True(run.ExitCode == 5, run.ToString());
        Assert.Equal("still here\nstill here\nstill here\n", run.Output);
        Assert.Contains("/rkt/status/greedy: ENOSPC", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_that_finds_no_room_to_begin_with_is_refused_in_one_line_and_leaves_nothing()
    {
        Assert.Equal(0, machine.Nacelle("fetch", TestImages.Busybox).ExitCode);
        Machine.Script(machine.Data, "dd if=/dev/zero of=fill bs=4096 2>/dev/null || true; while echo x >>rest; do :; done 2>/dev/null; true");
        var run = machine.Nacelle("run", TestImages.Busybox, "--exec=/bin/true");
        Assert.True(run.ExitCode == 254, run.ToString());
        Assert.Contains("ENOSPC", Assert.Single(run.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Machine.Script(machine.Data, "rm fill rest");
        Assert.Empty(machine.Pods());
        Assert.Equal(0, machine.Nacelle("run", TestImages.Busybox, "--exec=/bin/true").ExitCode);
    }
}
