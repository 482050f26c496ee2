using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Locks on open files, held until the last descriptor for that opening is closed, in whichever process. See flock(2).</summary>
public static partial class FileLock
{
    /// <summary>Waits for the lock.</summary>
    public static void Acquire(FileDescriptor file, LockKind kind)
    {
        while (flock(file, (int)kind) < 0)
        {
            if (Call.LastError != Errno.EINTR)
            {
                Call.Throw("lock", file.Description);
            }
        }
    }

    /// <returns>False when somebody else holds it.</returns>
    public static bool TryAcquire(FileDescriptor file, LockKind kind)
    {
        const int LOCK_NB = 4;
        if (flock(file, (int)kind | LOCK_NB) == 0)
        {
            return true;
        }

        return Call.LastError == Errno.EAGAIN ? false : throw new KernelException($"lock {file.Description}", Call.LastError);
    }

    public static void Release(FileDescriptor file) => Call.Check(flock(file, 8), "unlock", file.Description);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(FileDescriptor file, int operation);
}

public enum LockKind
{
    Shared = 1,
    Exclusive = 2,
}
