using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>app list</c> and <c>app status</c>: the apps of one pod.</summary>
static class AppListCommand
{
    static readonly Option NoLegend = new("no-legend", null, "leave the table's head out");

    public static readonly Command List = new("app list", "[FLAGS] UUID", "list the apps of a pod", [NoLegend, Formats.Option, PodArguments.UuidFile], RunList);

    public static readonly Command Status = new(
        "app status", "[--app=NAME] UUID", "show the state of an app", [RunningPod.App, Formats.Option, PodArguments.UuidFile], RunStatus);

    static int RunList(Invocation invocation)
    {
        var format = Formats.Of(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = pods.Find(PodArguments.Single(invocation));
        var pod = PodView.Of(found);
        if (format != Format.Table)
        {
            Output.Line(Formats.Write([.. pod.ToJson().Apps ?? []], CliJson.For(format).AppJsonArray));
            return 0;
        }

        List<string[]> rows = invocation.Is(NoLegend) ? [] : [["NAME", "STATE", "CREATED", "STARTED", "FINISHED", "EXIT CODE", "IMAGE NAME"]];
        rows.AddRange(pod.Apps.Select(app => (string[])
            [app.Name, app.State, Output.Ago(app.Created), Output.Ago(app.Started), Output.Ago(app.Finished), $"{app.ExitCode}", app.ImageName]));
        Output.Table(rows);
        return 0;
    }

    static int RunStatus(Invocation invocation)
    {
        var format = Formats.Of(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = pods.Find(PodArguments.Single(invocation));
        var name = RunningPod.AppOf(invocation, found.Pod).ToString();
        var pod = PodView.Of(found);
        if (format != Format.Table)
        {
            Output.Line(Formats.Write((pod.ToJson().Apps ?? []).First(one => one.Name == name), CliJson.For(format).AppJson));
            return 0;
        }

        var app = pod.Apps.First(one => one.Name == name);
        Output.Line($"name={app.Name}");
        Output.Line($"state={app.State}");
        Output.Line($"image_id={app.ImageId}");
        foreach (var (label, time) in (ReadOnlySpan<(string, DateTimeOffset?)>)[("created", app.Created), ("started", app.Started), ("finished", app.Finished)])
        {
            if (time is not null)
            {
                Output.Line($"{label}={PodView.TimeText(time)}");
            }
        }

        if (app.ExitCode is { } code)
        {
            Output.Line($"exit_code={code}");
        }

        if (app.Restarts > 0)
        {
            Output.Line($"restarts={app.Restarts}");
        }

        return 0;
    }
}
