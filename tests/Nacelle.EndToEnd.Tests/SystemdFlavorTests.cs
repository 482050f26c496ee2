namespace Nacelle.EndToEnd.Tests;

/// <summary>The flavor systemd on a machine without one: units, exit codes, the journal; with one see <see cref="SlidesTests"/>.</summary>
public sealed class SystemdFlavorTests : IDisposable
{
    public const string Systemd = "--stage1-name=nacelle/stage1-systemd";

    readonly Machine machine = new();

    public SystemdFlavorTests() => RequireImage();

    internal static void RequireImage() =>
        Assert.SkipUnless(File.Exists(Path.GetDirectoryName(Machine.Program) + "/stage1-images/stage1-systemd.aci"), "needs stage1-systemd.aci, which eng/systemd-image.sh makes of Debian's packages");

    public void Dispose() => machine.Dispose();

    string Shell(string script, params string[] appFlags) => ShellResult(script, appFlags).Output.Replace("\r", "", StringComparison.Ordinal);

    Result ShellResult(string script, params string[] appFlags) =>
        machine.Nacelle(["run", Systemd, TestImages.Busybox, "--name=app", "--exec=/bin/sh", .. appFlags, "--", "-c", script]);

    string Status() => machine.Nacelle("status", Path.GetFileName(machine.Pods().Single())).Output;

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$", 137)]
    [InlineData("true", 0)]
    public void A_pod_ends_with_its_apps_exit_code(string script, int code)
    {
        Assert.Equal(code, ShellResult(script).ExitCode);
        Assert.Contains($"app-app={code}\n", Status(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_failing_app_ends_the_pod_with_its_code_and_the_others_are_asked_to_stop()
    {
        var result = machine.Nacelle(
            "run", Systemd, TestImages.Busybox, "--name=fails", "--exec=/bin/sh", "--", "-c", "sleep 1; exit 5", "---", TestImages.Busybox, "--name=waits", "--exec=/bin/sh", "--", "-c",
            "trap 'exit 3' TERM; while true; do sleep 0.05; done");
        Assert.True(result.ExitCode == 5, result.ToString());
        Assert.Contains("app-fails=5\napp-waits=3\n", Status(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_ends_when_all_its_apps_have_ended()
    {
        var result = machine.Nacelle(
            "run", Systemd, TestImages.Busybox, "--name=early", "--exec=/bin/sh", "--", "-c", "true", "---", TestImages.Busybox, "--name=late", "--exec=/bin/sh", "--", "-c", "sleep 1; echo late");
        Assert.True(result.ExitCode == 0 && result.Output.Contains("late", StringComparison.Ordinal), result.ToString());
    }

    [Fact]
    public void Arguments_and_variables_arrive_as_they_were_given()
    {
        const string Hard = "a \"b\" 'c' \\ $HOME ${X} %n % $$ `d` ;";
        var result = machine.Nacelle(
            "run", Systemd, TestImages.Busybox, "--name=app", "--exec=/bin/sh", $"--environment=HARD={Hard}", "--", "-c", "printf '%s|%s|%s\\n' \"$HARD\" \"$1\" \"$FROM_IMAGE\"", "name", Hard);
        Assert.Contains($": {Hard}|{Hard}|image\r\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void An_app_has_the_confinement_of_pods()
    {
        var output = Shell("grep -E '^(CapPrm|CapBnd|Seccomp|NoNewPrivs):' /proc/self/status; id -u; ps -o pid,comm | grep -c 'systemd$'; cat /proc/kallsyms | wc -c; unshare -m true || echo no namespaces; mount -t tmpfs x /tmp || echo no mounts; ip -o link | wc -l; echo x >/proc/sys/kernel/panic || echo no parameters");
        foreach (var line in (string[])["CapPrm:\t00000000a80425fb", "CapBnd:\t00000000a80425fb", "NoNewPrivs:\t0", "Seccomp:\t2", "no namespaces", "no mounts", "no parameters"])
        {
            Assert.Contains($": {line}\n", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Users_that_no_passwd_knows_gain_no_privileges()
    {
        var output = Shell("id -u; id -g; id -G; grep -E '^(CapEff|NoNewPrivs):' /proc/self/status; pwd", "--user=4711", "--group=4712", "--supplementary-gids=4713,4714", "--working-dir=/etc");
        foreach (var line in (string[])["4711", "4712", "4712 4713 4714", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "/etc"])
        {
            Assert.Contains($": {line}\n", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Capabilities_filters_and_roots_are_as_told()
    {
        var output = Shell("grep CapBnd /proc/self/status; touch /file || echo read-only; mkdir /tmp/x || echo filtered", "--caps-retain=CAP_CHOWN,CAP_KILL", "--readonly-rootfs=true");
        Assert.Contains(": CapBnd:\t0000000000000021\n", output, StringComparison.Ordinal);
        Assert.Contains(": read-only\n", output, StringComparison.Ordinal);
        Assert.Contains(": filtered\n", Shell("mkdir /tmp/x || echo filtered", "--seccomp=mode=remove,errno=ENOSYS,mkdir,mkdirat"), StringComparison.Ordinal);
    }

    [Fact]
    public void Volumes_are_mounted_where_links_in_the_image_lead()
    {
        var volume = machine.Path + "/volume";
        Directory.CreateDirectory(volume);
        File.WriteAllText(volume + "/file", "from the host\n");
        var result = machine.Nacelle(
            "run", Systemd, $"--volume=v,kind=host,source={volume},readOnly=true", "--volume=e,kind=empty", TestImages.Busybox, "--name=app", "--exec=/bin/sh", "--mount=volume=v,target=/escape/v",
            "--mount=volume=e,target=/e", "--", "-c", "cat /tmp/v/file; touch /tmp/v/file || echo read-only; touch /e/file && echo written");
        foreach (var line in (string[])["from the host", "read-only", "written"])
        {
            Assert.Contains($": {line}\r\n", result.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_running_app_is_entered_with_its_restrictions_and_stopped()
    {
        var (process, uuid) = machine.StartShell("trap 'exit 6' TERM; echo >/trapped; while true; do sleep 0.05; done", Systemd);
        Machine.Eventually(() => File.Exists($"{machine.Pod(uuid)}/overlay/busybox/upper/trapped"), "the app has set its trap");
        var inside = machine.Nacelle("enter", uuid, "sh", "-c", "grep -E '^(CapEff|CapBnd|Seccomp):' /proc/self/status; cat /proc/1/comm; exit 4");
        Assert.Equal((4, "CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nSeccomp:\t2\nsystemd\n"), (inside.ExitCode, inside.Output));
        Assert.Equal(0, machine.Nacelle("stop", uuid).ExitCode);
        Assert.True(process.WaitForExit(30000));
        Assert.Equal(6, process.ExitCode);
    }

    [Fact]
    public void Force_ends_a_pod_at_once()
    {
        var (process, uuid) = machine.StartShell("trap '' TERM; while true; do sleep 0.05; done", Systemd);
        Assert.Equal(0, machine.Nacelle("stop", "--force", uuid).ExitCode);
        Assert.True(process.WaitForExit(30000));
        Assert.NotEqual(0, process.ExitCode);
    }

    [Fact]
    public void The_journal_stays_in_the_pod_directory()
    {
        Machine.Require("/usr/bin/journalctl");
        Shell("echo to the journal; echo and errors >&2");
        var read = Machine.Run("/usr/bin/journalctl", "--no-pager", "-o", "cat", "-t", "app", "-D", $"{machine.Pods().Single()}/stage1/rootfs/var/log/journal");
        Assert.Equal("to the journal\nand errors\n", read.Output);
    }

    [Fact]
    public void Handlers_run_before_and_after_the_app()
    {
        var manifest = machine.Path + "/pod.json";
        var id = machine.Nacelle("fetch", "--full", TestImages.Busybox).Output.Trim();
        File.WriteAllText(manifest, """
            {"acVersion":"0.8.11","acKind":"PodManifest","apps":[{"name":"app","image":{"id":"IMAGE"},"app":{"exec":["/bin/sh","-c","echo two"],"user":"0","group":"0",
             "eventHandlers":[{"name":"pre-start","exec":["/bin/echo","one"]},{"name":"post-stop","exec":["/bin/echo","three"]}]}}]}
            """.Replace("IMAGE", id, StringComparison.Ordinal));
        var result = machine.Nacelle("run", Systemd, $"--pod-manifest={manifest}");
        Assert.Equal(["one", "two", "three"], result.Output.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line[(line.LastIndexOf(' ') + 1)..]));
    }

    [Theory]
    [InlineData("there are no user namespaces: leave --private-users out", "--private-users")]
    public void What_cannot_be_had_is_refused(string message, string flag) =>
        Assert.EndsWith($"nacelle: the stage1 systemd cannot run this pod: {message}\n", machine.Shell("true", Systemd, flag).Errors, StringComparison.Ordinal);
}
