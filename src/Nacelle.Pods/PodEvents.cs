using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

public enum PodEventKind
{
    Created,
    Prepared,
    Started,
    Ready,
    Exited,

    /// <summary>It waits to be collected.</summary>
    Garbage,
    Removed,
    AppCreated,
    AppStarted,
    AppExited,
    AppRemoved,
}

/// <summary>Something that has happened to a pod or one of its apps.</summary>
/// <param name="ExitCode">Of an app that has exited, or of a pod whose PID 1 could tell.</param>
public sealed record PodEvent(DateTimeOffset Time, PodEventKind Kind, string Uuid, AppName? App = null, int? ExitCode = null);

/// <summary>Tells what happens to the pods of a store, by watching its directories: there is nobody else to ask.</summary>
/// <remarks>A pod's end is its PID 1's, which a descriptor of the process tells, however it came.</remarks>
public sealed class PodEvents : IDisposable
{
    readonly PodStore pods;
    readonly DirectoryWatch watch = new();
    readonly Dictionary<int, PodPlace> places = [];
    readonly Dictionary<int, (Pod Pod, string Directory)> watched = [];
    readonly Dictionary<string, RunningPod> running = new(StringComparer.Ordinal);

    /// <summary>Watches from now on.</summary>
    public PodEvents(PodStore pods)
    {
        this.pods = pods;
        foreach (var place in PodStates.Places)
        {
            using var directory = pods.OpenPlace(place);
            if (watch.TryAdd(directory, "", DirectoryChanges.MovedHere | DirectoryChanges.Deleted) is { } number)
            {
                places.Add(number, place);
            }
        }

        foreach (var found in pods.List())
        {
            using (found)
            {
                if (found.State == PodState.Running)
                {
                    Follow(found.Pod.Uuid);
                }
            }
        }
    }

    /// <summary>What the pods' directories tell of the past, in its order.</summary>
    public static IEnumerable<PodEvent> Past(PodStore pods)
    {
        var events = new List<PodEvent>();
        foreach (var found in pods.List())
        {
            using (found)
            {
                var pod = found.Pod;
                Add(pod.Created, PodEventKind.Created);
                Add(pod.Started, PodEventKind.Started);
                Add(pod.Finished, PodEventKind.Exited, code: pod.ExitCode);
                foreach (var app in pod.TryReadManifest()?.Apps ?? [])
                {
                    Add(pod.AppCreated(app.Name), PodEventKind.AppCreated, app.Name);
                    Add(pod.AppStarted(app.Name), PodEventKind.AppStarted, app.Name);
                    Add(pod.AppFinished(app.Name), PodEventKind.AppExited, app.Name, pod.ExitCodeOf(app.Name));
                }

                void Add(DateTimeOffset? time, PodEventKind kind, AppName? app = null, int? code = null)
                {
                    if (time is { } then)
                    {
                        events.Add(new PodEvent(then, kind, pod.Uuid, app, code));
                    }
                }
            }
        }

        return events.OrderBy(one => one.Time);
    }

    /// <summary>Waits for the next events.</summary>
    /// <param name="milliseconds">-1 to wait for ever.</param>
    /// <returns>Empty after the time.</returns>
    public IReadOnlyList<PodEvent> Wait(int milliseconds)
    {
        var list = running.Values.Where(pod => pod.Process is not null).ToList();
        PollEntry[] entries =
        [
            new() { Number = watch.Descriptor.Number, Wanted = PollEvents.Readable },
            .. list.Select(pod => new PollEntry { Number = pod.Process!.Number, Wanted = PollEvents.Readable }),
        ];
        Polling.Wait(entries, milliseconds);
        var events = new List<PodEvent>();
        foreach (var change in watch.Read())
        {
            Take(change, events);
        }

        for (int i = 0; i < list.Count; i++)
        {
            if (entries[i + 1].Happened != PollEvents.None)
            {
                Forget(list[i], events);
            }
        }

        return events;
    }

    void Take(DirectoryChange change, List<PodEvent> events)
    {
        var now = DateTimeOffset.UtcNow;
        if (places.TryGetValue(change.Watch, out var place))
        {
            TakePlace(change, place, now, events);
        }
        else if (watched.TryGetValue(change.Watch, out var at))
        {
            TakeInside(change, at.Pod, at.Directory, now, events);
        }
    }

