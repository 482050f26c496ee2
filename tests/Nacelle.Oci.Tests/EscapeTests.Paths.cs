using System.Text.Json.Nodes;

namespace Nacelle.Oci.Tests;

/// <summary>Mounts and devices where the image, or a volume that somebody else may write to, has put something else.</summary>
public sealed partial class EscapeTests
{
    // CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: /proc (or /sys) of the image is a symlink, so that the kernel's files are mounted elsewhere; what then is at /proc is the
    // image's own, and masks, read-only paths and labels go there. Such an image has to be refused.
    [Theory]
    [InlineData("proc", "/data")]
    [InlineData("proc", "data")]
    [InlineData("proc", "/data/../data")]
    [InlineData("proc", "/proc")]
    [InlineData("proc", "../../../../data")]
    [InlineData("sys", "/data")]
    public void A_kernel_file_system_is_not_mounted_through_a_symlink(string name, string target)
    {
        var bundle = Attacker("echo started >/data/started");
        Directory.Delete($"{bundle.Rootfs}/{name}");
        File.CreateSymbolicLink($"{bundle.Rootfs}/{name}", target);
        var result = machine.RunBundle(bundle);
        Assert.True(result.ExitCode == 1 && result.Errors.Contains($"/{name}", StringComparison.Ordinal) && Lines(result.Errors).Length == 1, result.ToString());
        Assert.Empty(Directory.GetFileSystemEntries($"{bundle.Rootfs}/data"));
    }

    // CVE-2019-19921 by a link further up: /proc itself is real, and the volume's mount lies behind one.
    [Fact]
    public void A_volume_is_mounted_inside_the_root_whatever_the_image_links_to()
    {
        var host = Directory.CreateDirectory($"{machine.Path}/host").FullName;
        var volume = Directory.CreateDirectory($"{machine.Path}/volume").FullName;
        var bundle = machine.Shell("grep -c ' /.*mnt/a ' /proc/self/mountinfo; ls /").With(one =>
        {
            one.AddMount("/absolute/a", "bind", volume, "bind");
            one.AddMount("/relative/a", "tmpfs", "tmpfs");
            one.AddMount("/file/b", "bind", secret, "bind", "ro");
        });
        File.CreateSymbolicLink($"{bundle.Rootfs}/absolute", "/mnt");
        File.CreateSymbolicLink($"{bundle.Rootfs}/relative", "../../../../../../../../mnt");
        File.CreateSymbolicLink($"{bundle.Rootfs}/file", $"../../../../../../../..{host}");
        var result = machine.RunBundle(bundle);
        Assert.Empty(Directory.GetFileSystemEntries(host));
        Assert.True(result.ExitCode is 0 or 1, result.ToString());
    }

