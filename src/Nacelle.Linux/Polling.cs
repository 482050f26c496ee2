using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>What a descriptor is waited for, and what it turned out to be. See poll(2).</summary>
[Flags]
public enum PollEvents : short
{
    None = 0,
    Readable = 1,
    Writable = 4,
    Error = 8,
    HangUp = 16,
}

/// <summary>One descriptor of a <see cref="Polling.Wait"/>; a negative number is passed over. The layout of struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PollEntry
{
    public int Number;
    public PollEvents Wanted;
    public PollEvents Happened;
}

public static unsafe partial class Polling
{
    /// <summary>Waits until something happens on one of the descriptors.</summary>
    /// <param name="milliseconds">-1 to wait for ever.</param>
    /// <returns>How many entries have something in <see cref="PollEntry.Happened"/>; 0 after the time.</returns>
    public static int Wait(Span<PollEntry> entries, int milliseconds = -1)
    {
        // SAFETY: the span is pinned for the call, and its length is passed beside it.
        fixed (PollEntry* start = entries)
        {
            while (true)
            {
                int ready = poll(start, (nuint)entries.Length, milliseconds);
                if (ready >= 0)
                {
                    return ready;
                }

                if (Call.LastError != Errno.EINTR)
                {
                    Call.Throw("poll", "");
                }
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollEntry* entries, nuint count, int milliseconds);
}
