using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>What is known of a file system. See statfs(2).</summary>
public static unsafe partial class Files
{
    /// <summary>How many bytes this user may still write to the file system that holds the file.</summary>
    public static ulong FreeBytes(FileDescriptor file)
    {
        // Indexes of 64-bit fields: struct statfs of 64-bit machines, 120 bytes.
        const int Available = 4, FragmentSize = 9;
        ulong* status = stackalloc ulong[StatusFields];

        // SAFETY: the kernel writes at most 120 bytes, and 256 were allocated.
        Call.Check(fstatfs(file, status), "fstatfs", file.Description);
        return status[Available] * status[FragmentSize];
    }

    /// <summary>Whether a file lies on a file system by which the kernel tells of itself: proc, sysfs, cgroups and their like. Reading there may wait, or never end.</summary>
    /// <remarks>Numbers of linux/magic.h.</remarks>
    public static bool IsOfKernel(FileDescriptor file)
    {
        const ulong Proc = 0x9fa0, Sys = 0x62656572, Cgroup = 0x27e0eb, Cgroup2 = 0x63677270, Terminals = 0x1cd1, Queues = 0x19800202, Debug = 0x64626720,
            Trace = 0x74726163, Security = 0x73636673, Bpf = 0xcafe4a11, Configuration = 0x62656570, Storage = 0x6165676c;
        ulong* status = stackalloc ulong[StatusFields];

        // SAFETY: as in FreeBytes.
        Call.Check(fstatfs(file, status), "fstatfs", file.Description);
        return status[0] is Proc or Sys or Cgroup or Cgroup2 or Terminals or Queues or Debug or Trace or Security or Bpf or Configuration or Storage;
    }

    const int StatusFields = 32;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatfs(FileDescriptor file, ulong* status);
}
