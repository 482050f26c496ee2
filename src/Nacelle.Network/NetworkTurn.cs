using Nacelle.Linux;

namespace Nacelle.Network;

/// <summary>Keeps GC away from ADD and DEL, as the specification wants it (1.1.0, section 3, "Lifecycle &amp; Ordering").</summary>
static class NetworkTurn
{
    /// <returns>What holds the lock until it is closed.</returns>
    public static FileDescriptor Take(string path, LockKind kind)
    {
        var file = Files.Open(path, OpenFlags.ReadWrite | OpenFlags.Create, 0x180);
        FileLock.Acquire(file, kind);
        return file;
    }
}
