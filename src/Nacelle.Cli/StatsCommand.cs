using System.Diagnostics;
using System.Globalization;
using Nacelle.CommandLine;
using Nacelle.Linux;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>stats</c>: what the apps of pods use, as a table that stays current.</summary>
static class StatsCommand
{
    static readonly Option NoStream = new("no-stream", null, "print the table once");
    static readonly Option Interval = new("interval", "DURATION", "how long from one table to the next (1s)");

    public static readonly Command Definition = new(
        "stats", "[FLAGS] [UUID…]", "show what the apps of running pods use", [NoStream, Interval, Formats.Option, PodArguments.UuidFile], Run)
    {
        Description = "Without a pod's name, all that run are shown. CPU % is of one processor. Memory is without the page cache that nobody has asked for lately.\nJSON is printed once.",
    };

    /// <summary>The first look at processor time needs a second one to say anything: so long after it.</summary>
    static readonly TimeSpan FirstInterval = TimeSpan.FromMilliseconds(200);

    static int Run(Invocation invocation)
    {
        var format = Formats.Of(invocation);
        var interval = Durations.Of(invocation, Interval, TimeSpan.FromSeconds(1));
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        bool once = invocation.Is(NoStream) || format != Format.Table;
        bool terminal = !once && Terminal.IsTerminal(FileDescriptor.StandardOutput);
        var before = Look(invocation, pods);
        for (var wait = FirstInterval; ; wait = interval)
        {
            Thread.Sleep(wait);
            var now = Look(invocation, pods);
            if (format != Format.Table)
            {
                Output.Line(Formats.Write([.. now.Rows.Select(row => ToJson(row, before, now))], CliJson.For(format).UsageJsonArray));
                return 0;
            }

            const string HomeAndClear = "\u001b[H\u001b[J";
            Output.Write(terminal ? HomeAndClear : "");
            Output.Table([["UUID", "APP", "CPU %", "MEMORY", "LIMIT", "MEM %", "PIDS", "READ", "WRITTEN"], .. now.Rows.Select(row => ToRow(row, before, now))]);
            if (once)
            {
                return 0;
            }

            before = now;
        }
    }

    /// <summary>All rows at a moment.</summary>
    sealed record Moment(long Time, IReadOnlyList<(string Uuid, AppUsage Usage)> Rows);

    static Moment Look(Invocation invocation, PodStore pods)
    {
        var rows = new List<(string, AppUsage)>();
        bool all = invocation.Words.Count == 0 && invocation.Value(PodArguments.UuidFile) is null;
        foreach (var found in all ? pods.List() : PodArguments.Names(invocation).Select(pods.Find))
        {
            using (found)
            {
                if (found.State == PodState.Running)
                {
                    rows.AddRange(PodUsage.Read(found.Pod).Select(usage => (found.Pod.Uuid, usage)));
                }
                else if (!all)
                {
                    throw new UserException($"pod {found.Pod.Uuid} is {found.State.Name()}, not running");
                }
            }
        }

        return new Moment(Stopwatch.GetTimestamp(), rows);
    }

    /// <summary>Of one processor, in hundredths, between two moments.</summary>
    static double? Processor((string Uuid, AppUsage Usage) row, Moment before, Moment now)
    {
        var earlier = before.Rows.FirstOrDefault(one => one.Uuid == row.Uuid && one.Usage.App == row.Usage.App).Usage?.Processor;
        return row.Usage.Processor is { } used && earlier is { } then ? Math.Max(0, used - then) / 1e7 / Stopwatch.GetElapsedTime(before.Time, now.Time).TotalSeconds : null;
    }

    static string[] ToRow((string Uuid, AppUsage Usage) row, Moment before, Moment now)
    {
        var usage = row.Usage;
        var share = usage is { Memory: { } memory, MemoryLimit: { } limit } ? memory * 100.0 / limit : default(double?);
        return
        [
            row.Uuid[..8], usage.App.ToString(), Number(Processor(row, before, now)), Size(usage.Memory), Size(usage.MemoryLimit), Number(share), $"{usage.Processes}",
            Size(usage.Read), Size(usage.Written),
        ];
    }

    static UsageJson ToJson((string Uuid, AppUsage Usage) row, Moment before, Moment now) => new(row.Uuid, row.Usage.App.ToString())
    {
        CpuPercent = Processor(row, before, now) is { } share ? Math.Round(share, 2) : null,
        CpuNanoseconds = row.Usage.Processor,
        MemoryBytes = row.Usage.Memory,
        MemoryLimitBytes = row.Usage.MemoryLimit,
        Pids = row.Usage.Processes,
        ReadBytes = row.Usage.Read,
        WrittenBytes = row.Usage.Written,
    };

    static string Size(long? bytes) => bytes is { } known ? Output.Size(known) : "-";

    static string Number(double? number) => number?.ToString("0.0", CultureInfo.InvariantCulture) ?? "-";
}
