using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>rm</c>: removes pods that do not run.</summary>
static class RemoveCommand
{
    public static readonly Command Definition = new("rm", "UUID…", "remove pods that do not run", [PodArguments.UuidFile], Run);

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
                PodCollection.Remove(pods, found);
                Output.Line($"\"{found.Pod.Uuid}\"");
            }
            catch (PodException problem)
            {
                Output.Error(problem.Message);
                exit = 254;
            }
        }

        return exit;
    }
}