    // CVE-2025-31133: what covers a masked path used to be the container's /dev/null; an image or a volume that has a symlink there gets the link's target mounted, writable,
    // on the masked path; when there is nothing at all, the mask is left out.
    [Theory]
    [InlineData("link")]
    [InlineData("file")]
    [InlineData("missing")]
    [InlineData("directory")]
    public void Masks_hold_whatever_dev_null_is(string kind)
    {
        var dev = Directory.CreateDirectory($"{machine.Path}/dev").FullName;
        switch (kind)
        {
            case "link": File.CreateSymbolicLink($"{dev}/null", "/proc/sys/kernel/core_pattern"); break;
            case "file": File.WriteAllText($"{dev}/null", "not null"); break;
            case "directory": Directory.CreateDirectory($"{dev}/null"); break;
        }

        var before = File.ReadAllText("/proc/sys/kernel/core_pattern");
        var bundle = Attacker("""
            for file in kcore keys timer_list interrupts; do [ -e /proc/$file ] && head -c 10 /proc/$file | wc -c; done
            ls -A /sys/firmware | wc -l
            (echo evil >/proc/kcore) 2>/dev/null && echo written
            (echo '|/bin/evil' >/proc/sys/kernel/core_pattern) 2>/dev/null && echo written
            cat /proc/self/mountinfo | cut -d' ' -f4
            """, Strong).With(one =>
        {
            RemoveMount(one, "/dev/pts");
            RemoveMount(one, "/dev/shm");
            RemoveMount(one, "/dev/mqueue");
            RemoveMount(one, "/dev");
            one.AddMount("/dev", "bind", dev, "bind", "rw");
        });
        var result = machine.RunBundle(bundle);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.DoesNotContain("written", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("core_pattern", result.Output, StringComparison.Ordinal);
        Assert.All(Lines(result.Output).TakeWhile(line => char.IsAsciiDigit(line[0])), line => Assert.Equal("0", line));
        Assert.Equal(before, File.ReadAllText("/proc/sys/kernel/core_pattern"));
    }

    // CVE-2025-31133 where the image's own /dev is used: what is no null device is refused.
    [Theory]
    [InlineData("/proc/sys/kernel/core_pattern")]
    [InlineData("/etc/passwd")]
    [InlineData("zero")]
    public void A_device_that_is_something_else_in_the_image_is_refused(string target)
    {
        var bundle = Attacker("echo started >/data/started").With(RemoveDev);
        File.CreateSymbolicLink($"{bundle.Rootfs}/dev/null", target);
        var result = machine.RunBundle(bundle);
        Assert.True(result.ExitCode == 1 && result.Errors.Contains("/dev/null", StringComparison.Ordinal), result.ToString());
        Assert.False(File.Exists($"{bundle.Rootfs}/data/started"));
    }

    static void RemoveDev(Bundle bundle)
    {
        foreach (var destination in (string[])["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"])
        {
            RemoveMount(bundle, destination);
        }
    }

    // CVE-2025-52565: while the terminal is put at /dev/console, before anything is masked, that is a symlink, so that a file of /proc is mounted over or can be written to; or the terminal's
    // own path leads to such a file, which then is mounted at /dev/console.
    [Theory]
    [InlineData("/proc/sysrq-trigger")]
    [InlineData("/proc/sys/kernel/core_pattern")]
    [InlineData("../proc/sysrq-trigger")]
    public void The_console_is_the_terminal_and_nothing_else(string target)
    {
        var before = File.ReadAllText("/proc/sys/kernel/core_pattern");
        var bundle = Attacker("echo started; cut -d' ' -f4-6 /proc/self/mountinfo; echo evil >/proc/sys/kernel/core_pattern", Strong).With(one =>
        {
            RemoveDev(one);
            one.AddMount("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666", "mode=0620");
            one.Process["terminal"] = true;
        });
        Directory.CreateDirectory($"{bundle.Rootfs}/dev/pts");
        File.CreateSymbolicLink($"{bundle.Rootfs}/dev/console", target);
        File.CreateSymbolicLink($"{bundle.Rootfs}/dev/pts/0", target);
        var result = OnTerminal("run", $"--bundle={bundle.Path}", OciMachine.NewId());
        Assert.True(result.ExitCode == 1 && result.Output.Contains("dev/console", StringComparison.Ordinal) && !result.Output.Contains("started", StringComparison.Ordinal), result.ToString());
        Assert.Equal(before, File.ReadAllText("/proc/sys/kernel/core_pattern"));
    }

    // The other half: only the path of the terminal leads to the kernel's file, which must not be what is at /dev/console.
    [Fact]
    public void The_console_is_the_terminal_also_where_the_image_has_something_at_its_path()
    {
        var bundle = machine.Shell("test -t 0 && stat -c %t /dev/console; grep ' /dev/console ' /proc/self/mountinfo | cut -d' ' -f4").With(one =>
        {
            RemoveDev(one);
            one.AddMount("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666", "mode=0620");
            one.Process["terminal"] = true;
        });
        Directory.CreateDirectory($"{bundle.Rootfs}/dev/pts");
        File.CreateSymbolicLink($"{bundle.Rootfs}/dev/pts/0", "/proc/sysrq-trigger");
        var result = OnTerminal("run", $"--bundle={bundle.Path}", OciMachine.NewId());
        Assert.True(result.ExitCode == 0 && result.Output.TrimEnd().EndsWith("88\r\n/0", StringComparison.Ordinal), result.ToString()); // major number 136: devpts
    }

    /// <summary>nacelle-oci with a terminal that util-linux's script(1) holds.</summary>
    Result OnTerminal(params string[] arguments) =>
        OciMachine.Run("/usr/bin/script", "--quiet", "--return", "--command", $"{OciMachine.Program} --root={machine.Root} {string.Join(' ', arguments)}", "/dev/null");

    [Fact]
    public void Kernel_files_are_masked_and_read_only()
    {
        var result = machine.RunBundle(machine.Shell("""
            for file in kcore keys timer_list interrupts; do [ -e /proc/$file ] && head -c 10 /proc/$file | wc -c; done
            ls -A /sys/firmware | wc -l
            for file in sys/kernel/hostname sysrq-trigger irq/default_smp_affinity; do [ -e /proc/$file ] && (echo 0 >/proc/$file) 2>/dev/null && echo written; done
            umount /proc/kcore 2>/dev/null && echo unmounted
            true
            """).Write());
        Assert.True(result.ExitCode == 0 && Lines(result.Output).Length > 1, result.ToString());
        Assert.All(Lines(result.Output), line => Assert.Equal("0", line));
    }

    // CVE-2019-16884: a volume of the image at /proc, with files of the same names as the kernel's, so that the AppArmor label is written into one of them and the container runs without;
    // CVE-2025-52881: the files are links, and what is written to them (labels, kernel parameters) goes to another file of the kernel's or the host's.
    [Fact]
    public void Kernel_settings_never_go_through_the_containers_own_proc()
    {
        var (bundle, fake) = WithFakeProc("cat /mnt/sys/net/ipv4/ip_unprivileged_port_start /mnt/self/oom_score_adj");
        var before = Snapshot(machine.Path + "/fake");
        var result = machine.RunBundle(bundle);
        Assert.True(result.Output == "80\n500\n", result.ToString());
        Assert.Equal(before, Snapshot(fake));
        Assert.Equal(SecretText, File.ReadAllText(secret));
    }

    // CVE-2019-16884, with an AppArmor that watches: the program is under its profile although the label's file at /proc is the volume's.
    [Fact]
    public void A_program_is_confined_also_where_a_volume_lies_at_proc()
    {
        using var profile = new AppArmorProfile();
        var (bundle, fake) = WithFakeProc("sleep 1000");
        var before = Snapshot(fake);
        bundle.With(one => one.Process["apparmorProfile"] = profile.Name);
        var id = machine.Start(bundle);
        var exec = machine.Oci("exec", id, "/bin/cat", "/mnt/1/attr/current", "/mnt/self/attr/current");
        Assert.True(exec.Output == $"{profile.Enforced}\n{profile.Enforced}\n", exec.ToString());
        Assert.Equal(before, Snapshot(fake));
        Assert.Equal(SecretText, File.ReadAllText(secret));
    }

    // CVE-2019-19921, likewise: an image whose /proc is a link is refused, and nothing is written through it.
    [Fact]
    public void A_program_that_is_to_be_confined_does_not_run_where_the_images_proc_is_a_link()
    {
        using var profile = new AppArmorProfile();
        var bundle = Attacker("echo started").With(one => one.Process["apparmorProfile"] = profile.Name);
        Directory.Delete($"{bundle.Rootfs}/proc");
        File.CreateSymbolicLink($"{bundle.Rootfs}/proc", "/data");
        Directory.CreateDirectory($"{bundle.Rootfs}/data/self/attr/apparmor");
        File.WriteAllText($"{bundle.Rootfs}/data/self/attr/apparmor/exec", "");
        var before = Snapshot($"{bundle.Rootfs}/data");
        var result = machine.RunBundle(bundle);
        Assert.True(result.ExitCode == 1 && result.Output.Length == 0 && result.Errors.Contains("/proc", StringComparison.Ordinal), result.ToString());
        Assert.Equal(before, Snapshot($"{bundle.Rootfs}/data"));
    }

    [Fact]
    public void A_container_that_could_not_be_labelled_does_not_run()
    {
        var (bundle, fake) = WithFakeProc("echo started");
        bundle.With(one => one.Process["apparmorProfile"] = "no-such-profile");
        var before = Snapshot(fake);
        var result = machine.RunBundle(bundle);
        Assert.True(result.ExitCode == 1 && result.Output.Length == 0 && result.Errors.Contains("AppArmor", StringComparison.Ordinal), result.ToString());
        bundle.With(one => one.Process.Remove("apparmorProfile")).With(one => one.Process["args"] = new JsonArray("/bin/sleep", "1000"));
        var exec = machine.Oci("exec", "--apparmor=no-such-profile", machine.Start(bundle), "/bin/echo", "started");
        Assert.True(exec.ExitCode == 255 && exec.Output.Length == 0, exec.ToString());
        Assert.Equal(before, Snapshot(fake));
        Assert.Equal(SecretText, File.ReadAllText(secret));
    }

    [Fact]
    public void Settings_of_who_joins_never_go_through_the_containers_own_proc()
    {
        var (bundle, fake) = WithFakeProc("sleep 1000");
        var before = Snapshot(fake);
        var id = machine.Start(bundle);
        var process = bundle.Process.DeepClone().AsObject();
        process["args"] = new JsonArray("/bin/cat", "/mnt/self/oom_score_adj");
        process["oomScoreAdj"] = 600;
        File.WriteAllText($"{machine.Path}/process.json", process.ToJsonString());
        var result = machine.Oci("exec", $"--process={machine.Path}/process.json", id);
        Assert.True(result.Output == "600\n", result.ToString());
        Assert.Equal(before, Snapshot(fake));
        Assert.Equal(SecretText, File.ReadAllText(secret));
    }

    /// <summary>A bundle with a volume at /proc whose files are links to the host's secret; the kernel's own /proc is at /mnt, for the test to look.</summary>
    (Bundle Bundle, string Volume) WithFakeProc(string script)
    {
        var fake = $"{machine.Path}/fake";
        foreach (var directory in (string[])["self/attr/apparmor", "thread-self/attr/apparmor", "1/attr", "sys/net/ipv4"])
        {
            Directory.CreateDirectory($"{fake}/{directory}");
        }

        foreach (var file in (string[])["self/attr/exec", "self/attr/apparmor/exec", "thread-self/attr/exec", "thread-self/attr/apparmor/exec"])
        {
            File.WriteAllText($"{fake}/{file}", "");
        }

        foreach (var link in (string[])["self/oom_score_adj", "1/oom_score_adj", "sys/net/ipv4/ip_unprivileged_port_start", "1/attr/exec"])
        {
            File.CreateSymbolicLink($"{fake}/{link}", "/data/secret");
        }

        var bundle = machine.Shell(script).With(one =>
        {
            RemoveMount(one, "/proc");
            one.Config["mounts"]!.AsArray().Insert(0, new JsonObject { ["destination"] = "/proc", ["type"] = "bind", ["source"] = fake, ["options"] = new JsonArray("bind", "rw") });
            one.AddMount("/mnt", "proc", "proc");
            one.AddMount("/data/secret", "bind", secret, "bind", "rw");
            one.Linux["sysctl"] = new JsonObject { ["net.ipv4.ip_unprivileged_port_start"] = "80" };
            one.Process["oomScoreAdj"] = 500;
        });
        return (bundle, fake);
    }
}
