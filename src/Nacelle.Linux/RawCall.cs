using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>System calls without a transition of the garbage collector: for the child between clone and exec, which shares the parent's thread.</summary>
static unsafe partial class RawCall
{
    /// <returns>What the kernel says: a negative errno on failure.</returns>
    public static nint Invoke(nint number, nint a, nint b, nint c, nint d, nint e, nint f)
    {
        nint result = Syscall(number, a, b, c, d, e, f);
        // SAFETY: the C library gives the address of this thread's errno.
        return result == -1 ? -*ErrnoLocation() : result;
    }

    [LibraryImport("libc", EntryPoint = "_exit"), SuppressGCTransition]
    public static partial void Exit(int code);

    [LibraryImport("libc", EntryPoint = "syscall"), SuppressGCTransition]
    private static partial nint Syscall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);

    [LibraryImport("libc", EntryPoint = "__errno_location"), SuppressGCTransition]
    private static partial int* ErrnoLocation();
}
