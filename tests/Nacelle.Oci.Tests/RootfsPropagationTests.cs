namespace Nacelle.Oci.Tests;

public sealed class RootfsPropagationTests
{
    // config-linux.md, "Rootfs Mount Propagation": the root mount has the propagation that is given.
    [Theory]
    [InlineData("shared", "shared")]
    [InlineData("private", "")]
    [InlineData("unbindable", "unbindable")]
    [InlineData("rshared", "shared")]
    [InlineData("rprivate", "")]
    [InlineData("runbindable", "unbindable")]
    public void The_root_has_the_propagation_that_is_given(string propagation, string word)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/cat", "/proc/self/mountinfo");
        bundle.Linux["rootfsPropagation"] = propagation;
        var root = MountEntry.At(machine.OutputOf(bundle), "/");
        Assert.Equal(word, root.Propagation.Select(one => one.Split(':')[0]).SingleOrDefault(""));
    }

    // config-linux.md, "Rootfs Mount Propagation", slave: what is mounted on the host below the rootfs appears in the container, and not the other way; private: neither.
    [Theory]
    [InlineData("slave", true)]
    [InlineData("rslave", true)]
    [InlineData("private", false)]
    [InlineData("rprivate", false)]
    public void Mounts_of_the_host_appear_as_the_propagation_says(string propagation, bool appears)
    {
        using var machine = new OciMachine();
        using var volume = HostMount.Make($"{machine.Path}/volume");
        volume.Set("shared");
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        Expectations.Succeeds(OciMachine.Run("cp", "-a", bundle.Rootfs, volume.Path));
        bundle.Config["root"]!["path"] = $"{volume.Path}/rootfs";
        bundle.Linux["rootfsPropagation"] = propagation;
        var id = machine.Start(bundle.Write());
        Expectations.Succeeds(OciMachine.Run("mount", "-t", "tmpfs", "from-host", $"{volume.Path}/rootfs/data"));
        Assert.Equal(appears, File.ReadAllText($"/proc/{machine.Pid(id)}/mountinfo").Contains("from-host", StringComparison.Ordinal));
        Expectations.Succeeds(OciMachine.Run("nsenter", "-t", $"{machine.Pid(id)}", "-m", "/bin/mount", "-t", "tmpfs", "from-container", "/mnt"));
        Assert.DoesNotContain("from-container", File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
        machine.Stop(id);
    }

    // config-linux.md, "Rootfs Mount Propagation", unbindable: the root cannot be bound elsewhere.
    [Fact]
    public void An_unbindable_root_cannot_be_bound()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/sleep", "1000");
        bundle.Linux["rootfsPropagation"] = "unbindable";
        var id = machine.Start(bundle.Write());
        var bind = OciMachine.Run("nsenter", "-t", $"{machine.Pid(id)}", "-m", "/bin/mount", "-o", "bind", "/", "/mnt");
        Assert.True(bind.ExitCode != 0, bind.ToString());
    }

    // config-linux.md, "Rootfs Mount Propagation": the value is one of four.
    [Fact]
    public void A_propagation_that_there_is_not_is_refused()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux["rootfsPropagation"] = "none";
        machine.Refuses(bundle, "config.json", "linux.rootfsPropagation");
    }
}
