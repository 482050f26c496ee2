using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>network gc</c>: takes back what networks gave to pods that are dead, at once and without removing the pods.</summary>
static class NetworkCollectCommand
{
    public static readonly Command Definition = new("network gc", "", "take back addresses, devices and rules of dead pods", [], Run)
    {
        Description = "A pod that ends returns them itself, and gc does it for those that died; this is for what is left then, as leases of pods whose directory somebody has removed.",
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        int exit = 0;
        PodNetworkCollection.Collect(
            NetworkFlag.Load(invocation), NetworkFlag.PluginPath(invocation), uuid => Output.Line($"pod {uuid}: detached"),
            problem =>
            {
                Output.Error(problem);
                exit = CommandProgram.OwnError;
            });
        return exit;
    }
}
