namespace Nacelle.EndToEnd.Tests;

/// <summary>On file systems with fs-verity pods read of their images what was unpacked, or nothing. Build machines have no fs-verity: eng/guest-tests.sh runs these.</summary>
public sealed class VerityTests : IDisposable
{
    readonly VerityDisk disk = new();

    public VerityTests() => Says(machine.Nacelle("fetch", TestImages.Busybox), "sha256-");

    Machine machine => disk.Machine;

    string Layer => "sha256:" + Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(disk.LayerFile("rootfs/bin/busybox")))))!["sha256-".Length..];

    public void Dispose() => disk.Dispose();

    static void Says(Result result, string what)
    {
        Assert.True(result is { ExitCode: 0, Errors: "" }, result.ToString());
        Assert.Contains(what, result.Output, StringComparison.Ordinal);
    }

    /// <summary>Refused in one line that has all these words.</summary>
    static void Refused(Result result, params string[] words)
    {
        Assert.True(result.ExitCode == 254, result.ToString());
        var line = Assert.Single(result.Errors.TrimEnd('\n').Split('\n'));
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.Ordinal));
    }

    /// <summary>Puts another file in the place of one of the layer, with the same length and times.</summary>
    void Replace(string path, string change) =>
        Machine.Script(Path.GetDirectoryName(disk.LayerFile(path))!, $"f={Path.GetFileName(path)}; time=$(stat -c @%.Y .); cp -a $f $f.new; {change}; touch -r $f $f.new; rm $f; mv $f.new $f; touch -d $time .");

    void IsMended(string because)
    {
        Says(machine.Nacelle("image", "verify", TestImages.Busybox), because);
        Says(machine.Shell("head -n 1 /proc/mounts; cat /etc/passwd /etc/group"), "verity=require");
    }

    void RemovePods()
    {
        machine.Nacelle("gc", "--grace-period=0s");
        machine.Nacelle("gc", "--grace-period=0s");
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void The_check_is_on_where_the_kernel_can_do_it_and_off_when_told_so()
    {
        Says(machine.Shell("head -n 1 /proc/mounts; stat -c %d /etc /etc/passwd /bin/busybox | uniq | wc -l"), "verity=require 0 0\n1\n");
        Says(machine.Shell("head -n 1 /proc/mounts; cat /etc/passwd", "--private-users"), "verity=require");
        Says(machine.Shell("id -u; cat /etc/group", "--no-overlay"), "root:x:0:\n");
        var without = machine.Shell("head -n 1 /proc/mounts", "--insecure-options=ondisk");
        Says(without, "overlay / overlay");
        Assert.DoesNotContain("verity", without.Output, StringComparison.Ordinal);
        Says(machine.Nacelle("run", "--verify-images", TestImages.Busybox, "--exec=/bin/echo", "--", "read"), "read");
    }

    [Fact]
    public void An_app_can_change_what_is_sealed_below_it_and_be_exported()
    {
        Says(machine.Shell("chmod 600 /etc/group; mv /etc /other; echo more >>/other/passwd; ln /other/group /tmp/g; rm /bin/cut; stat -c %a /tmp/g; tail -n 1 /other/passwd"), "600\nmore\n");
        var aci = machine.Path + "/app.aci";
        Says(machine.Nacelle("export", Path.GetFileName(Assert.Single(machine.Pods()))!, aci), "");
        Machine.Script(machine.Path, "mkdir exported; tar -C exported -xf app.aci");
        Assert.Equal(
            "600\nroot:x:0:\nmore\nbusybox\n",
            Machine.Script(machine.Path, "cd exported/rootfs; stat -c %a other/group; head -n 1 other/group; tail -n 1 other/passwd; ls bin | grep -x -e cut -e busybox; ls etc 2>/dev/null || true"));
    }

    [Fact]
    public void Files_of_layers_cannot_be_written_to() =>
        Assert.Contains("not permitted", Machine.Run("/bin/sh", "-c", $"echo x >>{disk.LayerFile("rootfs/etc/passwd")}").Errors, StringComparison.Ordinal);

    [Theory]
    [InlineData("rootfs/bin/busybox", "printf X | dd of=$f.new bs=1 seek=200000 conv=notrunc 2>&1")]
    [InlineData("rootfs/bin/busybox", "true")] // the same bytes, but nobody watches over them
    public void A_program_that_was_replaced_is_not_run(string file, string change)
    {
        Replace(file, change);
        Refused(machine.Shell("true"), "bin/busybox", Layer, "image verify");
        Says(machine.Shell("echo unchecked", "--insecure-options=ondisk"), "unchecked");
        RemovePods();
        IsMended("rebuilt");
    }

    [Fact]
    public void A_file_that_was_replaced_cannot_be_opened_and_makes_nobody_another_user()
    {
        Replace("rootfs/etc/passwd", "sed -i s/user:x:1000:/user:x:0000:/ $f.new");
        var read = machine.Shell("cat /etc/group; cat /etc/passwd");
        Assert.True(read.ExitCode == 1 && read.Output.StartsWith("root:x:0:", StringComparison.Ordinal), read.ToString());
        Assert.Contains("/etc/passwd': Input/output error", read.Errors, StringComparison.Ordinal);
        Refused(machine.ShellAs("id", "--user=user"), "etc/passwd", Layer);
        Refused(machine.Nacelle("run", "--no-overlay", TestImages.Busybox, "--exec=/bin/true"), "etc/passwd", Layer);
        Refused(machine.Nacelle("run", "--verify-images", TestImages.Busybox, "--exec=/bin/true"), "etc/passwd: its content", Layer);
        RemovePods();
        IsMended("etc/passwd: its content");
        Says(machine.Nacelle("image", "verify", TestImages.Busybox), "successfully verified checksum");
    }

    [Fact]
    public void Metadata_that_were_changed_in_the_tree_do_not_show()
    {
        const string Change = "chmod u+s bin/busybox; chown 1000 etc/group; rm -r root; echo x >new; setfattr -n user.x -v y etc";
        var expected = machine.Shell("ls -lnR /bin /etc /root; ls /").Output;
        Machine.Script(Path.GetDirectoryName(Path.GetDirectoryName(disk.LayerFile("rootfs/etc/passwd")))!, Change);
        Assert.Equal(expected, machine.Shell("ls -lnR /bin /etc /root; ls /").Output);
        RemovePods();
        IsMended("rebuilt");
    }

    [Theory]
    [InlineData("cp metadata.erofs m; mv m metadata.erofs", "another")]
    [InlineData("rm metadata.erofs", "missing")]
    public void A_metadata_image_that_was_replaced_is_refused(string change, string how)
    {
        Machine.Script(Path.GetDirectoryName(disk.LayerFile("metadata.erofs"))!, change);
        Refused(machine.Shell("true"), Layer, "metadata.erofs is " + how);
        IsMended("its metadata image");
    }

    [Fact]
    public void A_byte_of_a_program_that_changed_on_the_disk_is_noticed_when_it_is_read()
    {
        disk.Flip(disk.LayerFile("rootfs/bin/busybox"), 100);
        Refused(machine.Shell("true"), "bin/busybox", Layer["sha256:".Length..], "image verify");
        IsMended("bin/busybox cannot be read");
    }

    [Fact]
    public void A_byte_of_a_file_that_changed_on_the_disk_is_noticed_when_it_is_read()
    {
        disk.Flip(disk.LayerFile("rootfs/etc/group"), 5);
        var read = machine.Shell("cat /etc/passwd; cat /etc/group");
        Assert.True(read.ExitCode == 1 && read.Output.StartsWith("root:x:0:0:root:", StringComparison.Ordinal), read.ToString());
        Refused(machine.Nacelle("run", "--verify-images", TestImages.Busybox, "--exec=/bin/true"), "etc/group cannot be read", Layer);
        RemovePods();
        IsMended("etc/group cannot be read");
    }

    [Fact]
    public void A_byte_of_the_metadata_image_that_changed_on_the_disk_is_noticed_when_it_is_mounted()
    {
        disk.Flip(disk.LayerFile("metadata.erofs"), 1100);
        Refused(machine.Shell("true"), "metadata.erofs", "EIO", "image verify");
        IsMended("its metadata image");
    }

    [Fact]
    public void A_layer_without_a_seal_runs_unchecked_until_it_is_verified()
    {
        Machine.Script(machine.Data, "rm seals/*; rm layers/*/metadata.erofs");
        Replace("rootfs/etc/passwd", "true"); // as it was unpacked before there was fs-verity
        Assert.DoesNotContain("verity", machine.Shell("cat /proc/mounts").Output, StringComparison.Ordinal);
        IsMended("successfully verified checksum"); // although a pod uses it
    }

    [Fact]
    public void A_seal_of_another_layer_is_refused()
    {
        var seal = $"{machine.Data}/seals/{Layer.Replace(':', '-')}";
        File.WriteAllText(seal, "sha256:" + new string('0', 64) + "\n");
        Refused(machine.Shell("true"), Layer, "metadata.erofs is another");
        IsMended("its seal");
        File.WriteAllText(seal, "nonsense");
        Refused(machine.Shell("true"), "damaged");
        IsMended("its seal");
    }

    [Fact]
    public void A_config_that_was_replaced_is_refused()
    {
        var config = Directory.GetFiles(machine.Data + "/images/blobs/sha256").Single(file => File.ReadAllText(file).Contains("FROM_IMAGE=image", StringComparison.Ordinal));
        Machine.Script(machine.Path, $"sed s/FROM_IMAGE=image/FROM_IMAGE=other/ {config} >new; cp new {config}.new; mv {config}.new {config}");
        Refused(machine.Shell("true"), Path.GetFileName(config), "not as it was fetched");
        Refused(machine.Nacelle("image", "verify", TestImages.Busybox), Path.GetFileName(config), "fetch it again");
    }

    [Fact]
    public void Builds_read_what_was_unpacked_and_their_layers_are_whole_and_sealed_like_others()
    {
        var context = machine.Path + "/context";
        Directory.CreateDirectory(context);
        File.WriteAllText(context + "/file", "copied\n");
        File.WriteAllText(
            context + "/Containerfile",
            $"FROM {TestImages.Busybox}\nRUN chmod 640 /etc/group && mkdir /new && mv /new /home && echo made >/made\nCOPY --chown=user file /copied\nRUN chmod 600 /made /copied\n");
        Result Build() => machine.Nacelle("build", "--tag=built", context);
        var built = Build();
        Assert.True(built.ExitCode == 0, built.ToString());
        Says(
            machine.Nacelle("run", "built", "--exec=/bin/sh", "--", "-c", "head -n 1 /proc/mounts; cat /made /copied; stat -c %a:%u /etc/group /copied; cat /etc/group; ls -d /home"),
            "verity=require 0 0\nmade\ncopied\n640:0\n600:1000\nroot:x:0:\n");
        Says(machine.Nacelle("image", "verify", "built"), "successfully verified checksum");
        RemovePods();

        Says(machine.Nacelle("image", "rm", "built"), "");
        Machine.Script(machine.Data, "rm -r builds/cache");
        Replace("rootfs/etc/passwd", "sed -i s/user:x:1000:/user:x:0000:/ $f.new");
        var refused = Build();
        Assert.True(refused.ExitCode == 254 && refused.Errors.Contains("etc/passwd of the layer " + Layer, StringComparison.Ordinal), refused.ToString());
    }
}
