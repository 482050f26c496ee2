using System.Text;

namespace Nacelle.Specs.Tests;

public sealed class RuntimeDefaultTests
{
    static string? Complaint(RuntimeConfig config) => WholeConfig.Complaint(Encoding.UTF8.GetString(config.ToJson(indented: true)));

    [Fact]
    public void What_one_starts_from_is_fine()
    {
        Assert.Null(Complaint(RuntimeConfig.Default()));
        Assert.Null(Complaint(RuntimeConfig.DefaultRootless(1000, 1001)));
    }

    [Fact]
    public void The_default_is_a_shell_on_a_terminal_in_namespaces_of_its_own()
    {
        var config = RuntimeConfig.Default();
        Assert.Equal(["sh"], config.Process!.Args);
        Assert.True(config.Process.Terminal);
        Assert.True(config.Process.NoNewPrivileges);
        Assert.Equal(["pid", "network", "ipc", "uts", "mount", "cgroup"], config.Linux!.Namespaces.Select(one => one.Type));
        Assert.Equal(["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup"], config.Mounts.Select(mount => mount.Destination));
    }

    [Fact]
    public void Without_privileges_the_user_is_root_of_a_namespace_and_nothing_is_asked_for_that_only_root_may()
    {
        var config = RuntimeConfig.DefaultRootless(1000, 1001);
        Assert.Equal([new RuntimeIdMapping(0, 1000, 1)], config.Linux!.UidMappings);
        Assert.Equal([new RuntimeIdMapping(0, 1001, 1)], config.Linux.GidMappings);
        Assert.Null(config.Linux.FindNamespace("network"));
        Assert.Null(config.Linux.Resources);
        Assert.DoesNotContain(config.Mounts, mount => mount.Options.Any(option => option.StartsWith("gid=", StringComparison.Ordinal)));
        var sys = Assert.Single(config.Mounts, mount => mount.Destination == "/sys");
        Assert.Equal(("/sys", "rbind"), (sys.Source, sys.Options[0]));
    }
}
