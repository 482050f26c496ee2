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
        var groups = GroupsOf(machine.Pid(id));
        foreach (var controller in (string[])["memory", "cpu", "pids", "devices", "freezer"])
        {
            Assert.Equal($"/{name}/inner", groups[controller]);
            Assert.True(Directory.Exists($"/sys/fs/cgroup/{controller}/{name}/inner"), controller);
        }
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
        var place = GroupsOf(machine.Pid(first));
        machine.Stop(first);
        var second = machine.Create(bundle);
        Assert.Equal(place, GroupsOf(machine.Pid(second)));
    }

    // config-linux.md, "Cgroups Path": without a value, each container has a place of its own.
    [Fact]
    public void Without_a_path_each_container_has_a_group_of_its_own()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000").Write();
        var (one, other) = (machine.Create(bundle), machine.Create(bundle));
        Assert.Contains(one, GroupsOf(machine.Pid(one))["pids"], StringComparison.Ordinal);
        Assert.NotEqual(GroupsOf(machine.Pid(one))["pids"], GroupsOf(machine.Pid(other))["pids"]);
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
            File.WriteAllText($"{group.Directory("freezer")}/freezer.state", "FROZEN");
        }
        else
        {
            File.WriteAllText($"{group.Directory("pids")}/cgroup.procs", $"{sleeper.Id}");
        }

        machine.Refuses(WithPath(machine, $"/{group.Name}"), group.Name);
        Assert.False(sleeper.HasExited);
        Assert.True(Directory.Exists(group.Directory("pids")) && Directory.Exists(group.Directory("freezer")));
        File.WriteAllText($"{group.Directory("freezer")}/freezer.state", "THAWED");
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
        Assert.Equal($"/{group.Name}", GroupsOf(machine.Pid(id))["pids"]);
        machine.Stop(id);
        Assert.All(PreparedGroup.Hierarchies, hierarchy => Assert.True(Directory.Exists(group.Directory(hierarchy)), hierarchy));
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
        Assert.All(PreparedGroup.Hierarchies, hierarchy => Assert.Empty(Directory.GetDirectories(group.Directory(hierarchy))));
    }

    // config-linux.md, "Cgroup ownership": with version 1 the groups stay root's.
    [Fact]
    public void Groups_of_version_1_stay_roots()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.SetUsers();
        var id = machine.Create(bundle.Write());
        var path = $"/sys/fs/cgroup/pids{GroupsOf(machine.Pid(id))["pids"]}";
        Assert.Equal("0:0\n0:0\n", OciMachine.Run("stat", "-c", "%u:%g", path, $"{path}/cgroup.procs").Output);
    }

    static Bundle WithPath(OciMachine machine, string path) => machine.NewBundle("/bin/sleep", "1000").With(bundle => bundle.Linux["cgroupsPath"] = path);

    /// <summary>A process's group in each hierarchy, by controller.</summary>
    static Dictionary<string, string> GroupsOf(int pid) => File.ReadAllLines($"/proc/{pid}/cgroup")
        .Select(line => line.Split(':', 3))
        .SelectMany(parts => parts[1].Split(',').Select(controller => (controller, parts[2])))
        .ToDictionary();
}

/// <summary>A group in every version 1 hierarchy that there was before any container.</summary>
sealed class PreparedGroup : IDisposable
{
    public static readonly string[] Hierarchies = ["memory", "cpu", "cpuacct", "pids", "devices", "freezer"];

    public PreparedGroup()
    {
        Assert.SkipUnless(File.Exists("/sys/fs/cgroup/pids/cgroup.procs"), "there are no control groups of version 1");
        foreach (var hierarchy in Hierarchies)
        {
            System.IO.Directory.CreateDirectory(Directory(hierarchy));
        }
    }

    public string Name { get; } = OciMachine.NewId();

    public string Directory(string hierarchy) => $"/sys/fs/cgroup/{hierarchy}/{Name}";

    public void Dispose()
    {
        foreach (var hierarchy in Hierarchies)
        {
            OciMachine.Run("find", Directory(hierarchy), "-depth", "-type", "d", "-exec", "rmdir", "{}", ";");
        }
    }
}
