using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>stop</c>: asks pods to end, or ends them.</summary>
static class StopCommand
{
    static readonly Option Force = new("force", null, "end the pod at once instead of asking its apps");

    public static readonly Command Definition = new("stop", "[--force] UUID…", "stop running pods", [Force, PodArguments.UuidFile], Run);

    static int Run(Invocation invocation) => PodArguments.ForEach(invocation, (_, found) =>
    {
        if (found.State != PodState.Running)
        {
            throw new UserException($"pod {found.Pod.Uuid} is {found.State.Name()}, not running");
        }

        PodStop.Stop(found.Pod, invocation.Is(Force));
    });
}
