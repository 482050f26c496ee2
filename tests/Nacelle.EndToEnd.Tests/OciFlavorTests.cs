namespace Nacelle.EndToEnd.Tests;

/// <summary>The flavor oci: apps are handed to an OCI runtime of somebody else's, and share the pod's namespaces.</summary>
public sealed class OciFlavorTests : IDisposable
{
    const string Oci = "--stage1-name=nacelle/stage1-oci";

    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    static readonly string Runc = File.Exists("/usr/bin/runc") ? "/usr/bin/runc" : "/usr/sbin/runc";

    public static TheoryData<string> Runtimes => [Runc, "/usr/bin/crun", Path.GetDirectoryName(Machine.Program) + "/nacelle-oci"];

    /// <summary>Crun refuses a machine with control groups of both versions, so it does not get to see the second.</summary>
    static string Prelude(string runtime)
    {
        Machine.Require(runtime, "/usr/bin/unshare");
        return $"export NACELLE_OCI_RUNTIME={runtime}; {(runtime.EndsWith("crun", StringComparison.Ordinal) ? "umount /sys/fs/cgroup/unified 2>/dev/null || true;" : "")}";
    }

    Result With(string runtime, params string[] arguments) =>
        Machine.Run("/usr/bin/unshare", ["--mount", "/bin/sh", "-ec", $"{Prelude(runtime)} exec {Machine.Program} --dir={machine.Data} \"$@\"", "sh", .. arguments]);

    [Theory]
    [MemberData(nameof(Runtimes))]
    public void Apps_share_the_pods_namespaces_and_end_with_its_code(string runtime)
    {
        const string Look = "cat /proc/sys/kernel/hostname; for n in pid ipc uts net; do readlink /proc/self/ns/$n; done; grep -E '^(CapBnd|Seccomp):' /proc/self/status";
        var result = With(
            runtime, "run", Oci, "--hostname=pod", TestImages.Busybox, "--name=one", "--exec=/bin/sh", "--", "-c", $"{Look}; ip -o link | cut -d: -f2", "---",
            TestImages.Busybox, "--name=two", "--exec=/bin/sh", "--", "-c", $"sleep 1; {Look}; ip -o link | cut -d: -f2; exit 5");
        Assert.True(result.ExitCode == 5, result.ToString());
        var half = result.Output[..(result.Output.Length / 2)];
        Assert.Equal(half + half, result.Output);
        Assert.StartsWith("pod\npid:[", half, StringComparison.Ordinal);
        Assert.EndsWith("CapBnd:\t00000000a80425fb\nSeccomp:\t2\n lo\n", half, StringComparison.Ordinal);
        Assert.DoesNotContain(new FileInfo("/proc/self/ns/net").LinkTarget!, half, StringComparison.Ordinal);
        var status = machine.Nacelle("status", Path.GetFileName(machine.Pods().Single())).Output;
        Assert.Contains("app-one=0\napp-two=5\n", status, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public void A_failing_app_ends_the_pod(string runtime)
    {
        var result = With(
            runtime, "run", Oci, TestImages.Busybox, "--name=fails", "--exec=/bin/sh", "--", "-c", "sleep 0.5; exit 5", "---", TestImages.Busybox, "--name=waits", "--exec=/bin/sh", "--", "-c",
            "trap 'exit 0' TERM; while true; do sleep 0.05; done");
        Assert.True(result.ExitCode == 5, result.ToString());
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_pod_is_entered_stopped_and_collected(string runtime)
    {
        var uuid = machine.Path + "/uuid";
        var run = Task.Run(() => With(runtime, "run", Oci, $"--uuid-file-save={uuid}", "--volume=v,kind=empty", TestImages.Busybox, "--exec=/bin/sh", "--user=user", "--mount=volume=v,target=/v", "--", "-c", "trap 'exit 6' TERM; while true; do sleep 0.05; done"));
        Machine.Eventually(() => File.Exists(uuid) && machine.Nacelle("enter", $"--uuid-file={uuid}", "/bin/true").ExitCode == 0, "the app runs");
        var entered = machine.Nacelle("enter", File.ReadAllText(uuid).Trim(), "/bin/sh", "-c", "id -u; grep -E '^(CapEff|NoNewPrivs):' /proc/self/status; test -d /v; exit 4");
        Assert.Equal((4, "1000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n"), (entered.ExitCode, entered.Output));
        Assert.Equal(0, machine.Nacelle("stop", File.ReadAllText(uuid).Trim()).ExitCode);
        Assert.Equal(6, (await run).ExitCode);
        Assert.Equal(0, machine.Nacelle("rm", File.ReadAllText(uuid).Trim()).ExitCode);
        Assert.Empty(machine.Pods());
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Force_ends_a_pod_at_once(string runtime)
    {
        var uuid = machine.Path + "/uuid";
        var run = Task.Run(() => With(runtime, "run", Oci, $"--uuid-file-save={uuid}", TestImages.Busybox, "--exec=/bin/sh", "--", "-c", "trap '' TERM; while true; do sleep 0.05; done"));
        Machine.Eventually(() => File.Exists(uuid) && machine.Nacelle("enter", $"--uuid-file={uuid}", "/bin/true").ExitCode == 0, "the app runs");
        Assert.Equal(0, machine.Nacelle("stop", "--force", File.ReadAllText(uuid).Trim()).ExitCode);
        Assert.Equal(137, (await run).ExitCode);
    }

    [Fact]
    public void What_cannot_be_had_is_refused()
    {
        Assert.EndsWith("nacelle: the stage1 oci leaves apps to an OCI runtime: there are no user namespaces: leave --private-users out\n", With(Runc, "run", Oci, "--private-users", TestImages.Busybox).Errors, StringComparison.Ordinal);
        Assert.EndsWith("nacelle: the stage1 oci found no runtime no-such-runtime: install one, or name one in NACELLE_OCI_RUNTIME\n", Machine.Run("/usr/bin/env", "NACELLE_OCI_RUNTIME=no-such-runtime", Machine.Program, $"--dir={machine.Data}", "run", Oci, TestImages.Busybox).Errors, StringComparison.Ordinal);
        Assert.Contains("cannot run pods whose apps come and go", machine.Nacelle("app", "sandbox", Oci).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void An_app_that_the_runtime_cannot_start_ends_with_our_code()
    {
        Machine.Require("/bin/false", "/usr/bin/unshare");
        var result = With("/bin/false", "run", Oci, TestImages.Busybox, "--exec=/bin/sh", "--", "-c", "true");
        Assert.Equal(254, result.ExitCode);
        Assert.EndsWith("nacelle: app busybox: /bin/false could not start it, and ended with code 1\n", result.Errors, StringComparison.Ordinal);
    }
}
