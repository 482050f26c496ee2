using System.Text.Json;

namespace Nacelle.EndToEnd.Tests;

/// <summary>What <c>list</c> and <c>status</c> tell of pods, in tables, lines and JSON; and waiting.</summary>
public sealed class StatusTests : IDisposable
{
    readonly Machine machine = new();

    public void Dispose() => machine.Dispose();

    string Status(string uuid, params string[] flags)
    {
        var status = machine.Nacelle(["status", .. flags, uuid]);
        Assert.True(status.ExitCode == 0, status.ToString());
        return status.Output;
    }

    JsonElement Json(params string[] arguments) => JsonDocument.Parse(machine.Nacelle(arguments).Output).RootElement;

    [Fact]
    public void A_pod_is_told_line_by_line_as_rkt_did()
    {
        var uuid = machine.Nacelle("prepare", TestImages.Busybox, "--", "sh", "-c", "exit 3").Output.Trim();
        Assert.Matches(@"^state=prepared\ncreated=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d{4} ?\w*\n$", Status(uuid));
        machine.Nacelle("run-prepared", uuid);
        Assert.Matches(@"^state=exited\ncreated=.*\nstarted=.*\nexited=true\napp-busybox=3\n$", Status(uuid));
        var (_, running) = machine.StartShell("sleep 600");
        Assert.Matches(@$"^state=running\ncreated=.*\nstarted=.*\nnetworks=\npid={machine.PidOf(running)}\nexited=false\n$", Status(running));
    }

    [Fact]
    public void Json_has_rkt_s_names_and_what_an_app_mounts()
    {
        var uuid = machine.Nacelle(
            "prepare", "--quiet", $"--volume=data,kind=host,source={machine.Path},readOnly=true", "--volume=own,kind=empty", TestImages.Busybox, "--mount=volume=data,target=/data", "--mount=volume=own,target=/own",
            "--user-label=team=blue", "--", "sh", "-c", "exit 4").Output.Trim();
        Assert.Equal(4, machine.Nacelle("run-prepared", uuid).ExitCode);
        var pod = Json("status", "--format=json", uuid);
        Assert.Equal((uuid, "exited"), (pod.GetProperty("name").GetString(), pod.GetProperty("state").GetString()));
        Assert.Equal(JsonValueKind.Array, pod.GetProperty("networks").ValueKind);
        Assert.Equal(["busybox"], pod.GetProperty("app_names").EnumerateArray().Select(name => name.GetString()));
        Assert.InRange(DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeSeconds(pod.GetProperty("started_at").GetInt64()), TimeSpan.FromSeconds(-2), TimeSpan.FromMinutes(5));
        var app = Assert.Single(pod.GetProperty("apps").EnumerateArray());
        Assert.Equal(("busybox", "exited", 4), (app.GetProperty("name").GetString(), app.GetProperty("state").GetString(), app.GetProperty("exit_code").GetInt32()));
        Assert.True(app.GetProperty("finished_at").GetInt64() >= app.GetProperty("started_at").GetInt64() && app.GetProperty("started_at").GetInt64() > 1_000_000_000_000_000_000);
        Assert.StartsWith("sha256-", app.GetProperty("image_id").GetString(), StringComparison.Ordinal);
        Assert.Equal("blue", app.GetProperty("user_labels").GetProperty("team").GetString());
        Assert.Equal(
            [("data", "/data", machine.Path, true), ("own", "/own", $"{machine.Pod(uuid)}/sharedVolumes/own", false)],
            app.GetProperty("mounts").EnumerateArray().Select(mount =>
                (mount.GetProperty("name").GetString()!, mount.GetProperty("container_path").GetString()!, mount.GetProperty("host_path").GetString()!, mount.GetProperty("read_only").GetBoolean())));
        Assert.Contains("\n\t\"name\": ", machine.Nacelle("status", "--format=json-pretty", uuid).Output, StringComparison.Ordinal);
        Assert.Equal(uuid, Assert.Single(Json("list", "--format=json").EnumerateArray()).GetProperty("name").GetString());
    }

