namespace Nacelle.Oci.Tests;

/// <summary>Debian's containerd, by ctr and its shim for runtimes with runc's command line.</summary>
public sealed class ContainerdTests(Containerd containerd) : IClassFixture<Containerd>
{
    [Theory]
    [InlineData(0, "/bin/true")]
    [InlineData(7, "/bin/sh", "-c", "exit 7")]
    public void A_container_runs_and_its_exit_code_is_passed_on(int code, params string[] command)
    {
        var result = containerd.Run(["--rm"], Containerd.NewId(), command);
        Assert.True(result.ExitCode == code, result.ToString());
    }

    [Fact]
    public void What_cannot_be_run_is_one_clear_error_and_leaves_nothing()
    {
        var result = containerd.Run(["--rm"], Containerd.NewId(), "/no/such/program");
        Assert.True(result.ExitCode == 1 && result.Errors.Contains("/no/such/program", StringComparison.Ordinal), result.ToString());
        Assert.DoesNotContain("nacelle-ctr", containerd.Ctr("task", "ls").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Output_and_mounts_arrive()
    {
        var result = containerd.Run(
            ["--rm", "--seccomp", $"--mount=type=bind,src={containerd.Path}/image,dst=/mnt,options=rbind:ro"], Containerd.NewId(),
            "/bin/sh", "-c", "ls /mnt; touch /mnt/x; grep Seccomp: /proc/self/status");
        Assert.True(result.Output == "config.json\nlayer.tar\nmanifest.json\nSeccomp:\t2\n", result.ToString());
        Assert.Contains("Read-only", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_limit_holds()
    {
        var id = containerd.Start("sleep 1000", "--memory-limit=67108864");
        var group = File.ReadLines($"/proc/{containerd.Pid(id)}/cgroup").First(line => line.Contains(":memory:", StringComparison.Ordinal) || line.StartsWith("0::", StringComparison.Ordinal)).Split(':')[2];
        Assert.EndsWith(id, group, StringComparison.Ordinal);
        string[] files = [$"/sys/fs/cgroup/memory{group}/memory.limit_in_bytes", $"/sys/fs/cgroup{group}/memory.max"];
        Assert.Equal("67108864\n", File.ReadAllText(files.First(File.Exists)));
        containerd.Remove(id);
    }

    [Fact]
    public void A_container_may_have_a_terminal()
    {
        var result = containerd.OnTerminal(["--rm", "--tty"], Containerd.NewId(), "tty");
        Assert.True(result.ExitCode == 0 && result.Output.Contains("/dev/pts/0", StringComparison.Ordinal), result.ToString());
    }

    [Fact]
    public void Further_processes_run_in_a_container()
    {
        var id = containerd.Start("sleep 1000");
        var result = containerd.Ctr("task", "exec", "--exec-id=one", id, "/bin/sh", "-c", "echo inside; exit 5");
        Assert.True(result is { ExitCode: 5, Output: "inside\n" }, result.ToString());
        Assert.Equal(0, containerd.Ctr("task", "exec", "--exec-id=two", "--user=1000", id, "/bin/sh", "-c", "test $(id -u) = 1000").ExitCode);
        Assert.Equal(3, containerd.Ctr("task", "ps", id).Output.Split('\n').Length); // a heading, the process, and the end
        containerd.Remove(id);
    }

    [Fact]
    public void A_task_is_paused_resumed_and_killed()
    {
        var id = containerd.Start("sleep 1000");
        Assert.Equal("RUNNING", containerd.Status(id));
        Assert.Equal(0, containerd.Ctr("task", "pause", id).ExitCode);
        Assert.Equal("PAUSED", containerd.Status(id));
        Assert.Equal(0, containerd.Ctr("task", "resume", id).ExitCode);
        Assert.Equal("RUNNING", containerd.Status(id));
        Assert.Equal(0, containerd.Ctr("task", "kill", "--signal=SIGKILL", id).ExitCode);
        OciMachine.Eventually(() => containerd.Status(id) == "STOPPED", "the task stops");
        Assert.Contains("137", containerd.Ctr("task", "delete", id).Errors, StringComparison.Ordinal);
        containerd.Remove(id);
    }

    [Fact]
    public void A_task_is_measured()
    {
        // The shim gives up on a hierarchy that is there and nowhere mounted, whatever the runtime: "cannot find cgroup mount destination".
        var mounted = File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')).Where(fields => fields[2] == "cgroup").SelectMany(fields => fields[3].Split(',')).ToHashSet();
        var notMounted = File.ReadLines("/proc/self/cgroup").Select(line => line.Split(':')[1]).Where(controllers => controllers.Length > 0 && !controllers.Split(',').All(mounted.Contains));
        Assert.SkipWhen(notMounted.Any(), $"containerd measures nothing where a hierarchy is not mounted: {string.Join(' ', notMounted)}");
        var id = containerd.Start("sleep 1000");
        var metrics = containerd.Ctr("task", "metrics", id);
        Assert.True(metrics.ExitCode == 0 && metrics.Output.Contains("memory", StringComparison.Ordinal), metrics.ToString());
        containerd.Remove(id);
    }
}
