using Grpc.Core;
using Nacelle.Services.V1Alpha;

namespace Nacelle.EndToEnd.Tests;

/// <summary>The events that rkt's API promised, and rkt never sent.</summary>
public sealed class ApiEventTests : IDisposable
{
    readonly Machine machine = new();
    readonly ApiService api;

    public ApiEventTests() => api = ApiService.Start(machine);

    public void Dispose()
    {
        api.Dispose();
        machine.Dispose();
    }

    AsyncServerStreamingCall<ListenEventsResponse> Listen(EventFilter? filter = null)
    {
        var call = api.Client.ListenEvents(new ListenEventsRequest { Filter = filter });
        call.ResponseHeadersAsync.Wait(); // now it listens
        return call;
    }

    /// <summary>Reads up to the first event of the type.</summary>
    static List<Event> ReadTo(AsyncServerStreamingCall<ListenEventsResponse> call, EventType last)
    {
        var events = new List<Event>();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!events.Exists(one => one.Type == last) && call.ResponseStream.MoveNext(patience.Token).Result)
        {
            events.AddRange(call.ResponseStream.Current.Events);
        }

        return events;
    }

    static List<Event> ReadToEnd(AsyncServerStreamingCall<ListenEventsResponse> call) => ReadTo(call, EventType.Undefined);

    [Fact]
    public void The_life_of_a_pod_is_told()
    {
        machine.Nacelle("fetch", TestImages.Busybox);
        using var call = Listen();
        machine.ShellAs("exit 3", "--name=one");
        var uuid = Path.GetFileName(machine.Pods()[0]);
        machine.Nacelle("gc", "--grace-period=0s");
        var events = ReadTo(call, EventType.PodGarbageCollected);
        Assert.Equal(
            [EventType.PodPrepared, EventType.PodStarted, EventType.AppStarted, EventType.AppExited, EventType.PodExited, EventType.PodGarbageCollected],
            events.Select(one => one.Type));
        Assert.All(events, one => Assert.Equal(uuid, one.Id));
        Assert.All(events, one => Assert.Equal(one.Type is EventType.AppStarted or EventType.AppExited ? "one" : uuid, one.From));
        Assert.All(events, one => Assert.InRange(one.Time, DateTimeOffset.UtcNow.AddHours(-1).ToUnixTimeSeconds(), DateTimeOffset.UtcNow.ToUnixTimeSeconds()));
        Assert.Equal(new KeyValue { Key = "exit_code", Value = "3" }, Assert.Single(events[3].Data));
    }

    [Fact]
    public void A_preparation_that_fails_is_told()
    {
        using var call = Listen(new EventFilter { Types_ = { EventType.PodPrepareAborted, EventType.PodPrepared } });
        Assert.Equal(254, machine.ShellAs("true", "--user=nobody-of-that-name").ExitCode);
        Assert.Equal(EventType.PodPrepareAborted, Assert.Single(ReadTo(call, EventType.PodPrepareAborted)).Type);
    }

    [Fact]
    public void Images_that_come_and_go_are_told()
    {
        using var call = Listen();
        var id = machine.Nacelle("fetch", "--full", TestImages.Busybox).Output.Trim();
        machine.Nacelle("image", "rm", id);
        var events = ReadTo(call, EventType.ImageRemoved);
        Assert.Equal([EventType.ImageImported, EventType.ImageRemoved], events.Select(one => one.Type));
        Assert.All(events, one => Assert.Equal((id, TestImages.Busybox), (one.Id, one.From)));
    }

    [Fact]
    public void Filters_choose_events()
    {
        var uuid = machine.Nacelle("prepare", "--quiet", TestImages.Busybox, "--name=one", "--exec=/bin/true").Output.Trim();
        using var byType = Listen(new EventFilter { Types_ = { EventType.AppStarted, EventType.PodExited } });
        using var byId = Listen(new EventFilter { Ids = { uuid } });
        using var byName = Listen(new EventFilter { Names = { "two" } });
        machine.ShellAs("true", "--name=two");
        machine.Nacelle("run-prepared", uuid);
        Assert.Equal([EventType.AppStarted, EventType.PodExited], ReadTo(byType, EventType.PodExited).Select(one => one.Type));
        Assert.All(ReadTo(byId, EventType.PodExited), one => Assert.Equal(uuid, one.Id));
        Assert.All(ReadTo(byName, EventType.AppExited), one => Assert.Equal("two", one.From));
    }

    [Fact]
    public void Events_since_the_services_start_are_told_again_and_a_time_ends_the_stream()
    {
        using (var call = Listen())
        {
            machine.ShellAs("true", "--name=one");
            ReadTo(call, EventType.PodExited);
        }

        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        using var again = Listen(new EventFilter { SinceTime = now - 3600, UntilTime = now });
        Assert.Contains(ReadToEnd(again), one => one.Type == EventType.AppStarted);
        using var none = Listen(new EventFilter { SinceTime = now + 3600, UntilTime = now + 1 });
        Assert.Empty(ReadToEnd(none));
    }

    [Fact]
    public async Task Streams_end_with_the_service()
    {
        using var call = Listen();
        var rest = Task.Run(() => ReadToEnd(call));
        Assert.Equal(0, api.Service.Stop());
        Assert.Empty(await rest);
    }
}
