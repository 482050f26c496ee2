namespace Nacelle.EndToEnd.Tests;

public sealed class VolumeTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    string HostDirectory()
    {
        var path = machine.Path + "/host";
        Directory.CreateDirectory(path);
        File.WriteAllText(path + "/file", "from the host");
        return path;
    }

    [Fact]
    public void A_host_directory_is_shared_both_ways()
    {
        var host = HostDirectory();
        var result = machine.ShellAs("cat /v/file; echo back > /v/new", $"--mount=volume=v,target=/v", "--name=a").ExitCode;
        Assert.Equal(254, result); // no such volume
        var shared = machine.Shell("cat /v/file; echo back > /v/new", $"--volume=v,kind=host,source={host}", "--mount=volume=v,target=/v");
        Assert.Equal("from the host", shared.Output);
        Assert.Equal("back\n", File.ReadAllText(host + "/new"));
    }

    [Fact]
    public void A_read_only_volume_cannot_be_written_to()
    {
        var result = machine.Shell("touch /v/x", $"--volume=v,kind=host,source={HostDirectory()},readOnly=true", "--mount=volume=v,target=/v");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Read-only file system", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_single_file_can_be_a_volume()
    {
        var result = machine.Shell("cat /etc/deep/er", $"--volume=v,kind=host,source={HostDirectory()}/file", "--mount=volume=v,target=/etc/deep/er");
        Assert.Equal("from the host", result.Output);
    }

    [Fact]
    public void A_mount_through_an_images_link_stays_inside()
    {
        var marker = $"/tmp/nacelle-e2e-{Guid.NewGuid():N}";
        var result = machine.Shell("ls -d /tmp/in/file", $"--volume=v,kind=host,source={HostDirectory()}", "--mount=volume=v,target=/escape/in");
        Assert.Equal("/tmp/in/file\n", result.Output);
        Assert.False(Directory.Exists("/tmp/in"), marker);
    }

    [Fact]
    public void Two_apps_share_an_empty_volume_with_its_owner_and_mode()
    {
        var result = machine.Nacelle(
            "run", "--volume=v,kind=empty,mode=0750,uid=1000,gid=1001", "--mount=volume=v,target=/v",
            TestImages.Busybox, "--name=writer", "--exec=/bin/sh", "--", "-c", "stat -c '%a %u %g' /v; echo hello > /v/x", "---",
            TestImages.Busybox, "--name=reader", "--exec=/bin/sh", "--", "-c", "until cat /v/x 2>/dev/null; do sleep 0.05; done");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("750 1000 1001\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("hello\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_volume_that_only_the_image_wants_is_filled_with_its_content()
    {
        var result = machine.Nacelle("run", TestImages.Volume, "--", "cat /data/seed; id -u; pwd; stat -c '%a %u' /data; echo more > /data/more");
        Assert.Equal("seed1000\n/data\n700 1000\n", result.Output);
        Assert.Equal("nacelle: warning: no volume is given for mount point volume-data: using an empty one\n", result.Errors);
    }

    [Fact]
    public void A_missing_source_is_one_line()
    {
        var result = machine.Shell("true", "--volume=v,kind=host,source=/no/such/place", "--mount=volume=v,target=/v");
        Assert.Equal("nacelle: volume v: open /no/such/place: ENOENT (No such file or directory)\n", result.Errors);
        Assert.Equal(254, result.ExitCode);
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void Many_layers_are_one_tree_with_or_without_overlayfs()
    {
        const string Script = "cd /layers; ls | wc -l; cat 117; ls 0 2>/dev/null || echo gone";
        Assert.Equal("117\n117gone\n", machine.Nacelle("run", TestImages.Deep, "--", "sh", "-c", Script).Output);
        Assert.Equal("117\n117gone\n", machine.Nacelle("run", "--no-overlay", TestImages.Deep, "--", "sh", "-c", Script).Output);
    }
}
