using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>status</c>: one pod's state, line by line or as JSON.</summary>
static class StatusCommand
{
    static readonly Option Wait = new("wait", "true|false|DURATION", "wait until the pod has ended, as long as it takes or so long") { Bare = "true" };
    static readonly Option WaitReady = new("wait-ready", "true|false|DURATION", "wait until all apps of the pod were started, as long as it takes or so long") { Bare = "true" };

    public static readonly Command Definition = new("status", "[FLAGS] UUID", "show the state of a pod", [Wait, WaitReady, Formats.Option, PodArguments.UuidFile], Run);

    static int Run(Invocation invocation)
    {
        var format = Formats.Of(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = AfterWaiting(invocation, pods);
        var pod = PodView.Of(found);
        if (format != Format.Table)
        {
            Output.Line(Formats.Write(pod.ToJson(), CliJson.For(format).PodJson));
            return 0;
        }

        Output.Line($"state={pod.State}");
        if (pod.Name is not null)
        {
            Output.Line($"name={pod.Name}");
        }

        if (pod.Created is not null)
        {
            Output.Line($"created={PodView.TimeText(pod.Created)}");
        }

        if (pod.Started is not null)
        {
            Output.Line($"started={PodView.TimeText(pod.Started)}");
        }

        if (pod.Running)
        {
            Output.Line($"networks={pod.NetworksText}");
        }

        if (pod.Running || pod.Exited)
        {
            if (pod.Pid is { } pid)
            {
                Output.Line($"pid={pid}");
            }

            Output.Line($"exited={(pod.Exited ? "true" : "false")}");
            foreach (var app in pod.Apps)
            {
                if (app.ExitCode is { } code)
                {
                    Output.Line($"app-{app.Name}={code}");
                }
            }
        }

        return 0;
    }

    static FoundPod AfterWaiting(Invocation invocation, PodStore pods)
    {
        var found = pods.Find(PodArguments.Single(invocation));
        bool waited = false;
        foreach (var (option, wait) in (ReadOnlySpan<(Option, Action<PodStore, string, TimeSpan?>)>)[(WaitReady, PodWait.UntilReady), (Wait, PodWait.UntilFinished)])
        {
            if (invocation.Value(option) is { } value and not "false")
            {
                wait(pods, found.Pod.Uuid, value == "true" ? null : Durations.Of(invocation, option, default));
                waited = true;
            }
        }

        if (!waited)
        {
            return found;
        }

        using (found)
        {
            return pods.Find(found.Pod.Uuid);
        }
    }
}
