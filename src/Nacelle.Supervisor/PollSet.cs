using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>All that a process waits for at a time: descriptors, each with what is to be done when something happens on it, and the next hour that strikes.</summary>
/// <remarks>Filled anew for each wait, so whoever has ended is just not in it any more.</remarks>
sealed class PollSet
{
    PollEntry[] entries = new PollEntry[8];
    Action[] handlers = new Action[8];
    int count;
    long wakeAt = long.MaxValue;

    public void Clear()
    {
        count = 0;
        wakeAt = long.MaxValue;
    }

    /// <param name="handler">Must bear to be called when another handler has made it needless.</param>
    public void Add(FileDescriptor descriptor, PollEvents wanted, Action handler)
    {
        if (count == entries.Length)
        {
            Array.Resize(ref entries, count * 2);
            Array.Resize(ref handlers, count * 2);
        }

        entries[count] = new PollEntry { Number = descriptor.Number, Wanted = wanted };
        handlers[count++] = handler;
    }

    /// <param name="time">In milliseconds, as <see cref="Environment.TickCount64"/> counts them.</param>
    public void WakeAt(long time) => wakeAt = Math.Min(wakeAt, time);

    /// <summary>Waits until something happens or the time comes, and calls the handlers.</summary>
    public void Wait()
    {
        Idle.Wait(entries.AsSpan(0, count), wakeAt == long.MaxValue ? -1 : (int)Math.Clamp(wakeAt - Environment.TickCount64, 0, int.MaxValue));
        for (int i = 0; i < count; i++)
        {
            if (entries[i].Happened != PollEvents.None)
            {
                handlers[i]();
            }
        }
    }
}
