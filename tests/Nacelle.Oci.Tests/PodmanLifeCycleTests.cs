namespace Nacelle.Oci.Tests;

/// <summary>What podman does with a container that runs.</summary>
[Collection(PodmanCollection.Name)]
public sealed class PodmanLifeCycleTests(Podman podman)
{
    const string Orderly = "trap 'exit 3' TERM; echo started; while :; do sleep 0.05; done";

    [Fact]
    public void A_container_is_stopped_started_killed_and_removed()
    {
        var id = podman.Start(Orderly);
        OciMachine.Eventually(() => podman.Run("logs", id).Output == "started\n", "the container has said so");
        Assert.Equal(id, podman.Say("stop", "--time=20", id));
        Assert.Equal("3", podman.Say("wait", id));
        podman.Say("start", id);
        Assert.Equal("running", podman.Say("inspect", "--format={{.State.Status}}", id));
        podman.Say("kill", id);
        Assert.Equal("137", podman.Say("wait", id));
        podman.Say("start", id);
        podman.Say("rm", "--force", "--time=0", id);
        Assert.NotEqual(0, podman.Run("inspect", id).ExitCode);
    }

    [Fact]
    public void Further_processes_run_with_their_own_exit_codes()
    {
        var id = podman.Start("sleep 1000");
        var result = podman.Run("exec", "--env=NAME=value", "--user=1000", "--workdir=/data", id, "sh", "-c", "echo $NAME $(id -u) $PWD; exit 5");
        Assert.True(result is { ExitCode: 5, Output: "value 1000 /data\n" }, result.ToString());
        Assert.Equal(127, podman.Run("exec", id, "/no/such/program").ExitCode);
        Assert.Equal(126, podman.Run("exec", id, "/etc").ExitCode);
        var terminal = podman.OnTerminal("exec", "-it", id, "sh", "-c", "tty; exit 9");
        Assert.True(terminal.ExitCode == 9 && terminal.Output.Contains("/dev/pts/", StringComparison.Ordinal), terminal.ToString());
        podman.Say("exec", "--detach", id, "touch", "/tmp/there");
        OciMachine.Eventually(() => podman.Run("exec", id, "test", "-e", "/tmp/there").ExitCode == 0, "the detached process has run");
        podman.Say("rm", "--force", "--time=0", id);
    }

    [Fact]
    public void A_container_is_paused_watched_and_updated()
    {
        var id = podman.Start(Orderly, "--memory=64m");
        Assert.Contains("sleep", podman.Say("top", id, "comm") + podman.Say("top", id, "args"), StringComparison.Ordinal);
        Assert.Matches("^[1-9]", podman.Say("stats", "--no-stream", "--format={{.PIDs}}", id));
        podman.Say("pause", id);
        Assert.Equal("paused", podman.Say("inspect", "--format={{.State.Status}}", id));
        Assert.NotEqual(0, podman.Run("exec", id, "true").ExitCode);
        podman.Say("unpause", id);
        Assert.Equal("running", podman.Say("inspect", "--format={{.State.Status}}", id));
        podman.Say("update", "--memory=100m", id);
        Assert.Equal("104857600", podman.Say("exec", id, "sh", "-c", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max"));
        podman.Say("rm", "--force", "--time=0", id);
    }

    [Fact]
    public void A_paused_container_can_be_removed()
    {
        var id = podman.Start("sleep 1000");
        podman.Say("pause", id);
        podman.Say("rm", "--force", "--time=0", id);
    }

    [Fact]
    public void Health_is_asked_for_inside_the_container()
    {
        var id = podman.Start("sleep 1000", "--health-cmd=test -e /tmp/healthy", "--health-interval=disable");
        Assert.Equal(1, podman.Run("healthcheck", "run", id).ExitCode);
        podman.Say("exec", id, "touch", "/tmp/healthy");
        Assert.Equal(0, podman.Run("healthcheck", "run", id).ExitCode);
        podman.Say("rm", "--force", "--time=0", id);
    }

    [Fact]
    public void The_containers_of_a_pod_share_its_namespaces()
    {
        SkipPodsInVersion2();
        podman.Say("pod", "create", "--name=shared", "--network=none", "--hostname=of-the-pod");
        var one = podman.Start("sleep 1000", "--pod=shared");
        const string Look = "hostname; for n in net ipc uts pid mnt; do readlink /proc/self/ns/$n; done";
        var first = podman.Say("exec", one, "sh", "-c", Look).Split('\n');
        var second = podman.Shell(Look, "--pod=shared").Output.Trim().Split('\n');
        Assert.Equal("of-the-pod", first[0]);
        Assert.Equal(first[..4], second[..4]);
        Assert.NotEqual(first[4], second[4]);
        Assert.NotEqual(first[5], second[5]);
        podman.Say("pod", "pause", "shared");
        podman.Say("pod", "unpause", "shared");
        podman.Say("pod", "stop", "--time=0", "shared");
        podman.Say("pod", "rm", "--force", "shared");
    }

    [Fact]
    public void The_containers_of_a_pod_may_see_each_others_processes()
    {
        SkipPodsInVersion2();
        podman.Say("pod", "create", "--name=seeing", "--network=none", "--share=pid,ipc,net,uts");
        var one = podman.Start("exec sleep 4711", "--pod=seeing");
        Assert.Contains("sleep 4711", podman.Shell("ps", "--pod=seeing").Output, StringComparison.Ordinal);
        podman.Say("kill", one);
        Assert.Equal("137", podman.Say("wait", one));
        podman.Say("pod", "rm", "--force", "--time=0", "seeing");
    }

    [Fact]
    public void A_pod_is_written_down_for_Kubernetes_and_played()
    {
        SkipPodsInVersion2();
        podman.Say("pod", "create", "--name=played", "--network=none");
        podman.Start("echo playing; sleep 1000", "--pod=played", "--name=player");
        var file = $"{podman.Path}/pod.yaml";
        podman.Say("generate", "kube", "--filename", file, "played");
        podman.Say("pod", "rm", "--force", "--time=0", "played");
        podman.Say("play", "kube", "--network=none", file);
        OciMachine.Eventually(() => podman.Run("logs", "played-player").Output.Contains("playing", StringComparison.Ordinal), "the container of the pod has said so");
        podman.Say("play", "kube", "--down", file);
    }

    static void SkipPodsInVersion2() =>
        Assert.SkipWhen(ControlGroups.AreUnified, "in version 2 Debian's podman denies the group of a pod every device, whatever the runtime: crun and runc fail too");
}
