using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>How long dead pods are kept.</summary>
public sealed record CollectOptions
{
    public TimeSpan Grace { get; init; }

    public TimeSpan ExpirePrepared { get; init; }

    public bool MarkOnly { get; init; }
}

/// <summary>Removes pods: on demand, or because they are dead and their time is over.</summary>
/// <remarks>
/// In two passes, as rkt: what is dead is marked by moving it to a garbage directory, whose change time then counts the grace period; what is marked and
/// old enough is removed. The lock tells dead from alive, so a live pod is never touched, and each step can be repeated after a crash.
/// </remarks>
public static class PodCollection
{
    /// <param name="done">Told of each pod that is marked or removed.</param>
    /// <param name="failed">Told of each pod that could not be; the others go on.</param>
    /// <returns>Whether nothing failed.</returns>
    public static bool Collect(PodStore pods, CollectOptions options, Action<string> done, Action<string> failed)
    {
        bool whole = true;
        using (var embryos = pods.TryHoldEmbryos())
        {
            foreach (var found in embryos is null ? [] : pods.List().Where(found => found.State == PodState.Embryo))
            {
                using (found)
                {
                    Move(found, PodPlace.Garbage, done);
                }
            }
        }

        foreach (var found in pods.List())
        {
            using (found)
            {
                try
                {
                    Mark(found, options, done);
                }
                catch (KernelException problem)
                {
                    failed($"pod {found.Pod.Uuid}: {problem.Message}");
                    whole = false;
                }
            }
        }

        foreach (var found in options.MarkOnly ? [] : pods.List())
        {
            using (found)
            {
                try
                {
                    Sweep(pods, found, options, done, problem =>
                    {
                        failed(problem);
                        whole = false;
                    });
                }
                catch (Exception problem) when (problem is KernelException or PodException)
                {
                    failed($"pod {found.Pod.Uuid}: {problem.Message}");
                    whole = false;
                }
            }
        }

        return whole;
    }

    static void Mark(FoundPod found, CollectOptions options, Action<string> done)
    {
        var place = found.State switch
        {
            PodState.Exited => PodPlace.ExitedGarbage,
            PodState.AbortedPrepare => PodPlace.Garbage,
            PodState.Prepared when Age(found.Pod) > options.ExpirePrepared => PodPlace.Garbage,
            _ => default(PodPlace?),
        };

        if (place is { } target)
        {
            Move(found, target, done);
        }
    }

    static void Move(FoundPod found, PodPlace place, Action<string> done)
    {
        if (found.Pod.TryLock() && found.Pod.TryMove(place))
        {
            Touch(found.Pod);
            done($"Moving pod \"{found.Pod.Uuid}\" to garbage");
        }
    }

    static void Sweep(PodStore pods, FoundPod found, CollectOptions options, Action<string> done, Action<string> failed)
    {
        if (found.State == PodState.Garbage || (found.State == PodState.ExitedGarbage && Age(found.Pod) >= options.Grace))
        {
            if (found.Pod.TryLock())
            {
                Delete(pods, found.Pod, failed);
                done($"Garbage collecting pod \"{found.Pod.Uuid}\"");
            }
        }
    }

    /// <summary>Removes one pod that does not run, at once.</summary>
    /// <param name="warn">Told of what could not be done and does not keep the pod.</param>
    /// <exception cref="PodException">It runs, or somebody works on it.</exception>
    public static void Remove(PodStore pods, FoundPod found, Action<string>? warn = null)
    {
        var target = found.State switch
        {
            PodState.Running => throw new PodException($"pod {found.Pod.Uuid} is running: stop it first"),
            PodState.Preparing or PodState.Deleting or PodState.ExitedDeleting => throw new PodException($"pod {found.Pod.Uuid} is {found.State.Name()}"),
            PodState.Exited => PodPlace.ExitedGarbage,
            PodState.Embryo or PodState.AbortedPrepare or PodState.Prepared => PodPlace.Garbage,
            _ => found.Pod.Place,
        };
        if (!found.Pod.TryLock() || (target != found.Pod.Place && !found.Pod.TryMove(target)))
        {
            throw new PodException($"somebody else works on pod {found.Pod.Uuid}");
        }

        Delete(pods, found.Pod, warn);
    }

