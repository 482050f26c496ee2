using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class CgroupLimitTests
{
    const CgroupControllers Memory = CgroupControllers.Memory, Cpu = CgroupControllers.Cpu, BlockIo = CgroupControllers.BlockIo;

    [KernelFact]
    public void A_quota_and_its_burst_are_raised_and_lowered_together()
    {
        using var test = new TestGroup(Cpu).Needs(Cpu);
        foreach (long quota in new long[] { 50_000, 90_000, 20_000 })
        {
            AssertAllSet(test, new CgroupLimits { CpuQuota = quota, CpuPeriod = 100_000, CpuBurst = (ulong)quota });
            Assert.StartsWith($"{quota}", test.Read("cpu.max", "cpu", "cpu.cfs_quota_us"), StringComparison.Ordinal);
            Assert.Equal($"{quota}", test.Read("cpu.max.burst", "cpu", "cpu.cfs_burst_us"));
        }
    }

    [KernelFact]
    public void A_burst_beyond_the_quota_is_reported()
    {
        using var test = new TestGroup(Cpu).Needs(Cpu);
        var unset = Assert.Single(test.Group.Apply(new CgroupLimits { CpuQuota = 20_000, CpuBurst = 30_000 }));
        Assert.Equal((TestGroup.Unified ? "cpu.max.burst" : "cpu.cfs_burst_us", Errno.EINVAL), (unset.Limit, unset.Errno));
    }

    [KernelFact]
    public void A_new_period_leaves_the_quota_and_a_new_quota_the_period()
    {
        using var test = new TestGroup(Cpu).Needs(Cpu);
        AssertAllSet(test, new CgroupLimits { CpuQuota = 30_000, CpuPeriod = 100_000 });
        AssertAllSet(test, new CgroupLimits { CpuPeriod = 50_000 });
        AssertAllSet(test, new CgroupLimits { CpuQuota = 20_000 });
        Assert.StartsWith("20000", test.Read("cpu.max", "cpu", "cpu.cfs_quota_us"), StringComparison.Ordinal);
        AssertAllSet(test, new CgroupLimits { CpuPeriod = 60_000 });
        Assert.StartsWith("20000", test.Read("cpu.max", "cpu", "cpu.cfs_quota_us"), StringComparison.Ordinal);
        Assert.EndsWith("60000", test.Read("cpu.max", "cpu", "cpu.cfs_period_us"), StringComparison.Ordinal);
    }

    [KernelFact]
    public void A_quota_is_lifted()
    {
        using var test = new TestGroup(Cpu).Needs(Cpu);
        AssertAllSet(test, new CgroupLimits { CpuQuota = 30_000 });
        AssertAllSet(test, new CgroupLimits { CpuQuota = CgroupLimits.Unlimited });
        Assert.StartsWith(TestGroup.Unified ? "max" : "-1", test.Read("cpu.max", "cpu", "cpu.cfs_quota_us"), StringComparison.Ordinal);
    }

    [KernelFact]
    public void A_group_becomes_idle_and_busy_again_with_its_shares()
    {
        using var test = new TestGroup(Cpu).Needs(Cpu);
        AssertAllSet(test, new CgroupLimits { CpuIdle = 1, CpuShares = 512 });
        Assert.Equal("1", test.Read("cpu.idle", "cpu", "cpu.idle"));
        AssertAllSet(test, new CgroupLimits { CpuIdle = 1, CpuShares = 512 });
        AssertAllSet(test, new CgroupLimits { CpuIdle = 0, CpuShares = 512 });
        Assert.Equal(TestGroup.Unified ? "59" : "512", test.Read("cpu.weight", "cpu", "cpu.shares"));
    }

    [KernelFact]
    public void Real_time_is_given_in_version_1_and_reported_in_version_2()
    {
        using var test = new TestGroup(Cpu).Needs(Cpu);
        var limits = new CgroupLimits { CpuRealtimePeriod = 500_000, CpuRealtimeRuntime = 1000 };
        if (TestGroup.Unified)
        {
            Assert.Equal("cpu.rt_runtime_us", Assert.Single(test.Group.Apply(limits)).Limit);
            return;
        }

        using var parent = Cgroup.TryOpen(TestGroup.Layout, LeakGuard.CgroupParent)!;
        var refused = parent.Apply(limits);
        Assert.SkipWhen(refused.Count > 0, $"no real-time scheduling of groups: {string.Join("; ", refused)}");
        AssertAllSet(test, limits);
        Assert.Equal("1000", test.Read("", "cpu", "cpu.rt_runtime_us"));
    }

    [KernelFact]
    public void Lifting_the_limit_on_memory_lifts_that_on_swap()
    {
        using var test = new TestGroup(Memory).Needs(Memory);
        Assert.SkipUnless(CountsSwap(test), "swap is not counted here");
        AssertAllSet(test, new CgroupLimits { Memory = 64 << 20, MemoryAndSwap = 96 << 20 });
        AssertAllSet(test, new CgroupLimits { Memory = CgroupLimits.Unlimited });
        Assert.Equal(test.Read("memory.max", "memory", "memory.limit_in_bytes"), test.Read("memory.swap.max", "memory", "memory.memsw.limit_in_bytes"));
    }

    [KernelFact]
    public void Swap_is_limited_later_beside_the_limit_on_memory_that_is_there()
    {
        using var test = new TestGroup(Memory).Needs(Memory);
        Assert.SkipUnless(CountsSwap(test), "swap is not counted here");
        AssertAllSet(test, new CgroupLimits { Memory = 64 << 20 });
        AssertAllSet(test, new CgroupLimits { MemoryAndSwap = 96 << 20 });
        Assert.Equal($"{(TestGroup.Unified ? 32 : 96) << 20}", test.Read("memory.swap.max", "memory", "memory.memsw.limit_in_bytes"));
    }

    [KernelFact]
    public void Memory_in_use_is_not_taken_away_where_that_is_asked_for()
    {
        using var test = new TestGroup(Memory).Needs(Memory);
        test.Start("x=$(head -c 24m /dev/zero | tr '\\0' x); sleep 1000");
        Wait.Until(() => test.Group.ReadStatistics().MemoryBytes > 24 << 20, () => $"{test.Group.ReadStatistics()}");
        var unset = Assert.Single(test.Group.Apply(new CgroupLimits { Memory = 4 << 20, CheckBeforeUpdate = true }));
        Assert.Equal(Errno.EBUSY, unset.Errno);
        Assert.Contains("in use", unset.Reason, StringComparison.Ordinal);
        Assert.Equal(0, test.Group.ReadStatistics().OutOfMemoryKills);
        AssertAllSet(test, new CgroupLimits { Memory = 64 << 20, CheckBeforeUpdate = true });
    }

    [KernelFact]
    public void What_only_version_1_has_is_set_there_and_named_in_version_2()
    {
        using var test = new TestGroup(Memory).Needs(Memory);
        var unset = test.Group.Apply(new CgroupLimits
        {
            KernelMemory = 1 << 30, KernelTcpMemory = 1 << 20, Swappiness = 10, DisableOutOfMemoryKiller = true,
        });
        if (TestGroup.Unified)
        {
            Assert.Equal(["memory.kmem.tcp.limit_in_bytes", "memory.swappiness", "memory.oom_control"], unset.Select(limit => limit.Limit));
            return;
        }

        Assert.Empty(unset);
        Assert.Equal($"{1 << 20}", test.Read("", "memory", "memory.kmem.tcp.limit_in_bytes"));
        Assert.Equal("10", test.Read("", "memory", "memory.swappiness"));
        Assert.StartsWith("oom_kill_disable 1", test.Read("", "memory", "memory.oom_control"), StringComparison.Ordinal);
        AssertAllSet(test, new CgroupLimits { DisableOutOfMemoryKiller = false });
        Assert.StartsWith("oom_kill_disable 0", test.Read("", "memory", "memory.oom_control"), StringComparison.Ordinal);
    }

    [KernelFact]
    public void No_limit_is_no_failure_where_the_kernel_has_no_such_limit()
    {
        using var test = new TestGroup(CgroupControllers.None);
        const long No = CgroupLimits.Unlimited;
        AssertAllSet(test, new CgroupLimits
        {
            Memory = No, MemoryAndSwap = No, KernelMemory = No, KernelTcpMemory = No, DisableOutOfMemoryKiller = false, CpuQuota = No, CpuBurst = 0, CpuIdle = 0,
            Pids = No, NetworkClass = 0,
        });
    }

    [KernelFact]
    public void A_missing_controller_is_named_and_told_from_a_refusal()
    {
        using var test = new TestGroup(CgroupControllers.None);
        Assert.SkipWhen(TestGroup.Layout.Hierarchies.Any(hierarchy => (hierarchy.Controllers & CgroupControllers.Rdma) != 0), "this machine has the controller");
        var unset = Assert.Single(test.Group.Apply(new CgroupLimits { Rdma = [new("mlx5_1", 3, null)] }));
        Assert.Equal(("rdma.max", Errno.ENOENT), (unset.Limit, unset.Errno));
        Assert.Contains("'rdma' controller is not available", unset.Reason, StringComparison.Ordinal);
    }

    [KernelFact]
    public void Weights_of_disks_are_set_for_all_and_for_one()
    {
        using var test = new TestGroup(BlockIo).Needs(BlockIo);
        bool bfq = File.Exists($"{Directory(test, BlockIo)}/{(TestGroup.Unified ? "io.bfq.weight" : "blkio.bfq.weight")}");
        Assert.SkipUnless(bfq || TestGroup.Unified, "no scheduler of disks with weights");
        AssertAllSet(test, new CgroupLimits { BlockIoWeight = 500 });
        Assert.Contains(bfq ? "500" : "4950", test.Read(bfq ? "io.bfq.weight" : "io.weight", "blkio", "blkio.bfq.weight"), StringComparison.Ordinal);

        var unset = test.Group.Apply(new CgroupLimits { BlockIoLeafWeight = 500, BlockIoWeights = [new(new(999, 7), 300, 200)] });
        string prefix = TestGroup.Unified ? "io" : "blkio";
        Assert.Equal(3, unset.Count);
        Assert.Contains(unset, limit => limit.Limit == "blkio.leaf_weight");
        Assert.Contains(unset, limit => limit.Limit == "blkio.leaf_weight_device");
        Assert.Contains(unset, limit => limit.Limit.StartsWith(prefix, StringComparison.Ordinal) && limit.Errno == Errno.ENODEV);
    }

    [KernelFact]
    public void Throttling_of_a_disk_is_lifted_by_zero()
    {
        using var test = new TestGroup(BlockIo).Needs(BlockIo);
        using var device = new TestDisk();
        var disk = device.Number;
        AssertAllSet(test, new CgroupLimits { BlockIo = [new(disk, ReadBytes: 1 << 20, Reads: 100)] });
        Assert.Contains($"{disk}", test.Read("io.max", "blkio", "blkio.throttle.read_bps_device"), StringComparison.Ordinal);
        AssertAllSet(test, new CgroupLimits { BlockIo = [new(disk, ReadBytes: 0, Reads: 0)] });
        Assert.Equal("", test.Read("io.max", "blkio", "blkio.throttle.read_bps_device"));
    }

    [KernelFact]
    public void Huge_pages_are_limited_in_reservation_and_in_use()
    {
        using var test = new TestGroup(CgroupControllers.HugePages).Needs(CgroupControllers.HugePages);
        AssertAllSet(test, new CgroupLimits { HugePages = [new("2MB", 4 << 20)] });
        Assert.Equal($"{4 << 20}", test.Read("hugetlb.2MB.max", "hugetlb", "hugetlb.2MB.limit_in_bytes"));
        Assert.Equal($"{4 << 20}", test.Read("hugetlb.2MB.rsvd.max", "hugetlb", "hugetlb.2MB.rsvd.limit_in_bytes"));
    }

    [KernelFact]
    public void Several_lines_for_a_file_of_version_2_are_written_one_by_one()
    {
        using var test = new TestGroup(BlockIo).Needs(BlockIo);
        Assert.SkipUnless(TestGroup.Unified, "only for cgroup v2");
        using var device = new TestDisk();
        var disk = device.Number;
        AssertAllSet(test, new CgroupLimits { Unified = [new("io.max", $"{disk} rbps=1048576\n{disk} wiops=50\n")] });
        Assert.Equal($"{disk} rbps=1048576 wbps=max riops=max wiops=50", test.Read("io.max", "", ""));
        Assert.Contains("'net_cls' controller", Assert.Single(test.Group.Apply(new CgroupLimits { Unified = [new("net_cls.classid", "1")] })).Reason, StringComparison.Ordinal);
    }

    [KernelFact]
    public void Packets_are_marked_in_version_1()
    {
        using var directory = new TemporaryDirectory();
        Assert.SkipUnless(Shell($"mount -t cgroup -o net_cls,net_prio none {directory.Path}"), "this kernel marks no packets");
        try
        {
            var layout = CgroupLayout.Parse(File.ReadAllText("/proc/self/mountinfo"));
            using var group = Cgroup.Create(layout, $"{LeakGuard.CgroupParent}-net", CgroupControllers.NetworkClass | CgroupControllers.NetworkPriority);
            Assert.Empty(group.Apply(new CgroupLimits { NetworkClass = 0x100001, NetworkPriorities = [new("lo", 7)] }));
            Assert.Equal($"{0x100001}\n", File.ReadAllText($"{directory.Path}{group.Path}/net_cls.classid"));
            Assert.Contains("lo 7\n", File.ReadAllText($"{directory.Path}{group.Path}/net_prio.ifpriomap"), StringComparison.Ordinal);
            group.Remove();
        }
        finally
        {
            Shell($"umount {directory.Path}");
        }
    }

    [KernelFact]
    public void Processors_are_changed_while_processes_run()
    {
        using var test = new TestGroup(CgroupControllers.CpuSet).Needs(CgroupControllers.CpuSet);
        Assert.SkipUnless(Environment.ProcessorCount > 1, "one processor");
        var process = test.Start("exec sleep 1000");
        foreach (string processors in new[] { "1", "0", "0-1" })
        {
            AssertAllSet(test, new CgroupLimits { CpuSetProcessors = processors, CpuSetMemoryNodes = "" });
            Assert.Contains($"Cpus_allowed_list:\t{processors}\n", File.ReadAllText($"/proc/{process.Id}/status"), StringComparison.Ordinal);
        }
    }

    static bool CountsSwap(TestGroup test) =>
        File.Exists($"{Directory(test, Memory)}/{(TestGroup.Unified ? "memory.swap.max" : "memory.memsw.limit_in_bytes")}");

    static string Directory(TestGroup test, CgroupControllers controller) =>
        (TestGroup.Layout.UnifiedMountPoint is { } mount && TestGroup.Unified ? mount : TestGroup.Layout.Hierarchies.First(one => (one.Controllers & controller) != 0).MountPoint)
        + test.Group.Path;

    static bool Shell(string command)
    {
        using var process = System.Diagnostics.Process.Start("/bin/sh", ["-c", $"{command} 2>/dev/null"]);
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    static void AssertAllSet(TestGroup test, CgroupLimits limits)
    {
        var unset = test.Group.Apply(limits);
        Assert.True(unset.Count == 0, string.Join("; ", unset));
    }
}
