using System.Diagnostics;
using Nacelle.Linux;

namespace Nacelle.Pods;

/// <summary>Waits for what becomes of a pod.</summary>
public static class PodWait
{
    const int LookAgain = 20;

    /// <summary>Waits until the pod has ended.</summary>
    /// <param name="patience">Null to wait for ever.</param>
    /// <exception cref="PodException">It has not within that time, or was removed.</exception>
    public static void UntilFinished(PodStore pods, string uuid, TimeSpan? patience) =>
        Until(pods, uuid, patience, "has not ended", found => IsOver(found.State), found => found.State == PodState.Running ? found.Pod.ProcessId : null);

    /// <summary>Waits until the pod's stage1 has started all apps.</summary>
    /// <inheritdoc cref="UntilFinished"/>
    public static void UntilReady(PodStore pods, string uuid, TimeSpan? patience) => Until(pods, uuid, patience, "is not ready", IsReady, _ => null);

    static bool IsOver(PodState state) => state is not (PodState.Embryo or PodState.Preparing or PodState.Prepared or PodState.Running);

    static bool IsReady(FoundPod found) => IsOver(found.State) ? throw new PodException($"pod {found.Pod.Uuid} is {found.State.Name()}, and will not be ready any more")
        : found is { State: PodState.Running, Pod.IsReady: true };

    /// <param name="process">Tells of a process whose end has to be waited for; null where one can only look again.</param>
    static void Until(PodStore pods, string uuid, TimeSpan? patience, string complaint, Func<FoundPod, bool> condition, Func<FoundPod, int?> process)
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            using var found = pods.Find(uuid);
            if (condition(found))
            {
                return;
            }

            int left = patience is { } most ? (int)Math.Min((most - clock.Elapsed).TotalMilliseconds + 1, int.MaxValue) : -1;
            if (patience is not null && left <= 0)
            {
                throw new PodException($"pod {uuid} {complaint} within {patience.Value.TotalSeconds} s: it is {found.State.Name()}");
            }

            // PID 1 ends a little before the process outside, which holds the lock too.
            using var running = process(found) is { } pid ? Processes.TryOpen(pid) : null;
            if (running is null || Polling.Wait([new PollEntry { Number = running.Number, Wanted = PollEvents.Readable }], left) > 0)
            {
                Thread.Sleep(running is not null ? 1 : left < 0 ? LookAgain : Math.Min(left, LookAgain));
            }
        }
    }
}