    /// <summary>Removes what stage1 left in the kernel, then what is mounted, then the directory.</summary>
    static void Delete(PodStore pods, Pod pod, Action<string>? warn)
    {
        // Whatever came as far as stage1, however early it was killed there, may have left something; who was only prepared has not.
        if (pod.Place == PodPlace.ExitedGarbage && Files.Exists(pod.Directory, "stage1/manifest"))
        {
            HaveStage1Collect(pod, warn);
        }

        DetachMounts(pod.Path);
        pods.RemoveDirectory(pod);
    }

    /// <summary>Runs stage1's <c>gc</c>, if it has one. A stage1 that fails to clean up does not keep its pod.</summary>
    internal static void HaveStage1Collect(Pod pod, Action<string>? warn)
    {
        try
        {
            if (Stage1Call.Has(pod, "gc") && Stage1Call.Run(pod, "gc", [pod.Uuid], patience: Stage1Call.Patience) is not 0 and var code)
            {
                throw new PodException($"its stage1's gc ended with code {code}");
            }
        }
        catch (Exception problem) when (problem is PodException or KernelException or SpecException)
        {
            warn?.Invoke($"pod {pod.Uuid} is removed, but {problem.Message}");
        }
    }

    /// <summary>Mounts of a pod live in namespaces that ended with it; but a stage1 of another kind may have left some here.</summary>
    internal static void DetachMounts(string path)
    {
        var table = Files.TryReadText(FileDescriptor.WorkingDirectory, "/proc/self/mountinfo") ?? "";
        foreach (var line in table.Split('\n').Reverse())
        {
            var fields = line.Split(' ');
            if (fields.Length > 4 && (fields[4] == path || fields[4].StartsWith(path + "/", StringComparison.Ordinal)))
            {
                Mounts.TryDetach(fields[4]);
            }
        }
    }

    /// <summary>The ids of images that pods in any state were made of.</summary>
    public static IReadOnlySet<Digest> ImagesInUse(PodStore pods) => InUse(
        pods, pod => Parse(pod.Stage1ImageId), (pod, app) => Parse(pod.ImageIdOf(AppName.Parse(app, "appsinfo"))));

    static Digest[] Parse(string id) => Digest.TryParse(id.Replace('-', ':'), out var digest) ? [digest] : [];

    /// <summary>The layers that no pod may lose: those of all that are not garbage.</summary>
    public static IReadOnlySet<Digest> LayersInUse(PodStore pods) => InUse(pods, pod => pod.Stage1Layers, (pod, app) => pod.LayersOf(app));

    static HashSet<Digest> InUse(PodStore pods, Func<Pod, IEnumerable<Digest>> ofStage1, Func<Pod, string, IEnumerable<Digest>> ofApp)
    {
        var used = new HashSet<Digest>();
        foreach (var found in pods.List())
        {
            using (found)
            {
                used.UnionWith(ofStage1(found.Pod));
                foreach (var app in Directories.ListOrEmpty(found.Pod.Directory, "appsinfo"))
                {
                    used.UnionWith(ofApp(found.Pod, app.Name));
                }
            }
        }

        return used;
    }

    /// <summary>Since the directory was last changed: made, filled or moved.</summary>
    static TimeSpan Age(Pod pod) => DateTimeOffset.UtcNow - Files.Status(pod.Directory).ChangeTime.ToDateTimeOffset();

    /// <summary>A rename changes the parents' times only; the grace period begins now.</summary>
    static void Touch(Pod pod) => Files.SetMode(pod.Directory, Files.Status(pod.Directory).Permissions);
}
