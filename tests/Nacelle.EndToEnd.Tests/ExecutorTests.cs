using System.Text.RegularExpressions;

namespace Nacelle.EndToEnd.Tests;

/// <summary>appc 0.8.11, spec/ace.md, "App Container Executor": one test for each of its rules that no other file is about.</summary>
/// <remarks>The rest: environment in EnvironmentTests, handlers in EventHandlerTests, isolators in LimitTests, PodLimitTests, SeccompTests and CapabilityTests, the metadata service and its identity endpoints in MetadataServiceTests.</remarks>
public sealed partial class ExecutorTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [GeneratedRegex("^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Rfc4122 { get; }

    string Volume(string content = "")
    {
        var path = $"{machine.Path}/volume";
        Machine.Script(machine.Path, $"mkdir -p volume; cd volume; {content}");
        return $"--volume=work,kind=host,source={path}";
    }

    [Fact]
    public void Each_pod_has_a_UUID_of_RFC_4122()
    {
        var uuids = Enumerable.Range(0, 3).Select(_ => machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--exec=/bin/true").Output.Trim()).ToList();
        Assert.All(uuids, uuid => Assert.Matches(Rfc4122, uuid));
        Assert.Equal(3, uuids.Distinct().Count());
    }

    [Fact]
    public void Each_app_has_a_root_file_system_of_its_own()
    {
        var run = machine.Nacelle(
            "run", TestImages.Busybox, "--name=a", "--exec=/bin/sh", "--", "-c", "echo a >/mine; sleep 1; cat /mine; ls /", "---",
            TestImages.Busybox, "--name=b", "--exec=/bin/sh", "--", "-c", "sleep 0.5; test -e /mine && echo shared; echo b >/mine");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.StartsWith("a\n", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("shared", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("stage2", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_execution_begins_with_a_clean_copy()
    {
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal("clean\n", machine.Shell("test -e /left || echo clean; touch /left; rm -r /etc /bin/cat").Output);
        }
    }

    [Fact]
    public void A_root_file_system_is_writable_unless_the_manifest_says_otherwise()
    {
        const string Write = "touch /x && echo written; touch /usr/x 2>/dev/null && echo written; true";
        Assert.Equal("written\nwritten\n", machine.Shell(Write).Output);
        Assert.Equal("", machine.ShellAs(Write, "--readonly-rootfs").Output);
    }

    [Fact]
    public void A_volume_is_the_same_in_all_apps_that_mount_it_wherever_they_do()
    {
        var run = machine.Nacelle(
            "run", Volume("echo host >from-host"), TestImages.Busybox, "--name=worker", "--mount=volume=work,target=/work", "--exec=/bin/sh", "--", "-c", "cat /work/from-host; echo worker >/work/from-worker", "---",
            TestImages.Busybox, "--name=backup", "--mount=volume=work,target=/srv/backup", "--exec=/bin/sh", "--", "-c", "until cat /srv/backup/from-worker 2>/dev/null; do sleep 0.05; done");
        Assert.Equal(["", "host", "worker"], run.Output.Split('\n').Order(StringComparer.Ordinal));
        Assert.Equal("worker\n", File.ReadAllText($"{machine.Path}/volume/from-worker"));
    }

    [Fact]
    public void A_target_that_is_missing_is_made_with_its_parents_for_root_with_mode_0755() =>
        Assert.Equal("755 0:0\n755 0:0\n", machine.Nacelle("run", Volume(), TestImages.Busybox, "--mount=volume=work,target=/new/deep/er", "--exec=/bin/sh", "--", "-c", "stat -c '%a %u:%g' /new /new/deep").Output);

    [Fact]
    public void What_was_in_a_target_is_hidden() =>
        Assert.Equal("seen\n", machine.Nacelle("run", Volume("touch seen"), TestImages.Busybox, "--mount=volume=work,target=/etc", "--exec=/bin/ls", "--", "/etc").Output);

    [Fact]
    public void A_source_that_is_missing_is_an_error_and_is_not_made()
    {
        var run = machine.Shell("true", $"--volume=work,kind=host,source={machine.Path}/missing", "--mount=volume=work,target=/work");
        Assert.True(run.ExitCode == 254, run.ToString());
        Assert.False(Path.Exists($"{machine.Path}/missing"));
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void There_is_a_loopback_interface_with_its_addresses()
    {
        var lines = machine.Shell("ip -o addr show lo").Output;
        Assert.Contains("127.0.0.1/8", lines, StringComparison.Ordinal);
        Assert.True(!File.Exists("/proc/net/if_inet6") || lines.Contains("::1/128", StringComparison.Ordinal), lines);
    }

    [Fact]
    public void Output_is_captured_and_kept()
    {
        var file = $"{machine.Path}/uuid";
        machine.Shell("echo out; echo err >&2", $"--uuid-file-save={file}");
        var logs = machine.Nacelle("logs", $"--uuid-file={file}");
        Assert.Equal(("out\n", "err\n"), (logs.Output, logs.Errors));
    }

    [Fact]
    public void The_working_directory_is_the_manifests_or_the_root()
    {
        Assert.Equal("/\n", machine.Nacelle("run", TestImages.Busybox, "--exec=/bin/pwd").Output);
        Assert.Equal("/usr\n", machine.Nacelle("run", TestImages.Busybox, "--working-dir=/usr", "--exec=/bin/pwd").Output);
    }

    [Fact]
    public void What_cannot_be_enforced_is_not_ignored_in_silence()
    {
        var uuid = machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--exec=/bin/true").Output.Trim();
        var manifest = File.ReadAllText($"{machine.Data}/pods/prepared/{uuid}/pod");
        File.WriteAllText($"{machine.Path}/pod.json", manifest.Replace("\"exec\":", "\"isolators\":[{\"name\":\"example.com/strange\",\"value\":{}}],\"exec\":", StringComparison.Ordinal));
        var run = machine.Nacelle("run", $"--pod-manifest={machine.Path}/pod.json");
        Assert.True(run.ExitCode == 254, run.ToString());
        Assert.Contains("example.com/strange", Assert.Single(run.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }
}
