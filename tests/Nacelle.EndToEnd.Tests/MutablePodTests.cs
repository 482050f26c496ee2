namespace Nacelle.EndToEnd.Tests;

/// <summary>Apps that come and go while their pod runs.</summary>
public sealed class MutablePodTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Theory]
    [InlineData]
    [InlineData("--private-users")]
    [InlineData("--no-overlay")]
    [InlineData("--private-users", "--no-overlay")]
    [InlineData("--private-users", "--net=host")]
    [InlineData("--pid=host")]
    public void An_app_is_added_started_entered_stopped_and_removed(params string[] flags)
    {
        var pod = new MutablePod(machine, flags);
        pod.Add("one", "echo hello > /tmp/said; sleep 600");
        Assert.Equal("created", pod.Status("one", "state"));
        pod.App("start", "one");
        pod.AwaitState("one", "running");
        Machine.Eventually(() => machine.Nacelle("app", "exec", "--app=one", pod.Uuid, "cat", "/tmp/said").Output == "hello\n", "a command in the app sees its files");
        pod.App("stop", "one");
        Assert.Equal("exited", pod.Status("one", "state"));
        Assert.Equal("143", pod.Status("one", "exit_code"));
        pod.App("rm", "one");
        Assert.DoesNotContain("one", machine.Nacelle("app", "list", "--no-legend", pod.Uuid).Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists($"{machine.Pod(pod.Uuid)}/overlay/one"));
        Assert.Equal(0, machine.Nacelle("stop", pod.Uuid).ExitCode);
        Assert.True(pod.Process.WaitForExit(20_000));
        Assert.Equal(0, pod.Process.ExitCode);
    }

    [Fact]
    public void Apps_fail_and_the_pod_goes_on()
    {
        var pod = new MutablePod(machine);
        pod.AddAndStart("fails", "exit 3");
        pod.AwaitState("fails", "exited");
        Assert.Equal("3", pod.Status("fails", "exit_code"));
        pod.AddAndStart("works", "sleep 600");
        pod.AwaitState("works", "running");
        Assert.Contains("state=running", machine.Nacelle("status", pod.Uuid).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void An_app_that_has_ended_is_started_again_on_the_same_files()
    {
        var pod = new MutablePod(machine);
        pod.AddAndStart("counts", "echo x >> /tmp/count; exit $(wc -l < /tmp/count)");
        pod.AwaitState("counts", "exited");
        pod.App("start", "counts");
        Machine.Eventually(() => pod.Status("counts", "exit_code") == "2", "the second run sees the first one's file");
    }

    [Fact]
    public void Apps_share_the_pods_namespaces_and_what_they_mount()
    {
        Directory.CreateDirectory(machine.Path + "/shared");
        var pod = new MutablePod(machine, "--hostname=together");
        var volume = $"--mnt-volume=name=both,kind=host,source={machine.Path}/shared,target=/both";
        pod.AddAndStart("writes", "readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts > /both/writes; hostname >> /both/writes; sleep 600", volume);
        pod.AddAndStart("reads", "readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts > /both/reads; hostname >> /both/reads; sleep 600", volume);
        Machine.Eventually(() => File.Exists(machine.Path + "/shared/reads") && File.ReadAllText(machine.Path + "/shared/reads").EndsWith("together\n", StringComparison.Ordinal), "both have written");
        Assert.Equal(File.ReadAllText(machine.Path + "/shared/writes"), File.ReadAllText(machine.Path + "/shared/reads"));
    }

    [Fact]
    public void An_apps_children_end_with_it()
    {
        var pod = new MutablePod(machine);
        pod.AddAndStart("parent", "sleep 601 & sleep 0.3");
        pod.AwaitState("parent", "exited");
        pod.AddAndStart("looks", "ps; sleep 600");
        Machine.Eventually(() => pod.Log("looks").Contains("sleep 600", StringComparison.Ordinal), "the list of processes is there");
        Assert.DoesNotContain("sleep 601", pod.Log("looks"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/bin/nothere", "nacelle: app bad: /bin/nothere is not in the image\n")]
    [InlineData("/bin/not-executable", "nacelle: app bad: /bin/not-executable is not an executable file\n")]
    public void An_app_that_cannot_be_added_leaves_nothing(string program, string message)
    {
        var pod = new MutablePod(machine);
        var before = File.ReadAllText(machine.Pod(pod.Uuid) + "/pod");
        var result = machine.Nacelle("app", "add", pod.Uuid, TestImages.Busybox, "--name=bad", $"--exec={program}", "--mnt-volume=name=fresh,kind=empty,target=/fresh");
        Assert.Equal(254, result.ExitCode);
        Assert.Equal(message, result.Errors);
        Assert.Equal(before, File.ReadAllText(machine.Pod(pod.Uuid) + "/pod"));
        Assert.Empty(Directory.GetFileSystemEntries(machine.Pod(pod.Uuid), "*bad*", SearchOption.AllDirectories));
        Assert.False(Directory.Exists(machine.Pod(pod.Uuid) + "/sharedVolumes/fresh"));
        pod.AddAndStart("bad", "exit 4"); // the name is free
        Machine.Eventually(() => pod.Status("bad", "exit_code") == "4", "another app of the name runs");
    }

    [Fact]
    public void What_cannot_be_done_is_refused_in_one_line()
    {
        var pod = new MutablePod(machine);
        pod.AddAndStart("runs", "sleep 600");
        pod.AwaitState("runs", "running");
        Assert.Equal("nacelle: app runs: it runs: stop it first\n", pod.TryApp("rm", "runs").Errors);
        Assert.Equal("nacelle: app runs: it runs already\n", pod.TryApp("start", "runs").Errors);
        Assert.Equal($"nacelle: pod {pod.Uuid} has an app 'runs' already: give the new one another name with --name\n", pod.TryAdd("runs", "true").Errors);
        Assert.Equal("nacelle: the pod has no app 'other', only runs\n", pod.TryApp("stop", "other").Errors);
        var (_, immutable) = machine.StartShell("sleep 600");
        var result = machine.Nacelle("app", "add", immutable, TestImages.Busybox, "--name=late");
        Assert.Equal(254, result.ExitCode);
        Assert.Equal($"nacelle: pod {immutable} was not made for apps to come and go: only those of app sandbox are\n", result.Errors);
        Assert.Equal(result.Errors, machine.Nacelle("app", "stop", immutable).Errors);
    }

    [Fact]
    public void Many_changes_at_once_all_come_true()
    {
        var pod = new MutablePod(machine);
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            pod.AddAndStart($"app{i}", "sleep 600");
            if (i % 2 == 0)
            {
                pod.App("stop", $"app{i}");
                pod.App("rm", $"app{i}");
            }
        });
        var list = machine.Nacelle("app", "list", "--no-legend", pod.Uuid).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["app1", "app3", "app5", "app7"], list.Select(line => line.Split(['\t', ' '])[0]).Order());
    }

    [Fact]
    public void Whoever_is_killed_while_adding_leaves_an_app_that_can_be_removed()
    {
        var pod = new MutablePod(machine);
        for (int i = 1; i < 30; i += 3)
        {
            var adding = machine.Start("app", "add", pod.Uuid, TestImages.Busybox, $"--name=app{i}", "--exec=/bin/sh", "--", "-c", "sleep 600");
            Thread.Sleep(i);
            adding.Kill();
            adding.WaitForExit();
        }

        foreach (var line in machine.Nacelle("app", "list", "--no-legend", pod.Uuid).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            pod.App("rm", line.Split(['\t', ' '])[0]);
        }

        pod.AddAndStart("app1", "sleep 600");
        pod.AwaitState("app1", "running");
    }

    [Fact]
    public void A_pod_without_apps_says_so()
    {
        var pod = new MutablePod(machine, "--user-label=a=b");
        Assert.Equal("nacelle: the pod has no apps\n", machine.Nacelle("enter", pod.Uuid, "true").Errors);
        Assert.Contains("\"running\"", machine.Nacelle("status", "--format=json", pod.Uuid).Output, StringComparison.Ordinal);
        Assert.Contains("\"a\":\"b\"", machine.Nacelle("cat-manifest", "--pretty-print=false", pod.Uuid).Output.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }
}
