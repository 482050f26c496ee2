using Grpc.Core;
using Nacelle.Services.V1Alpha;

namespace Nacelle.EndToEnd.Tests;

/// <summary>Logs by rkt's API, which had them only where journald was built in.</summary>
public sealed class ApiLogTests : IDisposable
{
    readonly Machine machine = new();
    readonly ApiService api;

    public ApiLogTests() => api = ApiService.Start(machine);

    public void Dispose()
    {
        api.Dispose();
        machine.Dispose();
    }

    /// <summary>The lines without their times.</summary>
    List<string> Read(GetLogsRequest request)
    {
        using var call = api.Client.GetLogs(request);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var lines = new List<string>();
        while (call.ResponseStream.MoveNext(patience.Token).Result)
        {
            lines.AddRange(call.ResponseStream.Current.Lines);
        }

        Assert.All(lines, line => Assert.True(DateTimeOffset.TryParse(line[..line.IndexOf(' ')], out _), line));
        return [.. lines.Select(line => line[(line.IndexOf(' ') + 1)..])];
    }

    string Run(string script, params string[] appFlags)
    {
        machine.ShellAs(script, appFlags);
        return Path.GetFileName(machine.Pods()[0]);
    }

    [Fact]
    public void Lines_are_told_whole()
    {
        var uuid = Run("echo one; echo; echo two >&2; head -c 100000 /dev/zero | busybox tr '\\0' a; echo; echo -n end");
        Assert.Equal(["one", "", "two", new string('a', 100000), "end"], Read(new GetLogsRequest { PodId = uuid }));
        Assert.Equal(["end"], Read(new GetLogsRequest { PodId = uuid, Lines = 1 }));
    }

    [Fact]
    public void More_than_a_message_holds_comes_in_several()
    {
        var uuid = Run("busybox seq 1 300000");
        Assert.Equal(Enumerable.Range(1, 300000).Select(number => $"{number}"), Read(new GetLogsRequest { PodId = uuid }));
    }

    [Fact]
    public void A_time_bounds_the_log()
    {
        var uuid = Run("echo one");
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Assert.Equal(["one"], Read(new GetLogsRequest { PodId = uuid, SinceTime = now - 3600, UntilTime = now }));
        Assert.Empty(Read(new GetLogsRequest { PodId = uuid, SinceTime = now + 3600 }));
        Assert.Empty(Read(new GetLogsRequest { PodId = uuid, UntilTime = now - 3600 }));
    }

    [Fact]
    public async Task A_log_is_followed_until_the_pod_ends()
    {
        var (_, uuid) = machine.StartShell("echo one; while ! test -e /tmp/go; do sleep 0.1; done; echo two");
        using var call = api.Client.GetLogs(new GetLogsRequest { PodId = uuid, Follow = true });
        var lines = new List<string>();
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            lines.AddRange(call.ResponseStream.Current.Lines.Select(line => line[(line.IndexOf(' ') + 1)..]));
            machine.Nacelle("enter", uuid, "/bin/touch", "/tmp/go");
        }

        Assert.Equal(["one", "two"], lines);
    }

    [Fact]
    public void The_log_of_one_app_or_of_all_is_told()
    {
        machine.Nacelle(
            "run", TestImages.Busybox, "--name=one", "--exec=/bin/echo", "--", "from one", "---", TestImages.Busybox, "--name=two", "--exec=/bin/echo", "--", "from two");
        var uuid = Path.GetFileName(machine.Pods()[0]);
        Assert.Equal(["from one", "from two"], Read(new GetLogsRequest { PodId = uuid }).Order(StringComparer.Ordinal));
        Assert.Equal(["from two"], Read(new GetLogsRequest { PodId = uuid, AppName = "two" }));
        foreach (var request in (GetLogsRequest[])[new() { PodId = uuid, AppName = "three" }, new() { PodId = Guid.NewGuid().ToString() }])
        {
            using var call = api.Client.GetLogs(request);
            Assert.Equal(StatusCode.NotFound, Assert.IsType<RpcException>(Assert.Throws<AggregateException>(() => call.ResponseStream.MoveNext(CancellationToken.None).Wait()).InnerException).StatusCode);
        }
    }
}
