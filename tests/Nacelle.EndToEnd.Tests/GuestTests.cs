namespace Nacelle.EndToEnd.Tests;

/// <summary>The same executables on Debian's own kernel with version 2 control groups alone, in a small virtual machine (eng/guest.sh).</summary>
public sealed class GuestTests
{
    [Fact]
    public void Pods_run_with_version_2_control_groups_on_an_older_kernel()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/qemu-system-x86_64") && Directory.GetFiles("/boot", "vmlinuz-*-cloud-amd64").Length > 0, "needs qemu and Debian's cloud kernel");
        var root = AppContext.BaseDirectory;
        while (!File.Exists(root + "/eng/guest.sh"))
        {
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("eng/guest.sh is not above the tests");
        }

        var share = Directory.CreateTempSubdirectory("nacelle-guest-").FullName;
        try
        {
            Assert.Equal(0, Machine.Run("/bin/cp", "-r", TestImages.Busybox.Split(':')[1], share + "/busybox").ExitCode);
            File.WriteAllText(share + "/script", $$"""
                n="{{Machine.Program}} --dir=/tmp/data --insecure-options=image"; i=oci:/run/share/busybox:busybox
                $n run $i -- sh -c 'echo group $(cat /proc/self/cgroup); hostname | cut -c1-7' 2>&1
                $n run $i --memory=64Mi --cpu=500m --pids-limit=20 -- sh -c 'cd /sys/fs/cgroup; echo limits $(cat memory.max cpu.max pids.max)' 2>&1
                $n run $i -- sh -c 'mknod /tmp/b b 254 0; head -c 1 /tmp/b 2>&1; mknod /tmp/n c 1 3; echo x > /tmp/n && echo null works' 2>&1
                $n run --private-users $i -- sh -c 'echo user $(id -u) $(stat -c %u /bin/busybox); cut -c1-11 /proc/self/uid_map' 2>&1
                $n run $i --memory=20M -- dd if=/dev/zero of=/dev/shm/x bs=1M count=60 2>/dev/null; echo killed $?
                $n gc --grace-period=0s >/dev/null; echo left $(ls -d /sys/fs/cgroup/nacelle/*/ /tmp/data/pods/*/* 2>/dev/null | wc -l)
                """);
            var result = Machine.Run(root + "/eng/guest.sh", "--timeout", "200", "--share", share, "--", "bash", "/run/share/script");
            Assert.True(result.ExitCode == 0, result.ToString());
            Assert.Equal(
                """
                group 0::/
                nacelle
                limits 67108864 50000 100000 20
                head: /tmp/b: Operation not permitted
                null works
                user 0 0
                         0 
                killed 137
                left 0

                """, result.Output.ReplaceLineEndings("\n"));
        }
        finally
        {
            Directory.Delete(share, recursive: true);
        }
    }
}
