using System.Text.Json;

namespace Nacelle.EndToEnd.Tests;

public sealed class LifeCycleTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$", 137)]
    [InlineData("true", 0)]
    public void A_pod_ends_with_its_apps_exit_code(string script, int code) => Assert.Equal(code, machine.Shell(script).ExitCode);

    [Fact]
    public void Output_and_errors_are_kept_apart_and_logged()
    {
        var result = machine.Shell("echo out; echo err >&2; printf '\\377\\000'");
        Assert.Equal("out\n\u00ff\0", result.Output);
        Assert.Equal("err\n", result.Errors);
        var log = File.ReadAllText(Directory.GetFiles(machine.Pods().Single() + "/stage1/rootfs/rkt/logs").Single());
        Assert.Matches("(?m)^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z stdout F out$", log);
        Assert.Matches("(?m)^[^ ]+Z stderr F err$", log);
    }

    [Fact]
    public void Much_output_arrives_whole() => Assert.Equal(588895, machine.Shell("seq 100000").Output.Length);

    [Fact]
    public void A_failing_app_ends_the_pod_with_its_code()
    {
        var result = machine.Nacelle(
            "run", TestImages.Busybox, "--name=fails", "--", "sh", "-c", "sleep 0.3; exit 5", "---", TestImages.Busybox, "--name=waits", "--", "sleep", "600");
        Assert.Equal(5, result.ExitCode);
    }

    [Fact]
    public void A_pod_ends_when_all_its_apps_have_ended()
    {
        var result = machine.Nacelle(
            "run", TestImages.Busybox, "--name=early", "--", "true", "---", TestImages.Busybox, "--name=late", "--", "sh", "-c", "sleep 0.5; echo late");
        Assert.Equal("late\n", result.Output);
        Assert.Equal(0, result.ExitCode);
    }

    [Fact]
    public void A_prepared_pod_looks_as_rkts_and_runs_later()
    {
        var uuid = machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--", "sh", "-c", "exit 9").Output.Trim();
        var pod = $"{machine.Data}/pods/prepared/{uuid}";
        foreach (var file in (string[])["appsinfo/busybox/manifest", "appsinfo/busybox/treeStoreID", "overlay-prepared", "pod", "stage1/manifest", "stage1TreeStoreID"])
        {
            Assert.True(File.Exists($"{pod}/{file}"), file);
        }

        Assert.Contains("state=prepared", machine.Nacelle("status", uuid).Output, StringComparison.Ordinal);
        Assert.Equal(9, machine.Nacelle("run-prepared", uuid[..8]).ExitCode);
        var again = machine.Nacelle("run-prepared", uuid);
        Assert.Equal($"nacelle: pod {uuid} is exited, not prepared\n", again.Errors);
        var status = machine.Nacelle("status", uuid).Output;
        Assert.Contains("state=exited\n", status, StringComparison.Ordinal);
        Assert.Contains("app-busybox=9\n", status, StringComparison.Ordinal);
    }

    [Fact]
    public void List_and_status_speak_json()
    {
        var (_, uuid) = machine.StartShell("sleep 600");
        var listed = JsonDocument.Parse(machine.Nacelle("list", "--format=json").Output).RootElement[0];
        Assert.Equal(uuid, listed.GetProperty("name").GetString());
        Assert.Equal("running", listed.GetProperty("state").GetString());
        Assert.Equal("busybox", listed.GetProperty("app_names")[0].GetString());
        Machine.Eventually(
            () => JsonDocument.Parse(machine.Nacelle("status", "--format=json", uuid).Output).RootElement.GetProperty("apps")[0].GetProperty("state").GetString() == "running",
            "the app runs");
        Assert.StartsWith("UUID\t\tAPP\tIMAGE NAME", machine.Nacelle("list").Output, StringComparison.Ordinal);
        Assert.Contains("PodManifest", machine.Nacelle("cat-manifest", uuid).Output, StringComparison.Ordinal);
        Assert.Contains("is running: stop it first", machine.Nacelle("rm", uuid).Errors, StringComparison.Ordinal);
        Assert.Equal($"\"{uuid}\"\n", machine.Nacelle("stop", "--force", uuid).Output);
    }

    [Fact]
    public void Stop_asks_the_app_first()
    {
        var (process, uuid) = machine.StartShell("trap 'exit 6' TERM; while true; do sleep 0.05; done");
        Thread.Sleep(200); // until the shell has set its trap
        Assert.Equal(0, machine.Nacelle("stop", uuid).ExitCode);
        Assert.True(process.WaitForExit(30000));
        Assert.Equal(6, process.ExitCode);
        Assert.Equal($"\"{uuid}\"\n", machine.Nacelle("rm", uuid).Output);
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void An_app_that_will_not_stop_is_killed_after_the_grace_period()
    {
        var (process, uuid) = machine.StartShell("trap '' TERM; while true; do sleep 1; done");
        Thread.Sleep(200);
        machine.Nacelle("stop", uuid);
        Assert.True(process.WaitForExit(60000));
        Assert.Equal(137, process.ExitCode);
    }

    [Fact]
    public void A_pod_dies_with_the_process_outside()
    {
        var (process, uuid) = machine.StartShell("sleep 600");
        var init = machine.PidOf(uuid);
        process.Kill();
        Machine.Eventually(() => !Directory.Exists($"/proc/{init}"), "PID 1 ends");
        Machine.Eventually(() => machine.Nacelle("status", uuid).Output.Contains("state=exited", StringComparison.Ordinal), "the pod has exited");
    }

    [Fact]
    public void Who_enters_a_pod_has_every_restriction_of_the_app()
    {
        var (_, uuid) = machine.StartShell("sleep 600");
        const string Look = "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; cat /proc/self/cgroup; for n in mnt pid ipc uts net cgroup user; do readlink /proc/self/ns/$n; done; id";
        var inside = machine.Nacelle("enter", uuid, "sh", "-c", Look);
        var namespaces = machine.Nacelle("enter", "--app=busybox", uuid[..6], "sh", "-c", "for n in mnt pid ipc uts net cgroup user; do readlink /proc/3/ns/$n || readlink /proc/2/ns/$n; done");
        Assert.Contains("CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nNoNewPrivs:\t0\nSeccomp:\t2\n", inside.Output, StringComparison.Ordinal);
        Assert.Contains(namespaces.Output.Trim(), inside.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("/nacelle", inside.Output, StringComparison.Ordinal);
        Assert.Equal(42, machine.Nacelle("enter", uuid, "sh", "-c", "exit 42").ExitCode);
        Assert.Equal(254, machine.Nacelle("enter", uuid, "/no/such/program").ExitCode);
    }

    [Fact]
    public void A_pod_with_a_user_namespace_can_be_entered()
    {
        var (_, uuid) = machine.StartShell("sleep 600", "--private-users");
        var result = machine.Nacelle("enter", uuid, "sh", "-c", "id -u; cat /proc/self/uid_map");
        Assert.StartsWith("0\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("4294967295", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Garbage_goes_in_two_passes()
    {
        machine.Shell("true");
        Assert.Contains("Moving pod", machine.Nacelle("gc", "--mark-only").Output, StringComparison.Ordinal);
        Assert.Contains("exited garbage", machine.Nacelle("list").Output, StringComparison.Ordinal);
        machine.Nacelle("gc", "--grace-period=1h");
        Assert.Single(machine.Pods());
        Assert.Contains("Garbage collecting pod", machine.Nacelle("gc", "--grace-period=0s").Output, StringComparison.Ordinal);
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public async Task Twenty_pods_start_at_once_while_others_look_and_collect()
    {
        machine.Shell("true");
        var runs = Enumerable.Range(0, 20).Select(i => Task.Run(() => machine.Shell($"echo pod {i}"))).ToArray();
        var looks = Enumerable.Range(0, 10).Select(i => Task.Run(() => i % 2 == 0 ? machine.Nacelle("list") : machine.Nacelle("gc", "--grace-period=0s"))).ToArray();
        for (int i = 0; i < runs.Length; i++)
        {
            var result = await runs[i];
            Assert.True(result is { ExitCode: 0, Errors: "" } && result.Output == $"pod {i}\n", result.ToString());
        }

        foreach (var look in looks)
        {
            Assert.Equal(0, (await look).ExitCode);
        }
    }
}
