using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nacelle.EndToEnd.Tests;

/// <summary>An app's pre-start and post-stop handlers.</summary>
/// <remarks>appc 0.8.11, spec/ace.md, "Execution Environment": as the app's user, in its environment, before and after it.</remarks>
public sealed class EventHandlerTests : IDisposable
{
    readonly Machine machine = new();

    public EventHandlerTests() => Directory.CreateDirectory(machine.Path + "/volume");

    public void Dispose() => machine.Dispose();

    /// <summary>Runs a pod of one app by a manifest with handlers; each is a shell script.</summary>
    Result Run(string script, string? before = null, string? after = null, string restart = "no")
    {
        var uuid = machine.Nacelle(
            "prepare", "--quiet", $"--volume=v,kind=host,source={machine.Path}/volume", TestImages.Busybox, "--mount=volume=v,target=/volume", "--user=0", $"--restart={restart}",
            "--environment=WHO=app", "--exec=/bin/sh", "--", "-c", script).Output.Trim();
        var manifest = JsonNode.Parse(File.ReadAllText($"{machine.Data}/pods/prepared/{uuid}/pod"))!;
        Assert.Equal(0, machine.Nacelle("rm", uuid).ExitCode);
        var handlers = new JsonArray();
        foreach (var (name, handler) in (ReadOnlySpan<(string, string?)>)[("pre-start", before), ("post-stop", after)])
        {
            if (handler is not null)
            {
                handlers.Add(new JsonObject { ["name"] = name, ["exec"] = new JsonArray("/bin/sh", "-c", handler) });
            }
        }

        manifest["apps"]![0]!["app"]!["eventHandlers"] = handlers;
        File.WriteAllText(machine.Path + "/pod.json", manifest.ToJsonString(JsonSerializerOptions.Default));
        return machine.Nacelle("run", $"--pod-manifest={machine.Path}/pod.json");
    }

    string Seen => File.Exists(machine.Path + "/volume/seen") ? File.ReadAllText(machine.Path + "/volume/seen") : "";

    [Fact]
    public void They_run_before_and_after_the_app_in_its_environment()
    {
        var result = Run("echo app >> /volume/seen", "echo before $WHO $AC_APP_NAME $(id -u) >> /volume/seen; echo from-handler", "echo after $WHO >> /volume/seen");
        Assert.True(result.ExitCode == 0, $"{result}");
        Assert.Equal("before app busybox 0\napp\nafter app\n", Seen);
        Assert.Equal("from-handler\n", result.Output);
    }

    [Fact]
    public void The_app_sees_what_the_first_has_done_to_its_files() => Assert.Equal("prepared\n", Run("cat /tmp/x", "echo prepared > /tmp/x").Output);

    [Fact]
    public void If_the_first_fails_the_app_does_not_run()
    {
        var result = Run("echo app >> /volume/seen", "exit 3", "echo after >> /volume/seen");
        Assert.Equal(3, result.ExitCode);
        Assert.Equal("", Seen);
    }

    [Fact]
    public void The_last_runs_also_when_the_app_fails_and_the_pods_code_stays_the_apps()
    {
        var result = Run("exit 4", after: "echo after >> /volume/seen; exit 5");
        Assert.Equal(4, result.ExitCode);
        Assert.Equal("after\n", Seen);
        Assert.Contains("nacelle: app busybox: its post-stop handler ended with 5\n", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void They_run_at_every_restart()
    {
        Run("exit 1", "echo before >> /volume/seen", "echo after >> /volume/seen", restart: "on-failure:1");
        Assert.Equal("before\nafter\nbefore\nafter\n", Seen);
    }
}
