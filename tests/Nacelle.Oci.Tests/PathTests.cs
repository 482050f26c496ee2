namespace Nacelle.Oci.Tests;

/// <summary>Paths that are masked or read-only.</summary>
public sealed class PathTests
{
    // config-linux.md, "Masked Paths": directories, and the kernel's files, cannot be read, whatever they lie in.
    [Fact]
    public void Masked_directories_and_kernel_files_cannot_be_read()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("cat /proc/version; ls /var /data/directory; cat /var/inner 2>/dev/null || echo hidden; touch /var/new 2>/dev/null || echo read-only");
        File.WriteAllText($"{bundle.Rootfs}/var/inner", "secret");
        var shared = machine.Share(bundle);
        Directory.CreateDirectory($"{shared}/directory/below");
        bundle.Config["root"]!["readonly"] = false;
        bundle.Linux["maskedPaths"] = Expectations.List("/data/directory", "/var", "/proc/version");
        Assert.Equal("/data/directory:\n\n/var:\nhidden\nread-only", machine.OutputOf(bundle));
    }

    // config-linux.md, "Masked Paths": files cannot be read, in the root file system and in volumes.
    [Fact]
    public void Masked_files_cannot_be_read()
    {
        using var machine = new OciMachine();
        var bundle = machine.Shell("cat /etc/secret /data/secret; echo x 2>/dev/null > /etc/secret || echo read-only");
        File.WriteAllText($"{bundle.Rootfs}/etc/secret", "secret");
        var shared = machine.Share(bundle);
        File.WriteAllText($"{shared}/secret", "secret");
        bundle.Config["root"]!["readonly"] = false;
        bundle.Linux["maskedPaths"] = Expectations.List("/etc/secret", "/data/secret");
        Assert.Equal("read-only", machine.OutputOf(bundle));
        Assert.Equal("secret", File.ReadAllText($"{shared}/secret"));
    }

    // config-linux.md, "Masked Paths" and "Readonly Paths": what is not there needs neither.
    [Fact]
    public void Paths_that_are_not_there_are_passed_over()
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/echo", "runs");
        bundle.Linux["maskedPaths"] = Expectations.List("/nowhere", "/proc/nosuch", "/etc/passwd/below");
        bundle.Linux["readonlyPaths"] = Expectations.List("/nowhere", "/proc/nosuch", "/etc/passwd/below");
        Assert.Equal("runs", machine.OutputOf(bundle));
        Assert.False(Path.Exists($"{bundle.Rootfs}/nowhere"));
    }

    // config-linux.md, "Readonly Paths": files and directories can be read and not written to, with all that is mounted below.
    [Fact]
    public void Read_only_paths_cannot_be_written_to()
    {
        using var machine = new OciMachine();
        using var inner = HostMount.Make($"{machine.Path}/inner").WithFile("file", "below");
        var bundle = machine.Shell(
            "for f in /etc/passwd /data/file /var/file /var/inner/file /proc/sys/kernel/hostname; do echo x 2>/dev/null > $f && echo wrote $f; done; cat /data/file /var/inner/file; echo y > /data/other && echo wrote");
        var shared = machine.Share(bundle);
        File.WriteAllText($"{shared}/file", "kept ");
        bundle.AddMount("/var/inner", "none", inner.Path, "bind", "rw");
        bundle.Config["root"]!["readonly"] = false;
        bundle.Linux["readonlyPaths"] = Expectations.List("/etc/passwd", "/data/file", "/var", "/proc/sys");
        var run = machine.RunBundle(bundle.Write());
        Assert.Equal("kept belowwrote\n", run.Output);
    }

    // config-linux.md, "Masked Paths" and "Readonly Paths": the values are absolute.
    [Theory]
    [InlineData("maskedPaths")]
    [InlineData("readonlyPaths")]
    public void Paths_that_are_not_absolute_are_refused(string member)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Linux[member] = Expectations.List("/etc", "proc/kcore");
        machine.Refuses(bundle, "config.json", $"linux.{member}[1]");
    }

    // config-linux.md, "Masked Paths" and "Readonly Paths": they are the container's, so without a mount namespace there can be none.
    [Theory]
    [InlineData("maskedPaths")]
    [InlineData("readonlyPaths")]
    public void Paths_without_a_mount_namespace_are_refused(string member)
    {
        using var machine = new OciMachine();
        var bundle = machine.NewBundle("/bin/true");
        bundle.Config["mounts"] = new System.Text.Json.Nodes.JsonArray();
        bundle.Config["root"]!["readonly"] = false;
        bundle.Linux["maskedPaths"] = null;
        bundle.Linux["readonlyPaths"] = null;
        bundle.Linux.Remove("maskedPaths");
        bundle.Linux.Remove("readonlyPaths");
        bundle.Linux[member] = Expectations.List("/proc/kcore");
        bundle.RemoveNamespace("mount");
        machine.Refuses(bundle, "config.json", $"linux.{member}");
    }
}
