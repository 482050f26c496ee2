using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class CgroupLayoutTests
{
    const string Legacy =
        """
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
        """;

    [Fact]
    public void Controllers_that_share_a_hierarchy_are_seen()
    {
        var layout = CgroupLayout.Parse(Legacy);
        Assert.Equal(CgroupKind.Legacy, layout.Kind);
        Assert.Equal(
            [(CgroupControllers.Cpu | CgroupControllers.CpuAccounting, "/sys/fs/cgroup/cpu,cpuacct"), (CgroupControllers.Memory, "/sys/fs/cgroup/memory")],
            layout.Hierarchies);
    }

    [Fact]
    public void A_unified_tree_beside_hierarchies_makes_it_hybrid()
    {
        var layout = CgroupLayout.Parse(Legacy + "\n41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw");
        Assert.Equal(CgroupKind.Hybrid, layout.Kind);
        Assert.Equal("/sys/fs/cgroup/unified", layout.UnifiedMountPoint);
    }

    [Fact]
    public void A_unified_tree_alone_is_version_2() =>
        Assert.Equal(CgroupKind.Unified, CgroupLayout.Parse("41 31 0:38 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate").Kind);

    [Fact]
    public void A_machine_without_cgroups_has_none() => Assert.Equal(CgroupKind.None, CgroupLayout.Parse("22 27 0:21 / /proc rw - proc proc rw").Kind);

    [Fact]
    public void Where_no_cgroups_are_none_is_found_and_none_made()
    {
        var none = CgroupLayout.Parse("");
        Assert.Null(Cgroup.TryOpen(none, "/nacelle/pod"));
        Cgroup.TryRemoveEmpty(none, "/nacelle");
        Assert.Equal(Errno.ENOENT, Assert.Throws<KernelException>(() => Cgroup.Create(none, "/nacelle/pod", CgroupControllers.Pids)).Errno);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 1)]
    [InlineData(512, 59)]
    [InlineData(1024, 100)]
    [InlineData(262144, 10000)]
    [InlineData(ulong.MaxValue, 10000)]
    public void Shares_become_the_weight_that_other_runtimes_give(ulong shares, ulong weight) => Assert.Equal(weight, CgroupLimits.CpuWeight(shares));

    [Theory]
    [InlineData("/")]
    [InlineData("relative")]
    [InlineData("/a//b")]
    [InlineData("/a/../b")]
    [InlineData("/a/")]
    public void A_path_that_could_lead_elsewhere_is_refused(string path) =>
        Assert.Throws<ArgumentException>(() => Cgroup.Create(CgroupLayout.Detect(), path, CgroupControllers.Pids));
}
