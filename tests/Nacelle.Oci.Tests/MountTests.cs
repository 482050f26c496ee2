using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>What is mounted where. Options: <see cref="MountOptionTests"/>; owners: <see cref="IdMappedMountTests"/>.</summary>
public sealed class MountTests
{
    // config.md, "Mounts": the entries are mounted in their order, so that a later one covers an earlier one, and lies in it.
    [Fact]
    public void Mounts_are_made_in_the_listed_order()
    {
        using var machine = new OciMachine();
        File.WriteAllText($"{machine.Path}/file", "from the host");
        var bundle = machine.Shell("cat /proc/self/mountinfo; echo; ls /mnt /data");
        bundle.AddMount("/mnt", "tmpfs", "first");
        bundle.AddMount("/mnt/inner", "tmpfs", "second");
        bundle.AddMount("/data/inner", "tmpfs", "third");
        bundle.AddMount("/data", "tmpfs", "fourth");
        var output = machine.OutputOf(bundle);
        Assert.Equal(["first", "second", "third", "fourth"], MountEntry.Parse(output).Select(mount => mount.Source).Where(source => source is "first" or "second" or "third" or "fourth"));
        Assert.EndsWith("/data:\n\n/mnt:\ninner", output, StringComparison.Ordinal);
    }

    // config.md, "Mounts", destination: a relative one starts at "/".
    [Theory]
    [InlineData("data")]
    [InlineData("./data")]
    [InlineData("/data/")]
    [InlineData("//data")]
    public void A_relative_destination_starts_at_the_root(string destination)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/mountinfo");
        bundle.AddMount(destination, "tmpfs", "here");
        Assert.Equal("here", MountEntry.At(machine.OutputOf(bundle), "/data").Source);
    }

    // config.md, "Mounts", destination: a place that is not there is made, a directory for a directory.
    [Fact]
    public void A_missing_destination_is_made()
    {
        using var machine = new OciMachine();
        var source = Directory.CreateDirectory($"{machine.Path}/source").FullName;
        File.WriteAllText($"{source}/file", "content");
        var bundle = machine.Shell("cat /new/deep/file /a/new/file; ls -d /new/tmpfs");
        bundle.AddMount("/new/deep", "none", source, "bind");
        bundle.AddMount("/a/new/file", "none", $"{source}/file", "bind");
        bundle.AddMount("/new/tmpfs", "tmpfs", "tmpfs");
        Assert.Equal("contentcontent/new/tmpfs", machine.OutputOf(bundle));
    }

    // config.md, "Mounts", source and options: a file is bound onto a file, and is the same file.
    [Fact]
    public void A_file_is_bound_onto_a_file()
    {
        using var machine = new OciMachine();
        File.WriteAllText($"{machine.Path}/file", "before");
        var bundle = machine.Shell("cat /etc/passwd; echo -n after > /etc/passwd");
        bundle.AddMount("/etc/passwd", "none", $"{machine.Path}/file", "bind");
        Assert.Equal("before", machine.OutputOf(bundle));
        Assert.Equal("after", File.ReadAllText($"{machine.Path}/file"));
        Assert.StartsWith("root:", File.ReadAllText($"{bundle.Rootfs}/etc/passwd"), StringComparison.Ordinal);
    }

    // config.md, "Mounts", source: a relative one starts at the bundle, and a link leads to what it names.
    [Theory]
    [InlineData("volume")]
    [InlineData("./volume")]
    [InlineData("link")]
    public void A_relative_source_starts_at_the_bundle(string source)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/data/file");
        Directory.CreateDirectory($"{bundle.Path}/volume");
        File.WriteAllText($"{bundle.Path}/volume/file", "in the bundle");
        File.CreateSymbolicLink($"{bundle.Path}/link", "volume");
        bundle.AddMount("/data", "none", source, "bind");
        Assert.Equal("in the bundle", machine.OutputOf(bundle));
    }

    // config.md, "Mounts", type: of a bind mount it is a dummy, and may be left out.
    [Theory]
    [InlineData(null, "bind")]
    [InlineData("nosuchfs", "bind")]
    [InlineData("none", "rbind")]
    [InlineData("bind", null)]
    public void A_bind_mounts_type_does_not_matter(string? type, string? option)
    {
        using var machine = new OciMachine();
        File.WriteAllText($"{machine.Path}/file", "content");
        var bundle = machine.NewBundle("/bin/cat", "/data/file");
        var mount = new JsonObject { ["destination"] = "/data", ["source"] = machine.Path, ["options"] = option is null ? [] : Expectations.List(option) };
        if (type is not null)
        {
            mount["type"] = type;
        }

        bundle.Config["mounts"]!.AsArray().Add((JsonNode)mount);
        Assert.Equal("content", machine.OutputOf(bundle));
    }

    // config.md, "Linux mount options", bind and rbind: only the second takes along what is mounted below.
    [Theory]
    [InlineData("bind", false)]
    [InlineData("rbind", true)]
    public void Only_a_recursive_bind_takes_the_mounts_below_along(string option, bool takesAlong)
    {
        using var machine = new OciMachine();
        using var outer = HostMount.Make($"{machine.Path}/volume").WithFile("outer", "");
        using var inner = HostMount.Make($"{outer.Path}/inner").WithFile("below", "");
        var bundle = machine.Shell("ls /data /data/inner");
        bundle.AddMount("/data", "none", outer.Path, option);
        Assert.Equal(takesAlong ? "/data:\ninner\nouter\n\n/data/inner:\nbelow" : "/data:\ninner\nouter\n\n/data/inner:", machine.OutputOf(bundle));
    }

    // config.md, "Linux mount options", remount: an entry changes what an earlier one mounted.
    [Fact]
    public void A_remount_changes_the_mount_that_is_there()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("cat /proc/self/mountinfo; touch /data/new");
        var shared = machine.Share(bundle);
        bundle.AddMount("/data", "none", shared, "remount", "bind", "ro", "nosuid", "noexec");
        var run = machine.RunBundle(bundle.Write());
        var mount = Assert.Single(MountEntry.Parse(run.Output), mount => mount.Point == "/data");
        Assert.Superset(new HashSet<string> { "ro", "nosuid", "noexec" }, mount.Options.ToHashSet());
        Assert.Contains("Read-only file system", run.Errors, StringComparison.Ordinal);
    }

    // config.md, "Linux mount options": an option that is none of those goes to the file system.
    [Fact]
    public void Unknown_options_go_to_the_file_system()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/mountinfo");
        bundle.AddMount("/data", "tmpfs", "tmpfs", "nosuid", "size=64k", "mode=711", "uid=7", "noexec");
        var mount = MountEntry.At(machine.OutputOf(bundle), "/data");
        Assert.Superset(new HashSet<string> { "nosuid", "noexec" }, mount.Options.ToHashSet());
        Assert.Superset(new HashSet<string> { "size=64k", "mode=711", "uid=7" }, mount.FileSystemOptions.ToHashSet());
    }

    // runtime.md, "Create": an option that the file system does not take, or a type that there is not, makes no container.
    [Theory]
    [InlineData("tmpfs", "nosuchoption")]
    [InlineData("tmpfs", "size=many")]
    [InlineData("nosuchfs", "ro")]
    public void A_mount_that_the_kernel_refuses_makes_no_container(string type, string option)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.AddMount("/data", type, type, option);
        machine.Refuses(bundle, type);
    }

    // runtime.md, "Create": a bind mount of nothing makes no container.
    [Fact]
    public void A_bind_mount_whose_source_is_missing_makes_no_container()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.AddMount("/data", "none", $"{machine.Path}/nowhere", "bind");
        machine.Refuses(bundle, $"{machine.Path}/nowhere");
    }

    // config.md, "Linux mount options", tmpcopyup: the tmpfs begins with what the rootfs has there, which stays as it is.
    [Fact]
    public void A_tmpfs_with_tmpcopyup_begins_with_what_was_there()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("cat /var/sub/file; stat -c '%a %u:%g' /var/sub/file /var/link /var; echo changed > /var/sub/file; readlink /var/link");
        Directory.CreateDirectory($"{bundle.Rootfs}/var/sub");
        File.WriteAllText($"{bundle.Rootfs}/var/sub/file", "old\n");
        File.CreateSymbolicLink($"{bundle.Rootfs}/var/link", "sub/file");
        OciMachine.Run("/bin/sh", "-c", $"cd {bundle.Rootfs}/var && chmod 640 sub/file && chown 0:8 sub/file && chmod 751 .");
        bundle.AddMount("/var", "tmpfs", "tmpfs", "tmpcopyup");
        Assert.Equal("old\n640 0:8\n777 0:0\n751 0:0\nsub/file", machine.OutputOf(bundle));
        Assert.Equal("old\n", File.ReadAllText($"{bundle.Rootfs}/var/sub/file"));
    }

    // config-linux.md, "Default Filesystems": /proc, /sys, /dev/pts and /dev/shm are there in the types that programs expect.
    [Fact]
    public void The_file_systems_that_programs_expect_are_there()
    {
        using var machine = new OciMachine();
        var table = machine.OutputOf(machine.NewBundle("/bin/cat", "/proc/self/mountinfo"));
        Assert.Equal(
            ["proc", "sysfs", "devpts", "tmpfs"], ((string[])["/proc", "/sys", "/dev/pts", "/dev/shm"]).Select(point => MountEntry.At(table, point).Type));
    }

    // config.md, "Mounts"; runtime.md, "Delete": mounts are the container's alone and vanish with it.
    [Fact]
    public void A_containers_mounts_are_not_the_hosts()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.AddMount("/data", "tmpfs", "only-inside");
        machine.Create(bundle.Write());
        Assert.DoesNotContain(File.ReadLines("/proc/mounts"), line => line.Contains("only-inside", StringComparison.Ordinal) || line.Contains(bundle.Path, StringComparison.Ordinal));
    }
}
