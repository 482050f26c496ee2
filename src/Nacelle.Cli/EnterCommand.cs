using Nacelle.CommandLine;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary><c>enter</c>: runs a command inside a running app.</summary>
static class EnterCommand
{
    static readonly Option App = new("app", "NAME", "the app to enter; needed where the pod has several");

    public static readonly Command Definition = new(
        "enter", "[--app=NAME] UUID [COMMAND [ARGUMENT…]]", "run a command in a running pod", [App, PodArguments.UuidFile], Run)
    {
        Description = "The command (/bin/bash when none is given) gets the app's namespaces, root file system, user, limits and restrictions.",
        WordsBeforeLiteral = 2,
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        bool byFile = invocation.Value(PodArguments.UuidFile) is not null;
        var words = invocation.Words;
        var name = PodArguments.Names(invocation)[0];
        using var found = pods.Find(name);
        if (found.State != PodState.Running)
        {
            throw new UserException($"pod {found.Pod.Uuid} is {found.State.Name()}, not running");
        }

        var apps = found.Pod.ReadManifest().Apps;
        var app = invocation.Value(App) ?? (apps.Count == 1 ? apps[0].Name.ToString()
            : throw new UserException($"the pod has several apps: say which by --app={string.Join('|', apps.Select(one => one.Name))}"));
        if (!apps.Any(one => one.Name.ToString() == app))
        {
            throw new UserException($"the pod has no app '{app}', only {string.Join(", ", apps.Select(one => one.Name))}");
        }

        IReadOnlyList<string> command = [.. words.Skip(byFile ? 0 : 1)];
        if (command is ["--", ..])
        {
            command = [.. command.Skip(1)];
        }

        if (command.Count == 0)
        {
            Output.Error("no command is given: using /bin/bash");
            command = ["/bin/bash"];
        }

        PodEnter.Enter(found.Pod, app, command);
        return 0;
    }
}
