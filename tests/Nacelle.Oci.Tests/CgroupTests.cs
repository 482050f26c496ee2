using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Where a container's control groups are. What they limit: <see cref="ResourceTests"/>.</summary>
public sealed class CgroupTests
{
    // config-linux.md, "Cgroups Path": an absolute path starts at the mount point of each hierarchy.
    [Fact]
    public void An_absolute_path_starts_at_the_mount_point()
    {
        using var machine = new OciMachine();
        var name = OciMachine.NewId();
        var id = machine.Create(WithPath(machine, $"/{name}/inner"));
        var groups = ControlGroups.Of(machine.Pid(id));
        Assert.All(ControlGroups.Hierarchies, hierarchy => Assert.Equal($"/{name}/inner", groups[hierarchy]));
        Assert.All(ControlGroups.Hierarchies, hierarchy => Assert.True(Directory.Exists(ControlGroups.Directory(hierarchy, $"/{name}/inner")), hierarchy));
    }

    // config-linux.md, "Cgroups Path": the same value leads to the same place, every time.
    [Theory]
    [InlineData("/")]
    [InlineData("")]
    public void The_same_path_leads_to_the_same_place(string start)
    {
        using var machine = new OciMachine();
        var bundle = WithPath(machine, $"{start}{OciMachine.NewId()}");
        var first = machine.Create(bundle);
        var place = ControlGroups.Of(machine.Pid(first));
        machine.Stop(first);
        var second = machine.Create(bundle);
        Assert.Equal(place, ControlGroups.Of(machine.Pid(second)));
    }

