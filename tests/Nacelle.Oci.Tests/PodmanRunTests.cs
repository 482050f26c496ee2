namespace Nacelle.Oci.Tests;

/// <summary>podman run, option by option: what each asks of the runtime.</summary>
[Collection(PodmanCollection.Name)]
public sealed class PodmanRunTests(Podman podman)
{
    [Theory]
    [InlineData(0, "/bin/true")]
    [InlineData(7, "/bin/sh", "-c", "exit 7")]
    [InlineData(127, "/no/such/program")]
    [InlineData(126, "/etc")]
    [InlineData(137, "/bin/sh", "-c", "sh -c 'kill -9 $$'; exit $?")]
    public void Exit_codes_are_those_that_podman_documents(int code, params string[] command)
    {
        var result = podman.Container([], command);
        Assert.True(result.ExitCode == code, result.ToString());
    }

    [Fact]
    public void What_podman_itself_refuses_ends_with_125() => Assert.Equal(125, podman.Run("run", "--pull=never", "localhost/no-such-image").ExitCode);

    [Fact]
    public void Standard_streams_are_passed_on()
    {
        var result = podman.Shell("echo out; echo err >&2");
        Assert.True(result is { Output: "out\n", Errors: "err\n", ExitCode: 0 }, result.ToString());
    }

    [Fact]
    public void An_interactive_container_has_a_terminal()
    {
        var result = podman.OnTerminal("run", "--rm", "-it", Podman.Image, "sh", "-c", "tty; stty -a | head -n 1; exit 4");
        Assert.True(result.ExitCode == 4 && result.Output.Contains("/dev/pts/0", StringComparison.Ordinal) && result.Output.Contains("speed", StringComparison.Ordinal), result.ToString());
    }

