using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>rm</c>: removes pods that do not run.</summary>
static class RemoveCommand
{
    public static readonly Command Definition = new("rm", "UUID…", "remove pods that do not run", [PodArguments.UuidFile], Run);

    static int Run(Invocation invocation) => PodArguments.ForEach(invocation, (pods, found) => PodCollection.Remove(pods, found, PodPreparing.Warn));
}
