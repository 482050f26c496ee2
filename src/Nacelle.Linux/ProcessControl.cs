using System.Runtime.InteropServices;

namespace Nacelle.Linux;

public static unsafe partial class Processes
{
    const int PR_SET_DUMPABLE = 4, PR_SET_CHILD_SUBREAPER = 36;

    /// <summary>Keeps others of the same user, and pods above all, from tracing this process and from reading its memory and descriptors. See prctl(2).</summary>
    public static void MakeUndumpable() => Call.Check(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl", "PR_SET_DUMPABLE");

    /// <summary>Makes this process the parent of all its descendants whose own parents have ended, as a PID 1 is. See prctl(2).</summary>
    public static void AdoptOrphans() => Call.Check(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl", "PR_SET_CHILD_SUBREAPER");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);
}
