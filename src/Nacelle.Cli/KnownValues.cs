using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;

namespace Nacelle.Cli;

/// <summary>The pods, apps and images that words of a command line may mean, for shells that complete them.</summary>
static class KnownValues
{
    public static IEnumerable<(string Word, string Remark)> Of(Invocation invocation, string what) => what switch
    {
        "UUID" => Pods(invocation),
        "--app" => Apps(invocation),
        "IMAGE" => Images(invocation),
        _ => [],
    };

    /// <summary>Of the pods in a state in which the command can do something with them.</summary>
    static List<(string Word, string Remark)> Pods(Invocation invocation)
    {
        using var store = new PodStore(GlobalFlags.DataDirectory(invocation));
        var known = new List<(string Word, string Remark)>();
        foreach (var found in store.List())
        {
            using (found)
            {
                if (Takes(invocation.Command.Name, found.State) && !invocation.Words.Contains(found.Pod.Uuid))
                {
                    var remark = $"{found.State.Name()}: {string.Join(", ", found.Pod.TryReadManifest()?.Apps.Select(app => app.Name.ToString()) ?? [])}";
                    known.Add((found.Pod.Uuid, remark));
                    if (found.Pod.Name is { } name)
                    {
                        known.Add((name, remark));
                    }
                }
            }
        }

        return known;
    }

    static bool Takes(string command, PodState state) => command switch
    {
        "run-prepared" => state == PodState.Prepared,
        "rm" => state is PodState.Prepared or PodState.Exited or PodState.ExitedGarbage or PodState.AbortedPrepare or PodState.Garbage,
        "export" => state == PodState.Exited,
        "status" or "cat-manifest" or "logs" or "app list" or "app status" => true,
        _ => state == PodState.Running,
    };

    static IEnumerable<(string Word, string Remark)> Apps(Invocation invocation)
    {
        if (invocation.Words is not [var uuid, ..])
        {
            return [];
        }

        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var found = pods.Find(uuid);
        return [.. found.Pod.TryReadManifest()?.Apps.Select(app => (app.Name.ToString(), app.Image.Name ?? "")) ?? []];
    }

    static IEnumerable<(string Word, string Remark)> Images(Invocation invocation)
    {
        using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
        return [.. store.List().Select(image => (image.DisplayName, image.ShortId))];
    }
}
