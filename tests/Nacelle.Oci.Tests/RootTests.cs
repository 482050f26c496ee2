namespace Nacelle.Oci.Tests;

public sealed class RootTests
{
    // config.md, "Root", path: relative to the bundle, or absolute.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_root_file_system_is_the_directory_that_path_names(bool absolute)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/mark");
        File.WriteAllText($"{bundle.Rootfs}/mark", "this one");
        bundle.Config["root"]!["path"] = absolute ? bundle.Rootfs : "rootfs";
        Assert.Equal("this one", machine.OutputOf(bundle));
    }

    // config.md, "Root", path: there must be a directory.
    [Theory]
    [InlineData("nowhere")]
    [InlineData("rootfs/etc/passwd")]
    public void A_root_that_is_no_directory_is_refused(string path)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Config["root"]!["path"] = path;
        machine.Refuses(bundle, path);
    }

    // config.md, "Root": the member is required, and in it the path.
    [Fact]
    public void A_configuration_without_a_root_is_refused()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Config.Remove("root");
        machine.Refuses(bundle, "config.json", "root");
    }

    // config.md, "Root", path.
    [Fact]
    public void A_root_without_a_path_is_refused()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Config["root"] = new System.Text.Json.Nodes.JsonObject();
        machine.Refuses(bundle, "root.path");
    }

    // config.md, "Root", readonly: nothing can be written to a read-only root.
    [Fact]
    public void A_read_only_root_cannot_be_written_to()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("touch /new; echo $?; echo x > /etc/passwd; echo $?; cat /proc/self/mountinfo");
        bundle.Config["root"]!["readonly"] = true;
        var output = machine.OutputOf(bundle);
        Assert.StartsWith("1\n1\n", output, StringComparison.Ordinal);
        Assert.Contains("ro", MountEntry.At(output, "/").Options);
        Assert.False(File.Exists($"{bundle.Rootfs}/new"));
    }

    // config.md, "Root", readonly: the default is a root that can be written to.
    [Theory]
    [InlineData(false)]
    [InlineData(null)]
    public void A_root_that_is_not_read_only_can_be_written_to(bool? value)
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("echo written > /new");
        var root = bundle.Config["root"]!.AsObject();
        root.Remove("readonly");
        if (value is { } given)
        {
            root["readonly"] = given;
        }

        machine.OutputOf(bundle);
        Assert.Equal("written\n", File.ReadAllText($"{bundle.Rootfs}/new"));
    }
}