    [Fact]
    public void A_table_has_a_row_for_every_app_and_says_the_pod_s_part_once()
    {
        Assert.Equal("UUID\tAPP\tIMAGE NAME\tSTATE\tCREATED\tSTARTED\tNETWORKS\n", machine.Nacelle("list").Output);
        Assert.Equal("", machine.Nacelle("list", "--no-legend").Output);
        Assert.Equal("[]\n", machine.Nacelle("list", "--format=json").Output);
        var uuid = machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--name=one", "---", TestImages.Busybox, "--name=two").Output.Trim();
        var rows = machine.Nacelle("list", "--no-legend").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(row => row.Split('\t')).ToArray();
        Assert.Equal([uuid[..8], ""], rows.Select(row => row[0]));
        Assert.Contains("one", rows[0]);
        Assert.Contains("prepared", rows[0]);
        Assert.Contains("two", rows[1]);
        Assert.DoesNotContain("prepared", rows[1]);
        var full = machine.Nacelle("list", "--full").Output;
        Assert.Contains("IMAGE ID", full, StringComparison.Ordinal);
        Assert.Contains(uuid, full, StringComparison.Ordinal);
        Assert.Equal((254, "nacelle: --format=xml: use json or json-pretty\n"), machine.Nacelle("list", "--format=xml") is var wrong ? (wrong.ExitCode, wrong.Errors) : default);
    }

    [Fact]
    public async Task Waiting_ends_with_the_pod()
    {
        var (process, uuid) = machine.StartShell("until [ -e /tmp/go ]; do sleep 0.05; done; exit 5");
        var waits = new[] { "--wait", "--wait=true", "--wait=10m" }.Select(flag => Task.Run(() => machine.Nacelle("status", flag, uuid))).ToArray();
        var timely = machine.Nacelle("status", "--wait=100ms", uuid);
        Assert.Equal((254, $"nacelle: pod {uuid} has not ended within 0.1 s: it is running\n"), (timely.ExitCode, timely.Errors));
        Assert.Contains("state=running", Status(uuid, "--wait=false"), StringComparison.Ordinal);
        Assert.Contains("state=running", Status(uuid, "--wait-ready"), StringComparison.Ordinal);
        Assert.All(waits, wait => Assert.False(wait.IsCompleted));
        Assert.Equal(0, machine.Nacelle("enter", uuid, "touch", "/tmp/go").ExitCode);
        process.WaitForExit();
        foreach (var wait in await Task.WhenAll(waits))
        {
            Assert.Contains("exited=true\napp-busybox=5\n", wait.Output, StringComparison.Ordinal);
        }

        Assert.Contains("state=exited", Status(uuid, "--wait"), StringComparison.Ordinal);
        var late = machine.Nacelle("status", "--wait-ready", uuid);
        Assert.Equal((254, $"nacelle: pod {uuid} is exited, and will not be ready any more\n"), (late.ExitCode, late.Errors));
    }

    [Fact]
    public async Task Who_waits_for_a_prepared_pod_sees_it_run_and_end()
    {
        var uuid = machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--", "sleep", "1").Output.Trim();
        var ready = Task.Run(() => machine.Nacelle("status", "--wait-ready", uuid));
        var over = Task.Run(() => machine.Nacelle("status", "--wait", uuid));
        Assert.Equal(254, machine.Nacelle("status", "--wait-ready=50ms", uuid).ExitCode);
        machine.Start("run-prepared", uuid);
        Assert.Contains("state=running", (await ready).Output, StringComparison.Ordinal);
        Assert.Contains("state=exited", (await over).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_is_named_by_a_unique_beginning()
    {
        var uuids = Enumerable.Range(0, 17).Select(_ => machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--", "true").Output.Trim()).ToList();
        Assert.Contains("state=prepared", Status(uuids[0][..13]), StringComparison.Ordinal);
        Assert.Equal($"nacelle: '{uuids[0][0]}' is too short to name a pod: give at least two characters of its UUID\n", machine.Nacelle("status", $"{uuids[0][0]}").Errors);
        var none = machine.Nacelle("status", "00000000-0000-0000-0000-000000000000");
        Assert.Equal((254, "nacelle: there is no pod '00000000-0000-0000-0000-000000000000'\n"), (none.ExitCode, none.Errors));
        Assert.Equal((254, "nacelle: status is about one pod\n"), machine.Nacelle("status", uuids[0], uuids[1]) is var two ? (two.ExitCode, two.Errors) : default);
    }
}
