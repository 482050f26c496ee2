using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>stop</c>: asks pods to end, or ends them.</summary>
static class StopCommand
{
    static readonly Option Force = new("force", null, "end the pod at once instead of asking its apps");

    public static readonly Command Definition = new("stop", "[--force] UUID…", "stop running pods", [Force, PodArguments.UuidFile], Run);

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        int exit = 0;
        foreach (var name in PodArguments.Names(invocation))
        {
            try
            {
                using var found = pods.Find(name);
                if (found.State != PodState.Running)
                {
                    throw new UserException($"pod {found.Pod.Uuid} is {found.State.Name()}, not running");
                }

                PodStop.Stop(found.Pod, invocation.Is(Force));
                Output.Line($"\"{found.Pod.Uuid}\"");
            }
            catch (Exception problem) when (problem is UserException or PodException)
            {
                Output.Error(problem.Message);
                exit = 254;
            }
        }

        return exit;
    }
}
