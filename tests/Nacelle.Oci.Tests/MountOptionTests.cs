namespace Nacelle.Oci.Tests;

/// <summary>Every option of the table in config.md, "Linux mount options", seen in the container's /proc/self/mountinfo.</summary>
public sealed class MountOptionTests
{
    /// <summary>Options; what the mount then has, and has not; on a new file system, and on a bind of one that has the opposite.</summary>
    static readonly (string Options, string Has, string HasNot)[] OfMounts =
    [
        ("ro", "ro", "rw"), ("rw", "rw", "ro"), ("ro,rw", "rw", "ro"), ("rw,ro", "ro", "rw"),
        ("nosuid", "nosuid", ""), ("suid", "", "nosuid"), ("nosuid,suid", "", "nosuid"),
        ("nodev", "nodev", ""), ("dev", "", "nodev"), ("nodev,dev", "", "nodev"),
        ("noexec", "noexec", ""), ("exec", "", "noexec"), ("noexec,exec", "", "noexec"),
        ("noatime", "noatime", "relatime"), ("atime", "relatime", "noatime"), ("noatime,atime", "relatime", "noatime"),
        ("relatime", "relatime", "noatime"), ("norelatime", "", "noatime"),
        ("strictatime", "", "relatime,noatime"), ("nostrictatime", "relatime", "noatime"), ("strictatime,nostrictatime", "relatime", "noatime"),
        ("nodiratime", "nodiratime", ""), ("diratime", "", "nodiratime"), ("nodiratime,diratime", "", "nodiratime"),
        ("nosymfollow", "nosymfollow", ""), ("symfollow", "", "nosymfollow"),
        ("nosuid,nodev,noexec,noatime,nodiratime,ro", "nosuid,nodev,noexec,noatime,nodiratime,ro", "relatime"),
        ("defaults", "rw,relatime", "nosuid,nodev,noexec"), ("loud", "rw", ""), ("silent", "rw", ""), ("async", "rw", ""), ("iversion", "rw", ""), ("noiversion", "rw", ""),
    ];

    // config.md, "Linux mount options": options of mounts hold on a new file system; where two disagree, the last one counts.
    [Fact]
    public void Options_hold_on_a_new_file_system()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/mountinfo");
        for (int i = 0; i < OfMounts.Length; i++)
        {
            bundle.AddMount($"/data/{i}", "tmpfs", "tmpfs", OfMounts[i].Options.Split(','));
        }