    void TakePlace(DirectoryChange change, PodPlace place, DateTimeOffset now, List<PodEvent> events)
    {
        var kind = (change.Kind & DirectoryChanges.Deleted) != 0 ? PodEventKind.Removed : place switch
        {
            PodPlace.Prepare => PodEventKind.Created,
            PodPlace.Prepared => PodEventKind.Prepared,
            PodPlace.Run => PodEventKind.Started,
            _ => PodEventKind.Garbage,
        };
        events.Add(new PodEvent(now, kind, change.Name));
        if (kind == PodEventKind.Started)
        {
            Follow(change.Name);
        }
    }

    void TakeInside(DirectoryChange change, Pod pod, string directory, DateTimeOffset now, List<PodEvent> events)
    {
        switch (directory, change.Name)
        {
            case ("", "pid"):
                running[pod.Uuid].Process ??= pod.ProcessId is { } pid ? Processes.TryOpen(pid) : null;
                break;
            case (Rkt, "supervisor-status"):
                events.Add(new PodEvent(now, PodEventKind.Ready, pod.Uuid));
                break;
            case (Rkt + "/pid", _) when (change.Kind & DirectoryChanges.Written) != 0 && AppName.IsValid(change.Name):
                events.Add(new PodEvent(now, PodEventKind.AppStarted, pod.Uuid, AppName.From(change.Name)));
                break;
            case (Rkt + "/status", _) when (change.Kind & DirectoryChanges.Written) != 0 && AppName.IsValid(change.Name):
                var app = AppName.From(change.Name);
                events.Add(new PodEvent(now, PodEventKind.AppExited, pod.Uuid, app, pod.ExitCodeOf(app)));
                break;
            case ("appsinfo", _) when (change.Kind & (DirectoryChanges.Created | DirectoryChanges.Deleted)) != 0 && AppName.IsValid(change.Name):
                var kind = (change.Kind & DirectoryChanges.Created) != 0 ? PodEventKind.AppCreated : PodEventKind.AppRemoved;
                events.Add(new PodEvent(now, kind, pod.Uuid, AppName.From(change.Name)));
                break;
        }
    }

    const string Rkt = "stage1/rootfs/rkt";

    /// <summary>Watches what a pod that runs writes down.</summary>
    void Follow(string uuid)
    {
        if (running.ContainsKey(uuid) || pods.TryOpen(uuid, PodPlace.Run) is not { } pod)
        {
            return;
        }

        var one = new RunningPod(pod);
        running.Add(uuid, one);
        foreach (var directory in (ReadOnlySpan<string>)["", Rkt, Rkt + "/pid", Rkt + "/status", "appsinfo"])
        {
            const DirectoryChanges All = DirectoryChanges.Written | DirectoryChanges.Created | DirectoryChanges.Deleted;
            if (watch.TryAdd(pod.Directory, directory, All) is { } number)
            {
                watched[number] = (pod, directory);
            }
        }

        one.Process = pod.ProcessId is { } pid ? Processes.TryOpen(pid) : null;
    }

    /// <summary>The pod's PID 1 has ended.</summary>
    void Forget(RunningPod one, List<PodEvent> events)
    {
        events.Add(new PodEvent(DateTimeOffset.UtcNow, PodEventKind.Exited, one.Pod.Uuid, ExitCode: one.Pod.ExitCode));
        running.Remove(one.Pod.Uuid);
        foreach (int number in watched.Where(pair => pair.Value.Pod == one.Pod).Select(pair => pair.Key).ToList())
        {
            watched.Remove(number);
        }

        one.Dispose();
    }

    public void Dispose()
    {
        foreach (var one in running.Values)
        {
            one.Dispose();
        }

        watch.Dispose();
    }

    sealed class RunningPod(Pod pod) : IDisposable
    {
        public Pod Pod => pod;

        public FileDescriptor? Process { get; set; }

        public void Dispose()
        {
            Process?.Dispose();
            pod.Dispose();
        }
    }
}
