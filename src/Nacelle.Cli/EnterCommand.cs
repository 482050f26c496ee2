using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>enter</c>, and <c>app exec</c>, which rkt had for mutable pods: runs a command inside a running app.</summary>
static class EnterCommand
{
    public static readonly Command Definition = Define("enter", "run a command in a running pod");

    public static readonly Command Exec = Define("app exec", "run a command in an app of a running pod");

    static Command Define(string name, string summary) => new(
        name, "[--app=NAME] UUID [COMMAND [ARGUMENT…]]", summary, [RunningPod.App, PodArguments.UuidFile], Run)
    {
        Description = "The command (/bin/bash when none is given) gets the app's namespaces, root file system, user, limits and restrictions.",
        WordsBeforeLiteral = 2,
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = RunningPod.Find(invocation, pods);
        var app = RunningPod.AppOf(invocation, found.Pod);
        bool byFile = invocation.Value(PodArguments.UuidFile) is not null;
        IReadOnlyList<string> command = [.. invocation.Words.Skip(byFile ? 0 : 1)];
        if (command is ["--", ..])
        {
            command = [.. command.Skip(1)];
        }

        if (command.Count == 0)
        {
            Output.Error("no command is given: using /bin/bash");
            command = ["/bin/bash"];
        }

        PodEnter.Enter(found.Pod, app.ToString(), command);
        return 0;
    }
}