        bundle.Config["mounts"]!.AsArray().Insert(0, System.Text.Json.Nodes.JsonNode.Parse("""{"destination":"/data","type":"tmpfs","source":"tmpfs"}"""));
        Check(machine.OutputOf(bundle));
    }

    // config.md, "Linux mount options": the same options hold on a bind mount, also against what its source has.
    [Fact]
    public void Options_hold_on_a_bind_mount()
    {
        using var machine = new OciMachine();
        using var plain = HostMount.Make($"{machine.Path}/plain");
        using var strict = HostMount.Make($"{machine.Path}/strict", "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow");
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/mountinfo");
        bundle.AddMount("/data", "tmpfs", "tmpfs");
        for (int i = 0; i < OfMounts.Length; i++)
        {
            bool opposite = OfMounts[i].Options is "rw" or "suid" or "dev" or "exec" or "atime" or "relatime" or "strictatime" or "nostrictatime" or "diratime" or "symfollow";
            bundle.AddMount($"/data/{i}", "none", (opposite ? strict : plain).Path, [.. OfMounts[i].Options.Split(','), "bind"]);
        }

        Check(machine.OutputOf(bundle));
    }

    // config.md, "Linux mount options", bind: what is not said is as the source has it.
    [Fact]
    public void A_bind_mount_keeps_what_its_options_do_not_speak_of()
    {
        using var machine = new OciMachine();
        using var volume = HostMount.Make($"{machine.Path}/volume", "nosuid,nodev,noexec,noatime");
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/mountinfo");
        bundle.AddMount("/data", "none", volume.Path, "bind", "ro", "exec");
        var options = MountEntry.At(machine.OutputOf(bundle), "/data").Options;
        Assert.Superset(new HashSet<string> { "ro", "nosuid", "nodev", "noatime" }, options.ToHashSet());
        Assert.DoesNotContain("noexec", options);
    }

    // config.md, "Linux mount options": sync, async, dirsync, lazytime and nolazytime are the file system's.
    [Theory]
    [InlineData("sync", "sync", "")]
    [InlineData("async", "", "sync")]
    [InlineData("dirsync", "dirsync", "")]
    [InlineData("lazytime", "lazytime", "")]
    [InlineData("nolazytime", "", "lazytime")]
    [InlineData("mand", "", "")]
    [InlineData("nomand", "", "mand")]
    public void Options_of_file_systems_hold(string option, string has, string hasNot)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/mountinfo");
        bundle.AddMount("/data", "tmpfs", "tmpfs", option);
        Check(MountEntry.At(machine.OutputOf(bundle), "/data").FileSystemOptions, option, has, hasNot);
    }

    /// <summary>An option with r in front; what every mount of the tree then has, and has not. Its source has the opposite where that is needed.</summary>
    static readonly (string Option, string Has, string HasNot)[] Recursive =
    [
        ("rro", "ro", "rw"), ("rrw", "rw", "ro"), ("rnosuid", "nosuid", ""), ("rsuid", "", "nosuid"), ("rnodev", "nodev", ""), ("rdev", "", "nodev"),
        ("rnoexec", "noexec", ""), ("rexec", "", "noexec"), ("rnoatime", "noatime", "relatime"), ("ratime", "relatime", "noatime"), ("rrelatime", "relatime", "noatime"),
        ("rnorelatime", "", ""), ("rstrictatime", "", "relatime,noatime"), ("rnostrictatime", "relatime", "noatime"), ("rnodiratime", "nodiratime", ""),
        ("rdiratime", "", "nodiratime"), ("rnosymfollow", "nosymfollow", ""), ("rsymfollow", "", "nosymfollow"),
    ];

    // config.md, "Linux mount options": with r in front, an option holds for all that is mounted below too.
    [Fact]
    public void Recursive_options_hold_for_the_mounts_below()
    {
        using var machine = new OciMachine();
        using var plain = Tree($"{machine.Path}/plain", "rw");
        using var strict = Tree($"{machine.Path}/strict", "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow");
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/mountinfo");
        bundle.AddMount("/data", "tmpfs", "tmpfs");
        foreach (var (option, has, _) in Recursive)
        {
            bool opposite = has is "" or "rw" or "relatime";
            bundle.AddMount($"/data/{option}", "none", (opposite ? strict : plain).Path, "rbind", option);
        }

        var table = machine.OutputOf(bundle);
        foreach (var (option, has, hasNot) in Recursive)
        {
            Check(MountEntry.At(table, $"/data/{option}").Options, option, has, hasNot);
            Check(MountEntry.At(table, $"/data/{option}/inner").Options, option, has, hasNot);
        }
    }

    // config.md, "Linux mount options": without the r, an option of a recursive bind holds for its uppermost mount only.
    [Fact]
    public void Plain_options_of_a_recursive_bind_do_not_hold_for_the_mounts_below()
    {
        using var machine = new OciMachine();
        using var volume = Tree($"{machine.Path}/volume", "rw");
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/mountinfo");
        bundle.AddMount("/data", "none", volume.Path, "rbind", "ro", "nosuid");
        var table = machine.OutputOf(bundle);
        Check(MountEntry.At(table, "/data").Options, "ro", "ro,nosuid", "rw");
        Check(MountEntry.At(table, "/data/inner").Options, "ro", "rw", "ro,nosuid");
    }

    // config.md, "Linux mount options": private, shared, slave and unbindable set the propagation of one mount, with an r of all below too.
    [Theory]
    [InlineData("private", "", "master")]
    [InlineData("rprivate", "", "")]
    [InlineData("shared", "shared", "master")]
    [InlineData("rshared", "shared", "shared")]
    [InlineData("slave", "master", "master")]
    [InlineData("rslave", "master", "master")]
    [InlineData("unbindable", "unbindable", "master")]
    [InlineData("runbindable", "unbindable", "unbindable")]
    public void Propagation_is_as_the_option_says(string option, string outer, string inner)
    {
        using var machine = new OciMachine();
        using var volume = Tree($"{machine.Path}/volume", "rw");
        volume.Set("rshared");
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/mountinfo");
        bundle.AddMount("/data", "none", volume.Path, "rbind", option);
        var table = machine.OutputOf(bundle);
        Assert.Contains(outer, Words(MountEntry.At(table, "/data").Propagation));
        Assert.Contains(inner, Words(MountEntry.At(table, "/data/inner").Propagation));
    }

    // config.md, "Linux mount options", shared and slave: a shared volume gives mounts to the host, and a slave gets them from there.
    [Theory]
    [InlineData("rshared", true, true)]
    [InlineData("rslave", false, true)]
    [InlineData("rprivate", false, false)]
    public void Mounts_travel_as_the_propagation_says(string option, bool outwards, bool inwards)
    {
        using var machine = new OciMachine();
        using var volume = HostMount.Make($"{machine.Path}/volume");
        volume.Set("shared");
        Directory.CreateDirectory($"{volume.Path}/in");
        Directory.CreateDirectory($"{volume.Path}/out");
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.AddMount("/data", "none", volume.Path, "rbind", option);
        bundle.Linux["rootfsPropagation"] = option == "rshared" ? "shared" : "slave";
        var id = machine.Start(bundle.Write());
        int pid = machine.Pid(id);
        Expectations.Succeeds(OciMachine.Run("mount", "-t", "tmpfs", "from-host", $"{volume.Path}/in"));
        Expectations.Succeeds(OciMachine.Run("nsenter", "-t", $"{pid}", "-m", "/bin/mount", "-t", "tmpfs", "from-container", "/data/out"));
        Assert.Equal(inwards, File.ReadAllText($"/proc/{pid}/mountinfo").Contains("from-host", StringComparison.Ordinal));
        Assert.Equal(outwards, File.ReadAllText("/proc/self/mountinfo").Contains("from-container", StringComparison.Ordinal));
        machine.Stop(id);
    }

    static IEnumerable<string> Words(string[] propagation) => propagation.Select(word => word.Split(':')[0]).DefaultIfEmpty("");

    static HostMount Tree(string path, string options)
    {
        var outer = HostMount.Make(path, "mode=777");
        Directory.CreateDirectory($"{path}/inner");
        HostMount.Make($"{path}/inner", options);
        OciMachine.Run("mount", "-o", $"remount,bind,{options}", path);
        return outer;
    }

    static void Check(string table)
    {
        for (int i = 0; i < OfMounts.Length; i++)
        {
            var (options, has, hasNot) = OfMounts[i];
            Check(MountEntry.At(table, $"/data/{i}").Options, options, has, hasNot);
        }
    }

    static void Check(string[] options, string given, string has, string hasNot)
    {
        foreach (var word in has.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.True(options.Contains(word), $"with {given} it is not {word}: {string.Join(',', options)}");
        }

        foreach (var word in hasNot.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.False(options.Contains(word), $"with {given} it is {word}: {string.Join(',', options)}");
        }
    }
}
