using System.Globalization;
using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>top</c>: the processes of a pod.</summary>
static class TopCommand
{
    static readonly Option App = new("app", "NAME", "the processes of this app alone");

    public static readonly Command Definition = new(
        "top", "[--app=NAME] UUID", "show the processes of a running pod", [App, PodArguments.UuidFile], Run)
    {
        Description = "PID is the process's number in the pod, HOST PID and USER are those on the host. See stats for what the apps use.",
    };

    static int Run(Invocation invocation)
    {
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        _ = PodArguments.Single(invocation);
        using var found = RunningPod.Find(invocation, pods);
        var app = invocation.Value(App) is null ? default(Specs.AppName?) : RunningPod.AppOf(invocation, found.Pod);
        Output.Table(
        [
            ["APP", "PID", "HOST PID", "USER", "S", "RSS", "TIME", "COMMAND"],
            .. PodProcess.List(found.Pod, app).Select(process => (string[])
            [
                $"{process.App}", $"{process.Id}", $"{process.HostId}", $"{process.User}", $"{process.State}", Output.Size(process.ResidentBytes),
                process.ProcessorTime.ToString(process.ProcessorTime.TotalHours < 1 ? "mm\\:ss\\.ff" : "d\\-hh\\:mm\\:ss", CultureInfo.InvariantCulture),
                new string([.. process.Command.Where(letter => !char.IsControl(letter))]),
            ]),
        ]);
        return 0;
    }
}
