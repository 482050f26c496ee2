using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>events</c>: what happens to pods and their apps, as it happens.</summary>
static class EventsCommand
{
    static readonly Option Since = new("since", "TIME|DURATION", "begin with what is known of the time from there on");
    static readonly Option Until = new("until", "TIME|DURATION", "end there");
    static readonly Option Stream = new("stream", null, "wait for further events (true)");

    public static readonly Command Definition = new("events", "[FLAGS]", "tell what happens to pods", [Since, Until, Stream, Formats.Option], Run)
    {
        Description = "Of the past, what pods that are still on the disk have written down is known. JSON is printed as one object a line.",
    };

    static int Run(Invocation invocation)
    {
        var format = Formats.Of(invocation);
        var until = LogsCommand.TimeOf(invocation, Until) ?? DateTimeOffset.MaxValue;
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var events = invocation.Is(Stream, otherwise: true) ? new PodEvents(pods) : null;
        var since = LogsCommand.TimeOf(invocation, Since) ?? (events is null ? DateTimeOffset.MinValue : DateTimeOffset.MaxValue);
        Print(PodEvents.Past(pods).Where(one => one.Time >= since && one.Time <= until), format);
        while (events is not null && DateTimeOffset.UtcNow < until)
        {
            var left = until - DateTimeOffset.UtcNow;
            Print(events.Wait(until == DateTimeOffset.MaxValue ? -1 : (int)Math.Clamp(left.TotalMilliseconds, 0, int.MaxValue)), format);
        }

        return 0;
    }

    static void Print(IEnumerable<PodEvent> events, Format format)
    {
        foreach (var one in events)
        {
            var kind = NameOf(one.Kind);
            Output.Line(format == Format.Table
                ? $"{PodView.TimeText(one.Time)} {one.Uuid} {kind}{(one.App is { } app ? $" {app}" : "")}{(one.ExitCode is { } code ? $" code={code}" : "")}"
                : Formats.Write(
                    new EventJson((one.Time - DateTimeOffset.UnixEpoch).Ticks * 100, kind, one.Uuid) { App = one.App?.ToString(), ExitCode = one.ExitCode },
                    CliJson.For(format).EventJson));
        }
    }

    static string NameOf(PodEventKind kind) => kind switch
    {
        PodEventKind.AppCreated => "app-created",
        PodEventKind.AppStarted => "app-started",
        PodEventKind.AppExited => "app-exited",
        PodEventKind.AppRemoved => "app-removed",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
