using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class CgroupTests
{
    const CgroupControllers Usual = CgroupControllers.Memory | CgroupControllers.Cpu | CgroupControllers.CpuAccounting | CgroupControllers.Pids | CgroupControllers.Freezer;

    [KernelFact]
    public void A_process_that_joins_is_listed_and_so_are_its_children()
    {
        using var test = new TestGroup(Usual);
        var process = test.Start("sleep 1000 & wait");
        Wait.Until(() => test.Group.Processes().Count == 2, () => string.Join(",", test.Group.Processes()));
        Assert.Contains(process.Id, test.Group.Processes());
    }

    [KernelFact]
    public void A_process_is_born_in_a_group_of_version_2()
    {
        using var test = new TestGroup(Usual);
        Assert.SkipWhen(test.Group.UnifiedDirectory is null, "only in cgroup v2 can a process be born in a group");
        var plan = new LaunchPlan();
        plan.Call("exec", SystemCall.execve, plan.Text("/bin/sleep"), plan.TextArray(["sleep", "1000"]), plan.TextArray([]));
        var process = Launcher.StartIn(test.Group.UnifiedDirectory!, new PlanImage(plan));
        Assert.Equal([process.Id], test.Group.Processes());
        test.Group.Kill();
        Assert.Equal(9, process.Wait().Signal);
    }

    [KernelFact]
    public void A_process_is_moved_with_its_threads()
    {
        using var test = new TestGroup(Usual);
        using var other = System.Diagnostics.Process.Start("/bin/sleep", "1000");
        try
        {
            test.Group.Add(other.Id);
            Assert.Contains(other.Id, test.Group.Processes());
        }
        finally
        {
            other.Kill();
            other.WaitForExit();
        }
    }

    [KernelFact]
    public void Memory_above_the_limit_is_not_had()
    {
        using var test = new TestGroup(Usual).Needs(CgroupControllers.Memory);
        Assert.Empty(test.Group.Apply(new CgroupLimits { Memory = 16 << 20 }));
        Assert.Equal($"{16 << 20}", test.Read("memory.max", "memory", "memory.limit_in_bytes"));
        Assert.Equal(137, test.Run("exec head -c 64m /dev/zero | tail -c 64m > /dev/null; exit 137").ShellCode);
        Assert.True(test.Group.ReadStatistics().OutOfMemoryKills > 0, $"{test.Group.ReadStatistics()}");
    }

    [KernelFact]
    public void More_processes_than_the_limit_are_not_had()
    {
        using var test = new TestGroup(Usual).Needs(CgroupControllers.Pids);
        Assert.Empty(test.Group.Apply(new CgroupLimits { Pids = 1 }));
        Assert.NotEqual(0, test.Run("(sleep 0) && true").ShellCode);
        Assert.Empty(test.Group.Apply(new CgroupLimits { Pids = CgroupLimits.Unlimited }));
        Assert.Equal(0, test.Run("(sleep 0) && true").ShellCode);
    }

    [KernelFact]
    public void Processor_time_is_limited_by_quota_and_shares()
    {
        using var test = new TestGroup(Usual).Needs(CgroupControllers.Cpu);
        Assert.Empty(test.Group.Apply(new CgroupLimits { CpuQuota = 50_000, CpuPeriod = 200_000, CpuShares = 512 }));
        Assert.StartsWith("50000", test.Read("cpu.max", "cpu", "cpu.cfs_quota_us"), StringComparison.Ordinal);
        Assert.EndsWith("200000", test.Read("cpu.max", "cpu", "cpu.cfs_period_us"), StringComparison.Ordinal);
        Assert.Equal(TestGroup.Unified ? "59" : "512", test.Read("cpu.weight", "cpu", "cpu.shares"));
    }

    [KernelFact]
    public void Processors_are_chosen()
    {
        using var test = new TestGroup(CgroupControllers.CpuSet).Needs(CgroupControllers.CpuSet);
        Assert.Empty(test.Group.Apply(new CgroupLimits { CpuSetProcessors = "0", CpuSetMemoryNodes = "0" }));
        Assert.Equal(0, test.Run("grep -q '^Cpus_allowed_list:[[:space:]]*0$' /proc/self/status").ShellCode);
    }

    [KernelFact]
    public void Reading_and_writing_a_disk_are_limited()
    {
        using var test = new TestGroup(CgroupControllers.BlockIo).Needs(CgroupControllers.BlockIo);
        using var disk = new TestDisk();
        Assert.Empty(test.Group.Apply(new CgroupLimits { BlockIo = [new(disk.Number, ReadBytes: 1 << 20, Writes: 100)] }));
        Assert.Contains("1048576", test.Read("io.max", "blkio", "blkio.throttle.read_bps_device"), StringComparison.Ordinal);
        Assert.Contains("100", test.Read("io.max", "blkio", "blkio.throttle.write_iops_device"), StringComparison.Ordinal);
    }

    [KernelFact]
    public void A_file_of_version_2_is_written_as_it_is_asked_for()
    {
        using var test = new TestGroup(Usual).Needs(CgroupControllers.Memory);
        var unset = test.Group.Apply(new CgroupLimits { Unified = [new("memory.high", "10485760"), new("../cgroup.procs", "1")] });
        Assert.Equal(TestGroup.Unified ? ["../cgroup.procs"] : ["memory.high", "../cgroup.procs"], unset.Select(limit => limit.Limit));
    }

    [KernelFact]
    public void A_limit_whose_controller_is_missing_is_reported_by_name()
    {
        using var test = new TestGroup(CgroupControllers.Pids);
        var unset = Assert.Single(test.Group.Apply(new CgroupLimits { HugePages = [new("7MB", 1)] }));
        Assert.Equal("hugetlb.7MB." + (TestGroup.Unified ? "max" : "limit_in_bytes"), unset.Limit);
        Assert.Contains("hugetlb", unset.Reason, StringComparison.Ordinal);
    }

    [KernelFact]
    public void A_limit_that_the_kernel_refuses_is_reported_with_its_value()
    {
        using var test = new TestGroup(Usual).Needs(CgroupControllers.Cpu);
        var unset = Assert.Single(test.Group.Apply(new CgroupLimits { CpuPeriod = 5 }));
        Assert.Contains('5', unset.Reason);
    }

    [KernelFact]
    public void Memory_and_swap_can_be_raised_and_lowered_again()
    {
        using var test = new TestGroup(Usual).Needs(CgroupControllers.Memory);
        Assert.SkipUnless(File.Exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes") || TestGroup.Unified, "swap is not counted here");
        foreach (long limit in new long[] { 64 << 20, 256 << 20, 32 << 20 })
        {
            Assert.Empty(test.Group.Apply(new CgroupLimits { Memory = limit, MemoryAndSwap = limit * 2 }));
            Assert.Equal($"{limit}", test.Read("memory.max", "memory", "memory.limit_in_bytes"));
            Assert.Equal($"{(TestGroup.Unified ? limit : limit * 2)}", test.Read("memory.swap.max", "memory", "memory.memsw.limit_in_bytes"));
        }
    }

    [KernelFact]
    public void Killing_a_group_leaves_nothing_of_it_not_even_of_a_fork_bomb()
    {
        using var test = new TestGroup(Usual).Needs(CgroupControllers.Pids);
        Assert.Empty(test.Group.Apply(new CgroupLimits { Pids = 200 }));
        var process = test.Start("trap '' TERM; f() { while :; do (sleep 1000 & f) & sleep 0.01; done; }; f");
        Wait.Until(() => test.Group.Processes().Count > 20, () => $"{test.Group.Processes().Count} processes");
        test.Group.Kill();
        process.Wait();
        test.Forget(process);
        Wait.Until(() => test.Group.Processes().Count == 0, () => $"{test.Group.Processes().Count} processes");
    }

    [KernelFact]
    public void A_frozen_group_stands_still_until_it_is_thawed()
    {
        using var test = new TestGroup(Usual);
        Assert.SkipUnless(TestGroup.Unified || (test.Group.Controllers & CgroupControllers.Freezer) != 0, "no freezer");
        Assert.SkipUnless(TestGroup.Unified || Directory.EnumerateFiles("/sys/fs/cgroup/freezer").Any(), "no freezer");
        var process = test.Start("while :; do :; done");
        test.Group.Freeze();
        long before = UsedTicks(process.Id);
        Thread.Sleep(50);
        Assert.Equal(before, UsedTicks(process.Id));
        test.Group.Thaw();
        Wait.Until(() => UsedTicks(process.Id) > before, () => "it does not run again");
    }

    [KernelFact]
    public void A_group_that_was_opened_again_is_frozen_and_thawed()
    {
        using var test = new TestGroup(Usual).Needs(CgroupControllers.Freezer);
        using var again = Cgroup.TryOpen(TestGroup.Layout, test.Group.Path)!;
        again.Freeze();
        Assert.True(again.IsFrozen && test.Group.IsFrozen);
        again.Thaw();
        Assert.False(again.IsFrozen || test.Group.IsFrozen);
    }

    [KernelFact]
    public void A_frozen_group_can_be_killed()
    {
        using var test = new TestGroup(Usual);
        var process = test.Start("sleep 1000");
        test.Group.Freeze();
        test.Group.Kill();
        Assert.Equal(9, process.Wait().Signal);
        test.Forget(process);
    }

    [KernelFact]
    public void Removing_takes_the_groups_below_along()
    {
        using var test = new TestGroup(CgroupControllers.Pids);
        Cgroup.Create(TestGroup.Layout, test.Group.Path + "/a/b/c", CgroupControllers.Pids).Dispose();
        test.Group.Remove();
        Assert.Null(Cgroup.TryOpen(TestGroup.Layout, test.Group.Path));
    }

    [KernelFact]
    public void A_group_with_a_live_process_is_not_removed_and_names_it()
    {
        using var test = new TestGroup(CgroupControllers.Pids);
        var process = test.Start("sleep 1000");
        var failure = Assert.Throws<KernelException>(() => test.Group.Remove());
        Assert.Equal(Errno.EBUSY, failure.Errno);
        Assert.Contains($"process {process.Id}", failure.Message, StringComparison.Ordinal);
    }

    [KernelFact]
    public void A_name_that_is_taken_is_refused_and_left_alone()
    {
        using var test = new TestGroup(Usual);
        Assert.Equal(Errno.EEXIST, Assert.Throws<KernelException>(() => Cgroup.Create(TestGroup.Layout, test.Group.Path, Usual)).Errno);
        using var still = Cgroup.TryOpen(TestGroup.Layout, test.Group.Path);
        Assert.NotNull(still);
    }

    [KernelFact]
    public void Use_is_counted()
    {
        using var test = new TestGroup(Usual);
        var process = test.Start("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exec sleep 1000");
        Wait.Until(() => File.ReadAllText($"/proc/{process.Id}/comm") == "sleep\n", () => "still counting");
        var statistics = test.Group.ReadStatistics();
        Assert.True(statistics.CpuNanoseconds > 0, $"{statistics}");
        if ((test.Group.Controllers & CgroupControllers.Memory) != 0)
        {
            Assert.True(statistics.MemoryBytes > 0, $"{statistics}");
        }

        if ((test.Group.Controllers & CgroupControllers.Pids) != 0 && statistics.Pids is { } pids)
        {
            Assert.Equal(1, pids);
        }
    }

    [KernelFact]
    public void An_empty_parent_goes_and_one_with_groups_stays()
    {
        using var test = new TestGroup(CgroupControllers.Pids);
        using var child = Cgroup.Create(TestGroup.Layout, test.Group.Path + "/child", CgroupControllers.Pids);
        Cgroup.TryRemoveEmpty(TestGroup.Layout, test.Group.Path);
        using (var still = Cgroup.TryOpen(TestGroup.Layout, test.Group.Path))
        {
            Assert.NotNull(still);
        }

        child.Remove();
        Cgroup.TryRemoveEmpty(TestGroup.Layout, test.Group.Path);
        Assert.Null(Cgroup.TryOpen(TestGroup.Layout, test.Group.Path));
    }

    [KernelFact]
    public void Controllers_reach_a_group_several_levels_below_the_root()
    {
        using var test = new TestGroup(Usual);
        using var child = Cgroup.Create(TestGroup.Layout, test.Group.Path + "/a/b", Usual);
        var unset = child.Apply(new CgroupLimits { Memory = 32 << 20, CpuShares = 100 });
        Assert.True(unset.Count == 0, string.Join("; ", unset));
    }

    [KernelFact]
    public void A_parent_that_has_processes_is_named_when_controllers_cannot_be_had()
    {
        Assert.SkipUnless(TestGroup.Unified, "only cgroup v2 forbids processes beside groups");
        using var test = new TestGroup(CgroupControllers.None);
        test.Start("sleep 1000");
        using var child = Cgroup.Create(TestGroup.Layout, test.Group.Path + "/child", CgroupControllers.Memory);
        var unset = Assert.Single(child.Apply(new CgroupLimits { Memory = 32 << 20 }));
        Assert.Contains($"processes are in {test.Group.Path}", unset.Reason, StringComparison.Ordinal);
    }

    [KernelFact]
    public void Whoever_holds_the_kill_file_kills_all_in_the_group() => KillAll(group =>
    {
        var kill = group.OpenKillFile();
        Assert.Equal(TestGroup.Unified, kill.KillsAll);
        return kill;
    });

    [KernelFact]
    public void Where_the_kernel_has_no_kill_file_the_list_of_processes_does_as_well() =>
        KillAll(group => new CgroupKillFile(Files.Open($"{group.Locations[0].Directory}/cgroup.procs", OpenFlags.ReadOnly), KillsAll: false));

    static void KillAll(Func<Cgroup, CgroupKillFile> open)
    {
        using var test = new TestGroup(Usual);
        test.Start("sleep 1000 & sleep 1000");
        Wait.Until(() => test.Group.Processes().Count >= 2, () => $"processes: {test.Group.Processes().Count}");
        var kill = open(test.Group);
        kill.Kill();
        kill.File.Dispose();
        Wait.Until(() => test.Group.Processes().Count == 0, () => $"processes: {test.Group.Processes().Count}");
    }

    static long UsedTicks(int process)
    {
        var fields = File.ReadAllText($"/proc/{process}/stat").Split(") ")[1].Split(' ');
        return long.Parse(fields[11]) + long.Parse(fields[12]);
    }
}