    // config-linux.md, "Cgroups Path": without a value, each container has a place of its own.
    [Fact]
    public void Without_a_path_each_container_has_a_group_of_its_own()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000").Write();
        var (one, other) = (machine.Create(bundle), machine.Create(bundle));
        Assert.Contains(one, PathOf(machine, one), StringComparison.Ordinal);
        Assert.NotEqual(PathOf(machine, one), PathOf(machine, other));
    }

    // config-linux.md, "Cgroups Path": a value that the runtime does not take is an error.
    [Theory]
    [InlineData("../outside")]
    [InlineData("/a/../../outside")]
    [InlineData("..")]
    public void A_path_that_leads_out_is_refused(string path)
    {
        using var machine = new OciMachine();
        machine.Refuses(WithPath(machine, path), "config.json", "linux.cgroupsPath");
    }

    // config-linux.md, "Control groups": a group in which something runs, or that is frozen, is not fit, which is an error; nothing of it is changed.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_group_that_is_in_use_is_an_error(bool frozen)
    {
        using var machine = new OciMachine();
        using var group = new PreparedGroup();
        var sleeper = machine.StartProcess("sleep", "1000");
        if (frozen)
        {
            group.Freeze(true);
        }
        else
        {
            group.Add(sleeper.Id);
        }

        machine.Refuses(WithPath(machine, $"/{group.Name}"), group.Name);
        Assert.False(sleeper.HasExited);
        Assert.All(ControlGroups.Hierarchies, hierarchy => Assert.True(Directory.Exists(group.Directory(hierarchy)), hierarchy));
        group.Freeze(false);
        sleeper.Kill();
        sleeper.WaitForExit();
    }

    // runtime.md, "Delete": a group that was there before the container is there after it.
    [Fact]
    public void A_group_that_was_there_before_is_kept()
    {
        using var machine = new OciMachine();
        using var group = new PreparedGroup();
        var id = machine.Create(WithPath(machine, $"/{group.Name}"));
        Assert.Equal($"/{group.Name}", PathOf(machine, id));
        machine.Stop(id);
        Assert.All(ControlGroups.Hierarchies, hierarchy => Assert.True(Directory.Exists(group.Directory(hierarchy)), hierarchy));
    }

    // runtime.md, "Delete": a parent that was there before is kept, and what was made below it is gone.
    [Fact]
    public void A_parent_that_was_there_before_is_kept_without_what_was_made_below()
    {
        using var machine = new OciMachine();
        using var group = new PreparedGroup();
        var id = machine.Create(WithPath(machine, $"/{group.Name}/made/deep"));
        Assert.True(Directory.Exists($"{group.Directory("pids")}/made/deep"));
        machine.Stop(id);
        Assert.All(ControlGroups.Hierarchies, hierarchy => Assert.Empty(Directory.GetDirectories(group.Directory(hierarchy))));
    }

    // config-linux.md, "Cgroup ownership": with version 1 the groups stay root's.
    [Fact]
    public void Groups_of_version_1_stay_roots()
    {
        Assert.SkipWhen(ControlGroups.AreUnified, "the control groups are of version 2");
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.SetUsers();
        var id = machine.Create(bundle.Write());
        var path = $"/sys/fs/cgroup/pids{PathOf(machine, id)}";
        Assert.Equal("0:0\n0:0\n", OciMachine.Run("stat", "-c", "%u:%g", path, $"{path}/cgroup.procs").Output);
    }

    // config-linux.md, "Cgroup ownership": with version 2, a group namespace and a file system that can be written to, the group is the container's user's, who may divide
    // it, and who joins later comes to where the container's own processes are; all that is gone with the container.
    [Theory]
    [InlineData(true, 0, 100_000)]
    [InlineData(true, 1000, 101_000)]
    [InlineData(false, 1000, 1000)]
    public void A_group_of_version_2_is_the_containers_users(bool hasUsers, int user, int owner)
    {
        Assert.SkipUnless(ControlGroups.AreUnified, "the control groups are not of version 2");
        using var machine = new OciMachine();
        var bundle = machine.Shell("cd /sys/fs/cgroup && mkdir inner && echo 1 >inner/cgroup.procs && echo +pids >cgroup.subtree_control && touch /data/ready; exec sleep 1000");
        var shared = machine.Share(bundle);
        bundle.Process["user"] = new JsonObject { ["uid"] = user, ["gid"] = 0 };
        bundle.Process["cwd"] = "/";
        Writable(bundle);
        if (hasUsers)
        {
            bundle.SetUsers();
        }

        var id = machine.Start(bundle.Write());
        var group = $"/sys/fs/cgroup/{id}";
        string[] given = ["", .. File.ReadAllLines("/sys/kernel/cgroup/delegate").Where(name => File.Exists($"{group}/{name}"))];
        Assert.All(given, name => Assert.Equal($"{owner}", OciMachine.Run("stat", "-c", "%u", $"{group}/{name}").Output.Trim()));
        Assert.Equal("0", OciMachine.Run("stat", "-c", "%u", $"{group}/memory.max").Output.Trim());
        OciMachine.Eventually(() => File.Exists($"{shared}/ready"), "the container divides its group");
        Assert.Equal($"/{id}/inner", PathOf(machine, id));
        Assert.Equal("0::/inner\n", machine.Oci("exec", id, "/bin/cat", "/proc/self/cgroup").Output);
        Assert.Single(JsonNode.Parse(machine.Oci("ps", "--format=json", id).Output)!.AsArray());
        machine.Stop(id);
    }

    // config-linux.md, "Cgroup ownership": a group that the container sees but may not write to stays root's.
    [Fact]
    public void A_group_that_the_container_may_not_write_to_stays_roots()
    {
        Assert.SkipUnless(ControlGroups.AreUnified, "the control groups are not of version 2");
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.SetUsers();
        var id = machine.Create(bundle.Write());
        Assert.Equal("0\n0\n", OciMachine.Run("stat", "-c", "%u", $"/sys/fs/cgroup/{id}", $"/sys/fs/cgroup/{id}/cgroup.procs").Output);
    }

    static void Writable(Bundle bundle)
    {
        var options = bundle.Config["mounts"]!.AsArray().Single(mount => (string)mount!["destination"]! == "/sys/fs/cgroup")!["options"]!.AsArray();
        options.Remove(options.Single(option => (string)option! == "ro"));
    }

    static Bundle WithPath(OciMachine machine, string path) => machine.NewBundle("/bin/sleep", "1000").With(bundle => bundle.Linux["cgroupsPath"] = path);

    static string PathOf(OciMachine machine, string id) => ControlGroups.Of(machine.Pid(id))[ControlGroups.AreUnified ? "" : "pids"];
}
