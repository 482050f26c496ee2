using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>status</c>: one pod's state, line by line or as JSON.</summary>
static class StatusCommand
{
    public static readonly Command Definition = new("status", "[FLAGS] UUID", "show the state of a pod", [Formats.Option, PodArguments.UuidFile], Run);

    static int Run(Invocation invocation)
    {
        var format = Formats.Of(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = pods.Find(PodArguments.Single(invocation));
        var pod = PodView.Of(found);
        if (format != Format.Table)
        {
            Output.Line(Formats.Write(pod.ToJson(), CliJson.For(format).PodJson));
            return 0;
        }

        Output.Line($"state={pod.State}");
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
            Output.Line("networks=");
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
}
