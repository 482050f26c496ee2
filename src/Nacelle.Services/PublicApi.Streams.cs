using Grpc.Core;
using Nacelle.Pods;
using Nacelle.Services.V1Alpha;
using Nacelle.Specs;

namespace Nacelle.Services;

sealed partial class PublicApi
{
    /// <summary>About what a message of log lines may hold, in characters: clients take no more than 4 MiB in one.</summary>
    const int LogChunk = 1 << 18;

    /// <summary>A cancellation takes no longer waits than that.</summary>
    static readonly TimeSpan LongestWait = TimeSpan.FromDays(24);

    static readonly TimeSpan LogPoll = TimeSpan.FromMilliseconds(100);

    /// <summary>All streams end when the server does.</summary>
    public void EndWith(CancellationToken stopping) => this.stopping = stopping;

    public override async Task ListenEvents(ListenEventsRequest request, IServerStreamWriter<ListenEventsResponse> stream, ServerCallContext context)
    {
        var filter = request.Filter ?? new EventFilter();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping);
        var listener = hub.Listen(out var past);
        try
        {
            await context.WriteResponseHeadersAsync([]); // from now on the client misses nothing
            await Send(filter.SinceTime > 0 ? past : []);
            if (TimeUntil(filter.UntilTime) is { } left && left < LongestWait)
            {
                end.CancelAfter(left);
            }

            while (await listener.Reader.WaitToReadAsync(end.Token))
            {
                var events = new List<Event>();
                while (listener.Reader.TryRead(out var one))
                {
                    events.Add(one);
                }

                await Send(events);
            }
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            // The time is over, or the server ends.
        }
        catch (ListenerTooSlowException)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, "events were not read as fast as they came"));
        }
        finally
        {
            hub.Leave(listener);
        }

        async Task Send(IEnumerable<Event> events)
        {
            var response = new ListenEventsResponse();
            response.Events.AddRange(events.Where(one => EventMessages.Matches(one, filter)));
            if (response.Events.Count > 0)
            {
                await stream.WriteAsync(response, end.Token);
            }
        }
    }

    public override async Task GetLogs(GetLogsRequest request, IServerStreamWriter<GetLogsResponse> stream, ServerCallContext context)
    {
        using var found = Find(request.PodId);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping);
        var logs = AppsOf(found.Pod, request.AppName).Select(app => new PodLogs(found.Pod, app)).ToList();
        var text = new LogText();
        try
        {
            var lines = Read();
            await Send(stream, request.Lines > 0 ? lines.TakeLast(request.Lines) : lines, end.Token);
            while (request.Follow && TimeUntil(request.UntilTime) is not { Ticks: <= 0 })
            {
                bool runs = IsRunning(found.Pod.Uuid); // asked before the last look, so that no last line is missed
                await Send(stream, Read(), end.Token);
                if (!runs)
                {
                    break;
                }

                await Task.Delay(LogPoll, end.Token);
            }
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            // The server ends.
        }
        finally
        {
            logs.ForEach(log => log.Dispose());
        }

        List<string> Read() => [.. text.Join(logs.SelectMany(log => log.ReadOn()).Where(IsWanted).OrderBy(line => line.Time))];

        bool IsWanted(LogLine line) =>
            (request.SinceTime <= 0 || line.Time.ToUnixTimeSeconds() >= request.SinceTime) && (request.UntilTime <= 0 || line.Time.ToUnixTimeSeconds() <= request.UntilTime);
    }

    static async Task Send(IServerStreamWriter<GetLogsResponse> stream, IEnumerable<string> lines, CancellationToken cancellation)
    {
        var response = new GetLogsResponse();
        int length = 0;
        foreach (var line in lines)
        {
            response.Lines.Add(line);
            length += line.Length;
            if (length >= LogChunk)
            {
                await stream.WriteAsync(response, cancellation);
                (response, length) = (new GetLogsResponse(), 0);
            }
        }

        if (response.Lines.Count > 0)
        {
            await stream.WriteAsync(response, cancellation);
        }
    }

    static IReadOnlyList<AppName> AppsOf(Pods.Pod pod, string wanted)
    {
        var apps = Refuse(pod.TryReadManifest)?.Apps.Select(app => app.Name).Where(name => wanted.Length == 0 || name.ToString() == wanted).ToList() ?? [];
        return apps.Count > 0 || wanted.Length == 0 ? apps : throw Missing($"pod {pod.Uuid} has no app '{wanted}'");
    }

    bool IsRunning(string uuid)
    {
        try
        {
            using var found = pods.Find(uuid);
            return found.State == Pods.PodState.Running;
        }
        catch (PodException)
        {
            return false; // removed meanwhile
        }
    }

    /// <returns>Not positive when the time has come; null where none is set.</returns>
    static TimeSpan? TimeUntil(long seconds)
    {
        long left = seconds - DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        return seconds <= 0 ? null : TimeSpan.FromSeconds(Math.Clamp(left, 0, int.MaxValue));
    }
}
