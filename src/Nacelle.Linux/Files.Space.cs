using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>How much room a file system has. See statfs(2).</summary>
public static unsafe partial class Files
{
    /// <summary>How many bytes this user may still write to the file system that holds the file.</summary>
    public static ulong FreeBytes(FileDescriptor file)
    {
        // Indexes of 64-bit fields: struct statfs of 64-bit machines, 120 bytes.
        const int Available = 4, FragmentSize = 9, Fields = 32;
        ulong* status = stackalloc ulong[Fields];

        // SAFETY: the kernel writes at most 120 bytes, and 256 were allocated.
        Call.Check(fstatfs(file, status), "fstatfs", file.Description);
        return status[Available] * status[FragmentSize];
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatfs(FileDescriptor file, ulong* status);
}
