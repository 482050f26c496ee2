using System.Text.Json;

namespace Nacelle.EndToEnd.Tests;

/// <summary>Names of pods: --name before any image.</summary>
public sealed class PodNameTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    string Prepare(string name, params string[] app) => machine.Nacelle(["prepare", "--quiet", $"--name={name}", TestImages.Busybox, .. app]) is { ExitCode: 0 } made ? made.Output.Trim() : "";

    [Fact]
    public void Every_command_about_a_pod_takes_its_name()
    {
        var process = machine.Start("run", "--name=web-1", TestImages.Busybox, "--name=inner", "--", "sh", "-c", "trap 'exit 4' TERM; echo out; while true; do sleep 0.05; done");
        Machine.Eventually(() => machine.Nacelle("status", "web-1").ExitCode == 0, "the pod is there");
        var status = machine.Nacelle("status", "--wait-ready", "web-1").Output;
        Assert.Contains("state=running\nname=web-1\n", status, StringComparison.Ordinal);
        Assert.Equal("hello\n", machine.Nacelle("enter", "--app=inner", "web-1", "echo", "hello").Output);
        Assert.Contains("\"inner\"", machine.Nacelle("cat-manifest", "web-1").Output, StringComparison.Ordinal);
        Machine.Eventually(() => machine.Nacelle("logs", "web-1").Output.Contains("out", StringComparison.Ordinal), "the log has what the app wrote");
        Machine.Eventually(() => machine.Nacelle("stop", "web-1").ExitCode == 0 && process.WaitForExit(1000), "the pod stops");
        Assert.Contains("app-inner=4\n", machine.Nacelle("status", "--wait", "web-1").Output, StringComparison.Ordinal);
        Assert.Equal(0, machine.Nacelle("export", "web-1", $"{machine.Path}/out.aci").ExitCode);
        Assert.Equal(0, machine.Nacelle("rm", "web-1").ExitCode);
        Assert.Equal("nacelle: there is no pod 'web-1'\n", machine.Nacelle("status", "web-1").Errors);
        Assert.NotEmpty(Prepare("later", "--", "echo", "ran"));
        Assert.Equal("ran\n", machine.Nacelle("run-prepared", "later").Output);
    }

    [Fact]
    public void Lists_have_a_column_more_when_somebody_has_a_name()
    {
        var bare = machine.Nacelle("prepare", "--quiet", TestImages.Busybox).Output.Trim();
        Assert.DoesNotContain("NAME\n", machine.Nacelle("list").Output, StringComparison.Ordinal);
        var named = Prepare("x");
        var lines = machine.Nacelle("list").Output.Split('\n');
        Assert.EndsWith("NETWORKS\tNAME", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("\tx", lines.Single(line => line.StartsWith(named[..8], StringComparison.Ordinal)), StringComparison.Ordinal);
        var pods = JsonDocument.Parse(machine.Nacelle("list", "--format=json").Output).RootElement.EnumerateArray().ToDictionary(pod => pod.GetProperty("name").GetString()!);
        Assert.Equal("x", pods[named].GetProperty("pod_name").GetString());
        Assert.False(pods[bare].TryGetProperty("pod_name", out _));
    }

    [Fact]
    public void A_name_is_free_again_when_its_pod_is_garbage()
    {
        var first = Prepare("one", "--", "true");
        var taken = machine.Nacelle("run", "--name=one", TestImages.Busybox, "--", "true");
        Assert.Equal((254, $"nacelle: pod {first} has the name 'one' already: remove it, or choose another name\n"), (taken.ExitCode, taken.Errors));
        Assert.Single(machine.Pods());
        machine.Nacelle("run-prepared", "one");
        Assert.Equal("", Prepare("one")); // exited, and not marked yet
        machine.Nacelle("gc", "--mark-only");
        Assert.Equal("nacelle: there is no pod 'one'\n", machine.Nacelle("status", "one").Errors);
        var second = Prepare("one");
        Assert.NotEmpty(second);
        Assert.Equal($"\"{second}\"\n", machine.Nacelle("rm", "one").Output);
    }

    [Fact]
    public void Who_died_making_a_pod_does_not_keep_its_name()
    {
        var uuid = Prepare("lost");
        Directory.Move($"{machine.Data}/pods/prepared/{uuid}", $"{machine.Data}/pods/prepare/{uuid}");
        Assert.NotEmpty(Prepare("lost"));
    }

    [Fact]
    public async Task Of_many_who_want_a_name_at_once_one_gets_it()
    {
        for (int round = 0; round < 3; round++)
        {
            string name = $"round-{round}";
            var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Prepare(name))));
            var uuid = Assert.Single(made, one => one.Length > 0);
            Assert.Equal([uuid], machine.Pods().Select(Path.GetFileName));
            Assert.Equal(0, machine.Nacelle("rm", name).ExitCode);
        }
    }

    [Fact]
    public void A_whole_uuid_counts_before_a_name_and_a_name_before_the_beginning_of_a_uuid()
    {
        var uuid = machine.Nacelle("prepare", "--quiet", TestImages.Busybox).Output.Trim();
        var named = Prepare(uuid[..8]);
        Assert.Contains($"name={uuid[..8]}", machine.Nacelle("status", uuid[..8]).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("name=", machine.Nacelle("status", uuid[..13]).Output, StringComparison.Ordinal);
        var looks = machine.Nacelle("prepare", $"--name={Guid.NewGuid()}", TestImages.Busybox);
        Assert.Equal(254, looks.ExitCode);
        Assert.EndsWith("a name must not look like a UUID\n", looks.Errors, StringComparison.Ordinal);
        Assert.NotEqual(uuid, named);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Web")]
    [InlineData("a_b")]
    [InlineData("../x")]
    [InlineData("-a")]
    [InlineData("a/b")]
    public void Other_letters_are_refused(string name)
    {
        var result = machine.Nacelle("run", $"--name={name}", TestImages.Busybox);
        Assert.Equal((254, $"nacelle: --name={name}: '{name}' is not a valid name: use a-z, 0-9 and '-' between them\n"), (result.ExitCode, result.Errors));
        Assert.Empty(machine.Pods());
    }

    [Fact]
    public void A_pod_without_apps_has_one_too()
    {
        machine.Start("app", "sandbox", "--name=box");
        Machine.Eventually(() => machine.Nacelle("status", "--wait-ready=1s", "box").ExitCode == 0, "the pod is ready");
        Assert.Equal(0, machine.Nacelle("app", "add", "box", TestImages.Busybox, "--name=one", "--", "sleep", "600").ExitCode);
        Assert.Contains("one", machine.Nacelle("app", "list", "box").Output, StringComparison.Ordinal);
        Assert.Equal(0, machine.Nacelle("stop", "--force", "box").ExitCode);
    }
}
