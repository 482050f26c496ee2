namespace Nacelle.EndToEnd.Tests;

/// <summary>Pods in user namespaces of their own.</summary>
public sealed class UserNamespaceTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void Two_apps_of_one_image_share_a_user_namespace()
    {
        const string Look = "stat -c %u /bin/busybox";
        var result = machine.Nacelle(
            "run", "--private-users", TestImages.Busybox, "--name=one", "--", "sh", "-c", Look, "---", TestImages.Busybox, "--name=two", "--", "sh", "-c", Look);
        Assert.Equal("0\n0\n", result.Output);
    }

    [Fact]
    public void A_user_namespace_maps_root_to_somebody_else()
    {
        var result = machine.Shell("id -u; stat -c %u /bin/busybox; touch /new && stat -c %u /new; cut -c1-22 /proc/self/uid_map; mknod /tmp/n c 1 3 2>/dev/null || echo refused", "--private-users");
        var lines = result.Output.Split('\n');
        Assert.Equal(["0", "0", "0"], lines[..3]);
        Assert.NotEqual("0", lines[3].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
        Assert.Equal("refused", lines[4]);
    }

    [Fact]
    public void A_user_namespace_works_without_overlayfs_too() =>
        Assert.Equal("0\n0\n", machine.Shell("stat -c %u /bin/busybox; touch /new && stat -c %u /new", "--private-users", "--no-overlay").Output);

    [Theory]
    [InlineData]
    [InlineData("--net=host")]
    [InlineData("--no-overlay")]
    public void The_apps_root_is_nobody_outside(params string[] flags)
    {
        var (_, uuid) = machine.StartShell("mkdir /made; exec sleep 600", ["--private-users", .. flags]);
        var status = File.ReadAllText($"/proc/{machine.PidOf(uuid)}/status");
        var user = uint.Parse(status.Split('\n').Single(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1]);
        Assert.True(user >= 65536, status);
        Assert.Equal("0 /proc /sys\n", machine.Nacelle("enter", uuid, "sh", "-c", "echo $(id -u) $(cut -d ' ' -f 2 /proc/mounts | grep -E '^/(proc|sys)$' | sort)").Output);
    }

    [Fact]
    public void Ids_that_the_namespace_has_not_are_nobodys()
    {
        Directory.CreateDirectory($"{machine.Path}/v");
        var run = machine.Shell("stat -c %u:%g /v; touch /v/x || echo refused", "--private-users", $"--volume=v,kind=host,source={machine.Path}/v", "--mount=volume=v,target=/v");
        Assert.Equal("65534:65534\nrefused\n", run.Output);
    }

    [Fact]
    public void Users_of_the_image_and_their_groups_count_inside() => Assert.Equal(
        "1000\n1000 1001\nfile\n",
        machine.Nacelle("run", "--private-users", TestImages.Busybox, "--exec=/bin/sh", "--user=user", "--", "-c", "id -u; id -G; cd /tmp; echo file >f; cat f").Output);

    [Fact]
    public void Nothing_outside_gives_way_to_its_root()
    {
        foreach (var attempt in (string[])["mount -t tmpfs none /tmp", "mknod /tmp/n b 7 0", "echo 1 >/proc/sys/kernel/panic", "hostname other && false", "chown 70000 /tmp"])
        {
            Assert.True(machine.Shell(attempt, "--private-users").ExitCode is not (0 or 254), attempt);
        }
    }
}
