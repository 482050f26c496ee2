using Nacelle.CommandLine;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary><c>app start</c>, <c>app stop</c> and <c>app rm</c>: what becomes of the apps of a pod that runs.</summary>
static class AppStartCommand
{
    public static readonly Command Start = Define("start", "start an app of a running pod", PodApps.Start);

    public static readonly Command Stop = Define("stop", "stop an app of a running pod", PodApps.Stop);

    public static readonly Command Remove = new(
        "app rm", "[--app=NAME] UUID", "remove an app that does not run from its pod", [RunningPod.App, PodArguments.UuidFile], RunRemove);

    static Command Define(string verb, string summary, Func<Pod, AppName, bool> act) => new(
        $"app {verb}", "[--app=NAME] UUID", summary, [RunningPod.App, PodArguments.UuidFile], invocation =>
        {
            GlobalFlags.RequireRoot(invocation);
            using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
            _ = PodArguments.Single(invocation);
            using var found = RunningPod.Find(invocation, pods);
            return ExitCode(act(found.Pod, RunningPod.AppOf(invocation, found.Pod)));
        });

    static int RunRemove(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = pods.Find(PodArguments.Single(invocation));
        if (found.State is not (PodState.Running or PodState.Exited))
        {
            throw new UserException($"pod {found.Pod.Uuid} is {found.State.Name()}, neither running nor exited");
        }

        return ExitCode(PodApps.Remove(found.Pod, RunningPod.AppOf(invocation, found.Pod), found.State == PodState.Running));
    }

    /// <summary>Of something that stage1 has done, or has refused in its own words.</summary>
    internal static int ExitCode(bool done) => done ? 0 : CommandProgram.OwnError;
}
