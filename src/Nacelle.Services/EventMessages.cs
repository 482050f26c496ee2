using System.Globalization;
using Nacelle.Images;
using Nacelle.Pods;
using Nacelle.Services.V1Alpha;

namespace Nacelle.Services;

/// <summary>Events as the API tells of them. What it has no word for is left out.</summary>
/// <param name="preparing">The pods that are in preparation, or were given up in it, when the telling begins.</param>
sealed class EventMessages(IEnumerable<string> preparing)
{
    readonly HashSet<string> unprepared = new(preparing, StringComparer.Ordinal);

    public Event? Of(PodEvent one)
    {
        var type = TypeOf(one);
        return type == EventType.Undefined ? null : Message(type, one.Time, one.Uuid, one.App?.ToString() ?? one.Uuid, one.ExitCode);
    }

    public static Event Of(ImageEvent one) =>
        Message(one.Kind == ImageEventKind.Imported ? EventType.ImageImported : EventType.ImageRemoved, one.Time, one.Image.Id.FileName, one.Image.DisplayName);

    public static bool Matches(Event one, EventFilter filter) =>
        (filter.Types_.Count == 0 || filter.Types_.Contains(one.Type))
        && (filter.Ids.Count == 0 || filter.Ids.Contains(one.Id))
        && (filter.Names.Count == 0 || filter.Names.Contains(one.From))
        && (filter.SinceTime <= 0 || one.Time >= filter.SinceTime)
        && (filter.UntilTime <= 0 || one.Time <= filter.UntilTime);

    EventType TypeOf(PodEvent one)
    {
        switch (one.Kind)
        {
            case PodEventKind.Created:
                unprepared.Add(one.Uuid);
                return EventType.Undefined;
            case PodEventKind.Prepared:
                unprepared.Remove(one.Uuid);
                return EventType.PodPrepared;
            case PodEventKind.Garbage or PodEventKind.Removed when unprepared.Remove(one.Uuid):
                return EventType.PodPrepareAborted;
            case PodEventKind.Started: return EventType.PodStarted;
            case PodEventKind.Exited: return EventType.PodExited;
            case PodEventKind.Removed: return EventType.PodGarbageCollected;
            case PodEventKind.AppStarted: return EventType.AppStarted;
            case PodEventKind.AppExited: return EventType.AppExited;
            default: return EventType.Undefined;
        }
    }

    static Event Message(EventType type, DateTimeOffset time, string id, string from, int? exitCode = null)
    {
        var message = new Event { Type = type, Time = time.ToUnixTimeSeconds(), Id = id, From = from };
        if (exitCode is { } code)
        {
            message.Data.Add(new KeyValue { Key = "exit_code", Value = code.ToString(CultureInfo.InvariantCulture) });
        }

        return message;
    }
}
