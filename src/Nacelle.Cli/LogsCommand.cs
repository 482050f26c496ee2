using System.Globalization;
using System.Text;
using Nacelle.CommandLine;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>logs</c>: what the apps of a pod have written, and on as they write.</summary>
static class LogsCommand
{
    const int PollMilliseconds = 100;

    static readonly Option App = new("app", "NAME", "the log of this app alone");
    static readonly Option Follow = new("follow", null, "go on until the pod ends");
    static readonly Option Since = new("since", "TIME|DURATION", "begin there, as in 2026-01-31T12:00:00Z or 10m");
    static readonly Option Until = new("until", "TIME|DURATION", "end there");
    static readonly Option Tail = new("tail", "COUNT", "begin so many lines before the end of each app's log");
    static readonly Option Timestamps = new("timestamps", null, "begin each line with its time");

    public static readonly Command Definition = new(
        "logs", "[FLAGS] UUID", "show what the apps of a pod have written", [App, Follow, Since, Until, Tail, Timestamps, PodArguments.UuidFile], Run)
    {
        Description = "What an app wrote to standard error goes to standard error. Where a pod has several apps, each line begins with its app's name.",
    };

    static int Run(Invocation invocation)
    {
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = pods.Find(PodArguments.Single(invocation));
        var names = Apps(invocation, found.Pod);
        int? tail = invocation.Value(Tail) is { } count
            ? int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int lines) ? lines : throw new UserException($"--tail={count}: use a number") : null;
        var range = (Since: TimeOf(invocation, Since) ?? DateTimeOffset.MinValue, Until: TimeOf(invocation, Until) ?? DateTimeOffset.MaxValue);
        var logs = names.Select(name => new PodLogs(found.Pod, name)).ToList();
        var writer = new LogWriter(names.Count > 1, invocation.Is(Timestamps));
        writer.Write(logs.SelectMany(log => LastLines(log.ReadOn().Where(line => line.Time >= range.Since && line.Time <= range.Until), tail)));
        while (invocation.Is(Follow) && DateTimeOffset.UtcNow < range.Until)
        {
            bool runs = IsRunning(pods, found.Pod.Uuid); // asked before the last look, so that no last line is missed
            if (!writer.Write(logs.SelectMany(log => log.ReadOn())) || !runs)
            {
                break;
            }

            Thread.Sleep(PollMilliseconds);
        }

        logs.ForEach(log => log.Dispose());
        return 0;
    }

    static List<AppName> Apps(Invocation invocation, Pod pod)
    {
        var apps = pod.TryReadManifest()?.Apps.Select(app => app.Name).ToList() ?? throw new UserException($"pod {pod.Uuid} is still being prepared");
        return invocation.Value(App) is not { } wanted ? apps
            : apps.Find(name => name.ToString() == wanted) is { } found && apps.Exists(name => name.ToString() == wanted) ? [found]
            : throw new UserException($"the pod has no app '{wanted}'{(apps.Count == 0 ? "" : $", only {string.Join(", ", apps)}")}");
    }

    static bool IsRunning(PodStore pods, string uuid)
    {
        try
        {
            using var found = pods.Find(uuid);
            return found.State == PodState.Running;
        }
        catch (PodException)
        {
            return false; // removed meanwhile
        }
    }

    /// <summary>The last so many lines; a line may be in several pieces.</summary>
    static IEnumerable<LogLine> LastLines(IEnumerable<LogLine> lines, int? count)
    {
        if (count is not { } most)
        {
            return lines;
        }

        var kept = new Queue<LogLine>();
        int whole = 0;
        foreach (var line in lines)
        {
            kept.Enqueue(line);
            whole += line.IsWhole ? 1 : 0;
            while (whole > most)
            {
                whole -= kept.Dequeue().IsWhole ? 1 : 0;
            }
        }

        return most == 0 ? [] : kept;
    }

    internal static DateTimeOffset? TimeOf(Invocation invocation, Option option)
    {
        var text = invocation.Value(option);
        return text is null ? null
            : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var time) && text.Contains('-') ? time
            : DateTimeOffset.UtcNow - Durations.Of(invocation, option, TimeSpan.Zero);
    }

    /// <summary>Shows lines of several apps in the order of their times.</summary>
    sealed class LogWriter(bool named, bool timed)
    {
        /// <returns>False when nobody reads any more.</returns>
        public bool Write(IEnumerable<LogLine> lines)
        {
            foreach (var line in named ? lines.OrderBy(line => line.Time) : lines)
            {
                var head = $"{(timed ? $"{line.Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fffffff}00Z " : "")}{(named ? $"{line.App}: " : "")}";
                try
                {
                    Files.Write(line.IsError ? FileDescriptor.StandardError : FileDescriptor.StandardOutput, [.. Encoding.UTF8.GetBytes(head), .. line.Content, .. line.IsWhole ? "\n"u8 : []]);
                }
                catch (KernelException problem) when (problem.Errno == Errno.EPIPE)
                {
                    return false;
                }
            }

            return true;
        }
    }
}
