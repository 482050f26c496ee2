using System.Text.Json;

namespace Nacelle.EndToEnd.Tests;

/// <summary>What is done to stored images from the command line.</summary>
public sealed class ImageCommandTests : IDisposable
{
    readonly Machine machine = new();

    public ImageCommandTests()
    {
        var fetch = machine.Nacelle("fetch", "--full", TestImages.Busybox);
        Assert.True(fetch.ExitCode == 0, fetch.ToString());
        Id = fetch.Output.Trim();
    }

    string Id { get; }

    public void Dispose() => machine.Dispose();

    string LayerFile(string path) => Directory.GetDirectories($"{machine.Data}/layers").Select(layer => $"{layer}/rootfs/{path}").Single(File.Exists);

    static void Fails(Result result, string reason)
    {
        Assert.Equal(254, result.ExitCode);
        Assert.Contains(reason, Assert.Single(result.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    void Succeeds(Result result, string says)
    {
        Assert.True(result is { ExitCode: 0, Errors: "" }, result.ToString());
        Assert.Contains(says, result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void An_intact_image_is_verified()
    {
        Succeeds(machine.Nacelle("image", "verify", Id), "successfully verified checksum for image: \"");
        Assert.Equal("hello\n", machine.Nacelle("run", "--verify-images", TestImages.Busybox, "--exec=/bin/echo", "--", "hello").Output);
    }

    [Theory]
    [InlineData("echo x >>etc/passwd", "etc/passwd: its content")]
    [InlineData("chmod u+s bin/busybox", "bin/busybox: its mode")]
    [InlineData("touch etc/passwd", "etc/passwd: its time")]
    [InlineData("chown 7 etc/group", "etc/group: its owner")]
    [InlineData("ln -sfn /etc/passwd bin/ls", "bin/ls: where it leads")]
    [InlineData("rm etc/group", "etc/group is missing")]
    [InlineData("touch new; touch -d @0 .", "new is not of the layer")]
    [InlineData("chmod 700 etc", "etc: its mode")]
    [InlineData("setfattr -n user.x -v y etc/passwd", "etc/passwd: its extended attributes")]
    public void A_layer_that_was_changed_is_noticed_before_it_runs_and_mended(string change, string difference)
    {
        var root = Path.GetDirectoryName(Path.GetDirectoryName(LayerFile("etc/passwd")))!;
        var done = Machine.Run("/bin/sh", "-ec", $"cd {root}; {change}");
        Assert.True(done.ExitCode == 0, done.ToString());
        Fails(machine.Nacelle("run", "--verify-images", TestImages.Busybox, "--exec=/bin/true"), $"is not as it was unpacked ({difference}): see nacelle image verify");
        Succeeds(machine.Nacelle("image", "verify", Id), $"was not as its archive says ({difference}): rebuilt");
        Succeeds(machine.Nacelle("image", "verify", Id), "successfully verified checksum for image: \"");
        Succeeds(machine.Nacelle("run", "--verify-images", TestImages.Busybox, "--exec=/bin/true"), "");
    }

    [Fact]
    public void A_layer_that_a_pod_uses_is_not_replaced_below_it()
    {
        Assert.Equal(0, machine.Nacelle("prepare", TestImages.Busybox, "--exec=/bin/true").ExitCode);
        File.AppendAllText(LayerFile("etc/passwd"), "x");
        Fails(machine.Nacelle("image", "verify", Id), "pods use it");
        Assert.EndsWith("x", File.ReadAllText(LayerFile("etc/passwd")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_blob_is_named()
    {
        var blob = Directory.GetFiles($"{machine.Data}/images/blobs/sha256").MaxBy(file => new FileInfo(file).Length)!;
        var bytes = File.ReadAllBytes(blob);
        bytes[^1] ^= 1;
        File.WriteAllBytes(blob, bytes);
        Fails(machine.Nacelle("image", "verify", Id), Path.GetFileName(blob));
    }

    [Fact]
    public void An_exported_image_is_read_by_others_and_by_us()
    {
        var file = machine.Path + "/image.tar";
        Succeeds(machine.Nacelle("image", "export", Id, file), "");
        Fails(machine.Nacelle("image", "export", Id, file), "exists already");
        Succeeds(machine.Nacelle("image", "export", "--overwrite", Id, file), "");
        Assert.SkipUnless(File.Exists("/usr/bin/skopeo"), "there is no skopeo");
        var inspected = Machine.Run("/usr/bin/skopeo", "inspect", "--raw", $"oci-archive:{file}");
        Assert.True(inspected.ExitCode == 0, inspected.ToString());
        Assert.Equal(Id, machine.Nacelle("fetch", "--full", $"oci-archive:{file}").Output.Trim());
    }

    [Fact]
    public void An_image_is_rendered_as_a_pod_would_see_it()
    {
        var directory = machine.Path + "/tree";
        Succeeds(machine.Nacelle("image", "render", Id, directory), "");
        Assert.Equal("ImageManifest", JsonDocument.Parse(File.ReadAllText(directory + "/manifest")).RootElement.GetProperty("acKind").GetString());
        Assert.StartsWith("root:x:0:0:", File.ReadAllText(directory + "/rootfs/etc/passwd"), StringComparison.Ordinal);
        Fails(machine.Nacelle("image", "render", Id, directory), "--overwrite");
        Succeeds(machine.Nacelle("image", "render", "--overwrite", "--rootfs-only", Id, directory), "");
        Assert.True(File.Exists(directory + "/bin/busybox") && !File.Exists(directory + "/manifest"));
    }

    [Fact]
    public void The_manifest_is_shown_in_appcs_form()
    {
        var shown = machine.Nacelle("image", "cat-manifest", Id);
        Assert.Equal("/bin/sh", JsonDocument.Parse(shown.Output).RootElement.GetProperty("app").GetProperty("exec")[0].GetString());
        Assert.Single(machine.Nacelle("image", "cat-manifest", "--pretty-print=false", Id).Output.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void Images_that_nobody_used_for_long_are_collected_but_for_those_of_pods()
    {
        Succeeds(machine.Nacelle("image", "gc"), "");
        Assert.Contains("busybox", machine.Nacelle("image", "list").Output, StringComparison.Ordinal);
        var prepared = machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--exec=/bin/true");
        Succeeds(machine.Nacelle("image", "gc", "--grace-period=0s"), "");
        Assert.Contains("busybox", machine.Nacelle("image", "list").Output, StringComparison.Ordinal);
        Succeeds(machine.Nacelle("rm", prepared.Output.Trim()), "");
        Succeeds(machine.Nacelle("image", "gc", "--grace-period=0s"), "successfully removed image");
        Assert.Empty(machine.Nacelle("image", "list", "--no-legend").Output);
        Assert.Empty(Directory.GetDirectories($"{machine.Data}/layers"));
    }

    [Theory]
    [InlineData("verify")]
    [InlineData("cat-manifest")]
    [InlineData("rm")]
    public void An_image_that_is_not_there_is_told(string verb) => Fails(machine.Nacelle("image", verb, "example.com/nobody"), "'example.com/nobody' is not in the store");
}