    [Fact]
    public void Volumes_are_read_only_writable_overlaid_or_shared()
    {
        var volume = Directory.CreateDirectory($"{podman.Path}/volume").FullName;
        File.WriteAllText($"{volume}/seed", "seed");
        var result = podman.Shell("cat /v/seed; touch /v/x", $"--volume={volume}:/v:ro");
        Assert.True(result.ExitCode == 1 && result.Output == "seed" && result.Errors.Contains("Read-only", StringComparison.Ordinal), result.ToString());
        Assert.Equal("", podman.Shell("echo new >/v/overlaid; rm /v/seed", $"--volume={volume}:/v:O").Errors);
        Assert.Equal(["seed"], Directory.GetFiles(volume).Select(Path.GetFileName));
        Assert.Equal("", podman.Shell("echo new >/v/new", $"--volume={volume}:/v").Errors);
        Assert.Equal("new\n", File.ReadAllText($"{volume}/new"));
        Assert.Contains("shared:", podman.Shell("grep ' /v ' /proc/self/mountinfo", $"--volume={volume}:/v:shared").Output, StringComparison.Ordinal);
        Assert.DoesNotContain("shared:", podman.Shell("grep ' /v ' /proc/self/mountinfo", $"--volume={volume}:/v:private").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void User_namespaces_are_mapped()
    {
        var mapped = podman.Shell("cat /proc/self/uid_map; stat -c %u /bin/busybox; touch /new && stat -c %u /new", "--uidmap=0:100000:5000", "--gidmap=0:100000:5000");
        Assert.Equal(["0", "100000", "5000", "0", "0"], mapped.Output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void User_namespaces_are_found_by_podman_in_its_ranges()
    {
        Assert.SkipUnless(File.Exists("/etc/subuid") && File.Exists("/etc/subgid"), "there is no /etc/subuid to put ranges of the test's own over");
        File.WriteAllText($"{podman.Path}/ranges", "containers:200000:65536\n");
        const string overIt = """mount --bind "$1" /etc/subuid && mount --bind "$1" /etc/subgid && shift && exec "$@" """;
        var mapped = podman.InEnvironment(
        [
            "unshare", "--mount", "/bin/sh", "-c", overIt, "sh", $"{podman.Path}/ranges",
            .. podman.Command, "run", "--rm", "--userns=auto:size=1000", Podman.Image, "/bin/cat", "/proc/self/uid_map",
        ]);
        Assert.True(mapped.ExitCode == 0, mapped.ToString());
        Assert.Equal(["0", "200000", "1000"], mapped.Output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Limits_are_what_the_container_sees()
    {
        Assert.Equal("67108864\n", podman.Shell("cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max", "--memory=64m").Output);
        Assert.Equal("50\n", podman.Shell("cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max", "--pids-limit=50").Output);
        Assert.Equal("100\n", podman.Shell("ulimit -n", "--ulimit=nofile=100:100", "--ulimit=nproc=1024:1024").Output);
        Assert.Equal("300\n", podman.Shell("cat /proc/self/oom_score_adj", "--oom-score-adj=300").Output);
    }

    [Fact]
    public void Whoever_uses_too_much_memory_is_killed()
    {
        var result = podman.Container(["--memory=32m"], "/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1");
        Assert.True(result.ExitCode == 137, result.ToString());
    }

    [Fact]
    public void Capabilities_are_dropped_and_added()
    {
        const string Look = "grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status | cut -f2";
        const string None = "0000000000000000";
        Assert.Equal([None, "0000000000002000", "0000000000002000", "0000000000002000", None], Words(podman.Shell(Look, "--cap-drop=all", "--cap-add=net_raw")));
        var own = Words(podman.Shell(Look));
        Assert.Equal([None, own[3], own[3], own[3], None], own);
        Assert.NotEqual(None, own[3]);
        Assert.Equal([None, None, None, own[3], None], Words(podman.Shell(Look, "--user=1000")));
    }

    static string[] Words(Result result) => result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [Fact]
    public void Seccomp_profiles_are_applied()
    {
        var profile = $"{podman.Path}/seccomp.json";
        File.WriteAllText(profile, """{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}""");
        Assert.Contains("Function not implemented", podman.Shell("mkdir /tmp/x", $"--security-opt=seccomp={profile}").Errors, StringComparison.Ordinal);
        const string Look = "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status | cut -f2";
        Assert.Equal(["0", "2"], Words(podman.Shell(Look)));
        Assert.Equal(["1", "0"], Words(podman.Shell(Look, "--security-opt=seccomp=unconfined", "--security-opt=no-new-privileges")));
    }

    [Fact]
    public void A_privileged_container_has_the_hosts_devices()
    {
        const string Attempt = "ls /dev/kmsg && mount -t tmpfs none /mnt && echo mounted";
        var result = podman.Shell(Attempt, "--privileged");
        Assert.True(result is { ExitCode: 0, Output: "/dev/kmsg\nmounted\n" }, result.ToString());
        Assert.NotEqual(0, podman.Shell(Attempt).ExitCode);
    }

    [Fact]
    public void A_device_is_there_and_allowed()
    {
        var result = podman.Shell("stat -c %t:%T /dev/nought; head -c 4 /dev/nought | wc -c; ls /dev/kmsg", "--device=/dev/zero:/dev/nought");
        Assert.Equal("1:5\n4\n", result.Output);
    }

    [Fact]
    public void The_surroundings_are_as_asked_for()
    {
        Assert.Contains("Read-only", podman.Shell("touch /x", "--read-only").Errors, StringComparison.Ordinal);
        Assert.Equal("80\n", podman.Shell("cat /proc/sys/net/ipv4/ip_unprivileged_port_start", "--sysctl=net.ipv4.ip_unprivileged_port_start=80").Output);
        Assert.Contains("size=1024k", podman.Shell("grep ' /scratch ' /proc/mounts", "--tmpfs=/scratch:size=1m").Output, StringComparison.Ordinal);
        Assert.Equal("somewhere\n", podman.Shell("hostname", "--hostname=somewhere").Output);
        Assert.Equal("1000:1000 /data\n", podman.Shell("echo $(id -u):$(id -g) $PWD", "--user=1000:1000", "--workdir=/data").Output);
        Assert.Equal("value\n", podman.Shell("echo $NAME", "--env=NAME=value").Output);
        Assert.Equal(new FileInfo("/proc/self/ns/pid").LinkTarget + "\n", podman.Shell("readlink /proc/self/ns/pid", "--pid=host").Output);
    }

    [Fact]
    public void An_init_reaps_and_passes_exit_codes_on()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/catatonit") || File.Exists("/usr/libexec/podman/catatonit"), "needs Debian's catatonit");
        var result = podman.Shell("cat /proc/1/cmdline; exit 6", "--init");
        Assert.True(result.ExitCode == 6 && result.Output.Contains("init", StringComparison.Ordinal), result.ToString());
    }
}
