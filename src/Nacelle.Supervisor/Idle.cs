using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>Waiting, as a process does that lives as long as its pod and has next to nothing to do.</summary>
static class Idle
{
    const int Quiet = 1000;

    static bool trimmed;

    /// <summary>As <see cref="Polling.Wait"/>; after the first quiet second the memory that starting took is given back.</summary>
    public static void Wait(Span<PollEntry> entries, int milliseconds = -1)
    {
        if (!trimmed && (milliseconds < 0 || milliseconds > Quiet))
        {
            if (Polling.Wait(entries, Quiet) > 0)
            {
                return;
            }

            trimmed = true;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }

        Polling.Wait(entries, milliseconds);
    }
}
