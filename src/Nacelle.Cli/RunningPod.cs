using Nacelle.CommandLine;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Cli;

/// <summary>How commands about one app of one pod that runs are told which.</summary>
static class RunningPod
{
    public static readonly Option App = new("app", "NAME", "the app that is meant; needed where the pod has several");

    /// <summary>The pod that is named; it has to run.</summary>
    public static FoundPod Find(Invocation invocation, PodStore pods)
    {
        var found = pods.Find(PodArguments.Names(invocation)[0]);
        if (found.State == PodState.Running)
        {
            return found;
        }

        using (found)
        {
            throw new UserException($"pod {found.Pod.Uuid} is {found.State.Name()}, not running");
        }
    }

    /// <summary>The app that --app names, or the pod's only one.</summary>
    public static AppName AppOf(Invocation invocation, Pod pod) => AppOf(invocation.Value(App), pod);

    /// <summary>The app of that name, or the pod's only one.</summary>
    public static AppName AppOf(string? name, Pod pod)
    {
        var apps = pod.ReadManifest().Apps;
        if (name is null)
        {
            return apps.Count == 1 ? apps[0].Name
                : throw new UserException(apps.Count == 0 ? "the pod has no apps" : $"the pod has several apps: say which by --app={string.Join('|', apps.Select(one => one.Name))}");
        }

        return apps.FirstOrDefault(one => one.Name.ToString() == name)?.Name
            ?? throw new UserException($"the pod has no app '{name}'{(apps.Count == 0 ? "" : $", only {string.Join(", ", apps.Select(one => one.Name))}")}");
    }
}
