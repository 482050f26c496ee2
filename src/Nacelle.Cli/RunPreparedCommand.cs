using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>run-prepared</c>: becomes a pod that was prepared earlier.</summary>
static class RunPreparedCommand
{
    public static readonly Command Definition = new("run-prepared", "[FLAGS] UUID", "run a prepared pod", [.. PodFlags.Running, Detachment.Flag, PodArguments.UuidFile], Run);

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        bool detach = Detachment.IsWanted(invocation);
        var options = PodFlags.ToRunOptions(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = pods.Find(PodArguments.Single(invocation));
        if (found.State != PodState.Prepared || !found.Pod.TryLock())
        {
            throw new UserException($"pod {found.Pod.Uuid} is {found.State.Name()}, not prepared");
        }

        if (options.Interactive && found.Pod.ReadManifest().Apps.Count > 1)
        {
            throw new UserException("--interactive is for one app: the pod has several");
        }

        return detach ? Detachment.Run(invocation, pods, found.Pod) : PodRun.Run(pods, found.Pod, options, PodPreparing.Warn);
    }
}
