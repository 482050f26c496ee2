using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public class CgroupPathTests
{
    const CgroupControllers Usual = CgroupControllers.Memory | CgroupControllers.Cpu | CgroupControllers.CpuSet | CgroupControllers.Pids | CgroupControllers.Freezer;

    static readonly CgroupLayout Legacy = CgroupLayout.Parse(
        """
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
        35 31 0:32 /docker/1 /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
        """);

    [Theory]
    [InlineData("/a/b", "/a/b")]
    [InlineData("/a//b/", "/a/b")]
    [InlineData("/./a", "/a")]
    public void An_absolute_path_is_taken_from_the_mount_point(string given, string path) =>
        Assert.Equal(path, CgroupPath.Resolve(Legacy, given).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("..")]
    [InlineData("/a/../../b")]
    public void A_path_that_leads_nowhere_or_up_is_refused(string given) => Assert.Throws<ArgumentException>(() => CgroupPath.Resolve(Legacy, given));

    [Fact]
    public void A_process_has_a_path_in_every_hierarchy_below_what_is_mounted() => Assert.Equal(
        [(CgroupControllers.Memory, "/a"), (CgroupControllers.Cpu | CgroupControllers.CpuAccounting, "/user:x")],
        Legacy.ParseMembership("9:name=systemd:/s\n4:memory:/docker/1/a\n2:cpu,cpuacct:/user:x\n1:pids:/p\n0::/u\n"));

    [Fact]
    public void Paths_that_differ_are_kept_as_text()
    {
        const string Text = "cpu,cpuacct:/a/x:y\nmemory:/b/x:y";
        var path = CgroupPath.Parse(Text);
        Assert.Equal(Text, path.ToString());
        Assert.Equal(("/a/x:y", "/b/x:y", null), (path.In(CgroupControllers.Cpu), path.In(CgroupControllers.Memory), path.In(CgroupControllers.Pids)));
        Assert.Throws<ArgumentException>(() => CgroupPath.Parse("cpu:/a\nmemory:/../b"));
    }

    [KernelFact]
    public void A_relative_path_starts_at_the_own_groups()
    {
        Assert.SkipWhen(TestGroup.Layout.Kind == CgroupKind.None, "no cgroups are mounted");
        var path = CgroupPath.Resolve(TestGroup.Layout, $"nacelle-own-{Environment.ProcessId}/x");
        using var group = Cgroup.OpenOrCreate(TestGroup.Layout, path, Usual);
        using var again = Cgroup.TryOpen(TestGroup.Layout, CgroupPath.Parse(path.ToString()));
        try
        {
            Assert.NotNull(again);
            Assert.Equal(1, group.ParentsMade);
            foreach (var (controllers, mountPoint) in TestGroup.Layout.Hierarchies.Where(one => (one.Controllers & Usual) != 0))
            {
                string own = TestGroup.Layout.ParseMembership(File.ReadAllText("/proc/self/cgroup")).First(one => one.Controllers == controllers).Path;
                Assert.True(Directory.Exists($"{mountPoint}{own}/nacelle-own-{Environment.ProcessId}/x"), $"{mountPoint}{own}, {path}");
            }
        }
        finally
        {
            group.Remove(group.ParentsMade);
        }

        Assert.Null(Cgroup.TryOpen(TestGroup.Layout, CgroupPath.Parse(path.ToString().Replace("/x", "", StringComparison.Ordinal))));
    }

    [KernelFact]
    public void An_empty_group_is_taken_and_one_in_use_refused()
    {
        using var test = new TestGroup(Usual);
        using (var empty = Cgroup.OpenOrCreate(TestGroup.Layout, test.Group.FullPath, Usual))
        {
            empty.RequireUnused();
            Assert.Equal((test.Group.Controllers, 0), (empty.Controllers, empty.ParentsMade));
            Assert.Empty(empty.Apply(new CgroupLimits { Pids = 7 }));
        }

        var process = test.Start("exec sleep 1000");
        using var used = Cgroup.OpenOrCreate(TestGroup.Layout, test.Group.FullPath, Usual);
        var failure = Assert.Throws<KernelException>(used.RequireUnused);
        Assert.Equal(Errno.EBUSY, failure.Errno);
        Assert.Contains($"not empty (in it: process {process.Id})", failure.Message, StringComparison.Ordinal);
    }

    [KernelFact]
    public void A_frozen_group_is_refused_and_known_as_frozen()
    {
        using var test = new TestGroup(Usual).Needs(CgroupControllers.Freezer);
        Assert.False(test.Group.IsFrozen);
        test.Group.Freeze();
        using (var frozen = Cgroup.OpenOrCreate(TestGroup.Layout, test.Group.FullPath, Usual))
        {
            Assert.True(frozen.IsFrozen);
            Assert.Contains("frozen", Assert.Throws<KernelException>(frozen.RequireUnused).Message, StringComparison.Ordinal);
        }

        test.Group.Thaw();
        Assert.False(test.Group.IsFrozen);
    }

    [KernelFact]
    public void Parents_that_were_made_go_with_the_group_and_others_stay()
    {
        using var test = new TestGroup(Usual);
        using var other = Cgroup.Create(TestGroup.Layout, test.Group.Path + "/a/other", Usual);
        using var group = Cgroup.OpenOrCreate(TestGroup.Layout, new CgroupPath(test.Group.Path + "/a/b/c/d"), Usual);
        Assert.Equal(2, group.ParentsMade);
        group.Remove(group.ParentsMade);
        Assert.Null(Cgroup.TryOpen(TestGroup.Layout, test.Group.Path + "/a/b"));
        using var kept = Cgroup.TryOpen(TestGroup.Layout, test.Group.Path + "/a");
        Assert.NotNull(kept);
    }

    [KernelFact]
    public void A_process_joins_the_groups_that_another_is_in()
    {
        using var test = new TestGroup(Usual);
        var first = test.Start("exec sleep 1000");
        var files = Cgroup.OpenJoinFiles(TestGroup.Layout, first.Id);
        var plan = new LaunchPlan();
        foreach (var file in files)
        {
            plan.Call($"join {file}", SystemCall.write, plan.Descriptor(file), plan.Text("0"), 1);
        }

        plan.Call("exec", SystemCall.execve, plan.Text("/bin/sleep"), plan.TextArray(["sleep", "1000"]), plan.TextArray([]));
        var second = Launcher.Start(plan);
        Assert.Equal(File.ReadAllText($"/proc/{first.Id}/cgroup"), File.ReadAllText($"/proc/{second.Id}/cgroup"));
        test.Group.Kill();
        second.Wait();
        foreach (var file in files)
        {
            file.Dispose();
        }
    }

    [KernelFact]
    public void A_cpuset_below_one_without_processors_gets_those_of_the_one_above()
    {
        Assert.SkipWhen(TestGroup.Unified, "an empty cpuset is harmless in cgroup v2");
        using var test = new TestGroup(CgroupControllers.CpuSet).Needs(CgroupControllers.CpuSet);
        string mount = TestGroup.Layout.Hierarchies.First(one => (one.Controllers & CgroupControllers.CpuSet) != 0).MountPoint;
        Directory.CreateDirectory($"{mount}{test.Group.Path}/bare");
        using var group = Cgroup.OpenOrCreate(TestGroup.Layout, new CgroupPath(test.Group.Path + "/bare/a"), CgroupControllers.CpuSet);
        Assert.Equal(File.ReadAllText($"{mount}/cpuset.cpus"), File.ReadAllText($"{mount}{group.Path}/cpuset.cpus"));
    }

    [KernelFact]
    public void Who_may_not_make_a_group_is_told_so()
    {
        Assert.SkipWhen(TestGroup.Layout.Kind == CgroupKind.None, "no cgroups are mounted");
        var path = new CgroupPath($"{LeakGuard.CgroupParent}-denied");
        var error = Errno.None;
        var thread = new Thread(() =>
        {
            // The user id for file access belongs to the thread.
            SetFileUser(65534);
            error = Assert.Throws<KernelException>(() => Cgroup.OpenOrCreate(TestGroup.Layout, path, Usual)).Errno;
        });
        thread.Start();
        thread.Join();
        Assert.Equal(Errno.EACCES, error);
        Assert.Null(Cgroup.TryOpen(TestGroup.Layout, path));
    }

    [KernelFact]
    public void Hierarchies_that_a_user_may_not_write_to_are_left_out_and_named()
    {
        Assert.SkipWhen(TestGroup.Unified, "cgroup v2 has one hierarchy");
        using var test = new TestGroup(CgroupControllers.Pids | CgroupControllers.Cpu).Needs(CgroupControllers.Pids | CgroupControllers.Cpu);
        File.SetUnixFileMode(TestGroup.Layout.Hierarchies.First(one => (one.Controllers & CgroupControllers.Pids) != 0).MountPoint + test.Group.Path, (UnixFileMode)0x1FF);
        IReadOnlyList<UnsetLimit> unset = [];
        var thread = new Thread(() =>
        {
            SetFileUser(65534);
            using var group = Cgroup.OpenOrCreate(TestGroup.Layout, new CgroupPath(test.Group.Path + "/mine"), CgroupControllers.Pids | CgroupControllers.Cpu);
            unset = group.Apply(new CgroupLimits { Pids = 5, CpuShares = 100, CpuQuota = CgroupLimits.Unlimited });
            group.Remove();
        });
        thread.Start();
        thread.Join();
        var one = Assert.Single(unset);
        Assert.Equal("cpu.shares", one.Limit);
        Assert.Contains("EACCES", one.Reason, StringComparison.Ordinal);
    }

    [KernelFact]
    public void A_delegated_group_belongs_to_its_user_but_its_limits_do_not()
    {
        using var test = new TestGroup(CgroupControllers.Pids);
        test.Group.Delegate(65534);
        using var directory = Files.Open(TestGroup.Unified ? TestGroup.Layout.UnifiedMountPoint + test.Group.Path : "/", OpenFlags.Path | OpenFlags.Directory);
        Assert.Equal(TestGroup.Unified ? 65534u : 0u, Files.Status(directory).Owner);
        if (TestGroup.Unified)
        {
            Assert.Equal((65534u, 65534u, 0u), (Files.Status(directory, "cgroup.procs").Owner, Files.Status(directory, "cgroup.subtree_control").Owner, Files.Status(directory, "pids.max").Owner));
        }
    }

#pragma warning disable SYSLIB1054 // generated calls need unsafe code, which only Nacelle.Linux may have
    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "setfsuid")]
    static extern int SetFileUser(uint user);
#pragma warning restore SYSLIB1054
}
