using System.Diagnostics;
using System.Text.Json;

namespace Nacelle.EndToEnd.Tests;

public sealed class EventTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    [Fact]
    public void What_happens_to_pods_and_apps_is_told_in_order()
    {
        using var events = Process.Start(new ProcessStartInfo(Machine.Program, [.. machine.Flags, "events", "--format=json"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        Thread.Sleep(500); // until it watches
        machine.ShellAs("exit 3", "--name=one");
        var uuid = Path.GetFileName(machine.Pods()[0]);
        machine.Nacelle("gc", "--grace-period=0s");
        var told = new List<string>();
        while (told.Count == 0 || !told[^1].StartsWith("removed", StringComparison.Ordinal))
        {
            var line = JsonDocument.Parse(events.StandardOutput.ReadLine()!).RootElement;
            Assert.Equal(uuid, line.GetProperty("pod").GetString());
            told.Add($"{line.GetProperty("event")} {(line.TryGetProperty("app", out var app) ? app.GetString() : "")} {(line.TryGetProperty("exit_code", out var code) ? code.GetInt32() : "")}".TrimEnd());
        }

        events.Kill();
        Assert.Equal(["created", "prepared", "started", "app-started one", "ready", "app-exited one 3", "exited  3", "garbage", "removed"], told);
    }

    [Fact]
    public void A_pod_that_is_killed_has_ended_too()
    {
        using var events = Process.Start(new ProcessStartInfo(Machine.Program, [.. machine.Flags, "events"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        Thread.Sleep(500);
        var (_, uuid) = machine.StartShell("sleep 600");
        machine.Nacelle("stop", "--force", uuid);
        while (events.StandardOutput.ReadLine() is { } line && !line.EndsWith($"{uuid} exited", StringComparison.Ordinal))
        {
        }

        events.Kill();
    }

    [Fact]
    public void The_past_is_known_as_far_as_the_disk_knows_it()
    {
        machine.ShellAs("exit 3", "--name=one");
        var lines = machine.Nacelle("events", "--stream=false").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var uuid = Path.GetFileName(machine.Pods()[0]);
        Assert.Equal(["created", "app-created one", "started", "app-started one", "app-exited one code=3", "exited code=3"], lines.Select(line => line[(line.IndexOf(uuid, StringComparison.Ordinal) + 37)..]).OrderBy(Order));
        Assert.Empty(machine.Nacelle("events", "--stream=false", "--until=1h").Output);
        Assert.Equal(0, machine.Nacelle("events", "--since=1h", "--until=0s").ExitCode);

        static int Order(string text) => Array.FindIndex(["created", "app-created", "started", "app-started", "app-exited", "exited"], text.StartsWith);
    }
}
