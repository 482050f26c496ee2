using System.Diagnostics;

namespace Nacelle.EndToEnd.Tests;

/// <summary>rkt's contract between stage0 and stage1, kept with a stage1 that is not ours. See docs/stage1.md.</summary>
public sealed class Stage1ContractTests : IDisposable
{
    readonly Machine machine = new();

    public Stage1ContractTests() => Machine.Require("/usr/bin/jq", "/usr/bin/nsenter", "/usr/bin/unshare");

    public void Dispose() => machine.Dispose();

    ShellStage1 Shell => new(machine);

    /// <summary>A pod whose app ends with code 6 when it is asked to end, and is ready for that.</summary>
    (Process Process, string Uuid) StartTrapped()
    {
        var started = machine.StartShell("trap 'exit 6' TERM; echo >/trapped; while true; do sleep 0.05; done", Shell.Flags);
        Machine.Eventually(() => File.Exists($"{machine.Pod(started.Uuid)}/overlay/busybox/upper/trapped"), "the app has set its trap");
        return started;
    }

    [Theory]
    [InlineData("/run", "ppid")]
    [InlineData("/run-plain", "pid")]
    public void A_stage1_of_somebody_else_runs_pods(string entryPoint, string told)
    {
        var result = machine.Shell("echo $FROM_IMAGE from $AC_APP_NAME; exit 7", Shell.With("run", entryPoint).Flags);
        Assert.Equal((7, "image from busybox\n"), (result.ExitCode, result.Output));
        var pod = machine.Pods().Single();
        Assert.True(File.Exists($"{pod}/{told}"), told);
        Assert.Contains("app-busybox=7\n", machine.Nacelle("status", Path.GetFileName(pod)).Output, StringComparison.Ordinal);
        Assert.StartsWith("sha512-", File.ReadAllText(pod + "/stage1TreeStoreID"), StringComparison.Ordinal);
        Assert.True(File.Exists(pod + "/stage1/rootfs/opt/stage2/busybox/manifest"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("--no-overlay")]
    [InlineData("--private-users")]
    [InlineData("--private-users", "--no-overlay")]
    public void Two_apps_run_however_the_file_systems_are_made(params string[] flags)
    {
        var result = machine.Nacelle([
            "run", .. Shell.Flags, .. flags.Where(flag => flag.Length > 0), TestImages.Busybox, "--name=one", "--", "sh", "-c", "exit 3", "---", TestImages.Busybox, "--name=two", "--", "true"]);
        Assert.Equal(3, result.ExitCode);
        var status = machine.Nacelle("status", Path.GetFileName(machine.Pods().Single())).Output;
        Assert.Contains("app-one=3\napp-two=0\n", status, StringComparison.Ordinal);
    }

    [Fact]
    public void A_running_pod_is_entered_and_stopped_and_collected()
    {
        var (process, uuid) = StartTrapped();
        var entered = machine.Nacelle("enter", uuid, "/bin/sh", "-c", "echo in $$; test -e /bin/busybox; exit 5");
        Assert.Equal(5, entered.ExitCode);
        Assert.StartsWith("in ", entered.Output, StringComparison.Ordinal);
        var status = machine.Nacelle("status", uuid).Output;
        Assert.Contains("state=running", status, StringComparison.Ordinal);
        Assert.Matches("(?m)^pid=[0-9]+$", status);
        Assert.Equal($"\"{uuid}\"\n", machine.Nacelle("stop", uuid).Output);
        Assert.True(process.WaitForExit(30000));
        Assert.Equal(6, process.ExitCode);
        var trace = machine.Path + "/trace";
        Assert.Equal(0, Machine.Run("/usr/bin/env", $"STAGE1_SHELL_TRACE={trace}", Machine.Program, $"--dir={machine.Data}", "rm", uuid).ExitCode);
        Assert.Equal($"gc {uuid}\n", File.ReadAllText(trace));
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void An_entry_point_that_crosses_into_the_pod_is_told_the_way()
    {
        var (_, uuid) = machine.StartShell("sleep 600", Shell.With("attach", "/app/start").Flags);
        var crossed = machine.Nacelle("attach", "--app=busybox", uuid);
        Assert.True(crossed is { ExitCode: 0, Output: "--action=auto-attach --app=busybox\n" }, crossed.ToString());
        machine.Nacelle("stop", "--force", uuid);
    }

    [Fact]
    public void Force_ends_a_pod_at_once_and_a_signal_to_the_process_outside_is_passed_on()
    {
        var (forced, uuid) = machine.StartShell("trap '' TERM; while true; do sleep 0.05; done", Shell.Flags);
        Assert.Equal(0, machine.Nacelle("stop", "--force", uuid).ExitCode);
        Assert.True(forced.WaitForExit(30000));
        var (asked, _) = StartTrapped();
        Machine.Run("/bin/kill", "-TERM", $"{asked.Id}");
        Assert.True(asked.WaitForExit(30000));
        Assert.Equal(6, asked.ExitCode);
    }

    [Fact]
    public void The_lock_says_whether_the_pod_runs_as_long_as_stage1_lives()
    {
        var (process, uuid) = machine.StartShell("sleep 600", Shell.Flags);
        Assert.Contains("is running", machine.Nacelle("rm", uuid).Errors, StringComparison.Ordinal);
        process.Kill();
        Machine.Eventually(() => machine.Nacelle("status", uuid).Output.Contains("state=exited", StringComparison.Ordinal), "the pod has exited");
    }

    [Theory]
    [InlineData("1", "--net=none --debug --interactive", 3)]
    [InlineData("2", "--net=none --debug --interactive --hostname=h", 2)]
    [InlineData("3", "--net=none --debug --interactive --hostname=h --disable-paths --disable-seccomp", 0)]
    [InlineData("6", "--net=none --debug --interactive --hostname=h --disable-paths --disable-seccomp --dns-conf-mode=resolv=default,hosts=default", 0)]
    [InlineData(null, "--net=none --debug --interactive", 3)]
    public void A_stage1_is_told_what_its_version_of_the_contract_has(string? version, string arguments, int warnings)
    {
        var flags = Shell.With("interface-version", version).Flags;
        var result = machine.Nacelle(["--debug", "run", .. flags[1..], "--insecure-options=image,paths,seccomp", "--interactive", "--hostname=h", TestImages.Busybox, "--", "true"]);
        Assert.True(result.ExitCode == 0, result.ToString());
        var pod = machine.Pods().Single();
        var told = File.ReadAllLines(pod + "/stage1/rootfs/rkt/arguments");
        Assert.Equal(Path.GetFileName(pod), told[^1]);
        Assert.Equal(arguments.Split(' ').Order(StringComparer.Ordinal), told[..^1].Order(StringComparer.Ordinal));
        Assert.Equal(warnings, result.Errors.Split('\n').Count(line => line.StartsWith("nacelle: warning: the stage1 example.com/stage1-shell does not know --", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("interface-version", "7", "wants interface version 7; known here are 1 to 6")]
    [InlineData("interface-version", "new", "is broken: its interface version is 'new'")]
    [InlineData("run", null, "is no stage1: its manifest names no entry point 'run'")]
    [InlineData("enter", "/missing", "is broken: its entry point for enter, /missing, is not an executable file of the image")]
    [InlineData("run", "/../run", "is broken: its entry point for run, /../run, is not an executable file of the image")]
    [InlineData("gc", "/app", "is broken: its entry point for gc, /app, is not an executable file of the image")]
    public void A_stage1_that_cannot_be_one_is_refused_before_there_is_a_pod(string annotation, string? value, string message)
    {
        var result = machine.Shell("true", Shell.With(annotation, value).Flags);
        Assert.Equal(254, result.ExitCode);
        Assert.Contains(message, result.Errors, StringComparison.Ordinal);
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void What_a_stage1_has_no_entry_point_for_is_refused_in_one_line()
    {
        var (_, uuid) = machine.StartShell("sleep 600", Shell.With("enter", null).Flags);
        Assert.Equal("nacelle: the pod's stage1 example.com/stage1-shell cannot enter: it has no entry point of that name\n", machine.Nacelle("enter", uuid, "/bin/sh").Errors);
        machine.Nacelle("stop", "--force", uuid);
    }

    [Fact]
    public void A_stage1_without_entry_points_for_apps_runs_no_pod_whose_apps_come_and_go()
    {
        var result = machine.Nacelle(["app", "sandbox", .. Shell.Flags]);
        Assert.Equal(254, result.ExitCode);
        Assert.EndsWith("nacelle: the stage1 example.com/stage1-shell cannot run pods whose apps come and go: it has no entry point app/add\n", result.Errors, StringComparison.Ordinal);
        Assert.Empty(machine.Pods());
    }

    [Theory]
    [InlineData("exit 0", "the stage1 example.com/stage1-shell ended with code 0 and wrote neither pid nor ppid: the pod is removed")]
    [InlineData("kill -9 $$", "the stage1 example.com/stage1-shell ended with code 137 and wrote neither pid nor ppid: the pod is removed")]
    [InlineData("exec sleep 600", "the stage1 example.com/stage1-shell has written neither pid nor ppid in 20 seconds: it was killed, and the pod removed")]
    public void A_stage1_of_which_no_pod_comes_is_reported_and_its_pod_removed(string script, string message)
    {
        var result = machine.Shell("true", Shell.WithScript("run", script).Flags);
        Assert.Equal(254, result.ExitCode);
        Assert.Equal($"nacelle: {message}", result.Errors.TrimEnd('\n').Split('\n')[^1]);
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void An_entry_point_that_hangs_or_fails_is_reported_and_its_pod_goes_all_the_same()
    {
        var (process, uuid) = machine.StartShell("sleep 600", Shell.WithScript("stop", "exec sleep 600").WithScript("gc", "exit 4").Flags);
        var stopped = machine.Nacelle("stop", uuid);
        Assert.Equal(254, stopped.ExitCode);
        Assert.Equal($"nacelle: pod {uuid}: the stop of its stage1 example.com/stage1-shell did not end within 20 seconds, and was killed\n", stopped.Errors);
        process.Kill();
        Machine.Eventually(() => machine.Nacelle("status", uuid).Output.Contains("state=exited", StringComparison.Ordinal), "the pod has exited");
        Assert.Equal($"nacelle: warning: pod {uuid} is removed, but its stage1's gc ended with code 4\n", machine.Nacelle("rm", uuid).Errors);
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void An_image_that_pods_have_for_their_stage1_is_kept()
    {
        var uuid = machine.Nacelle(["prepare", "--quiet", .. Shell.Flags, TestImages.Busybox, "--", "sh", "-c", "exit 9"]).Output.Trim();
        var images = machine.Nacelle("image", "gc", "--grace-period=0s");
        Assert.Equal(0, images.ExitCode);
        machine.Nacelle("gc", "--grace-period=0s");
        Assert.Contains("stage1-shell", machine.Nacelle("image", "list").Output, StringComparison.Ordinal);
        Assert.Equal(9, machine.Nacelle("run-prepared", uuid).ExitCode);
    }
}
