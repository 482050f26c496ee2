using System.Runtime.InteropServices;

namespace Nacelle.Linux;

public static unsafe partial class Files
{
    /// <summary>Waits until all that was written to the file system on which <paramref name="file"/> lies is on the disk. See syncfs(2).</summary>
    /// <remarks>Cheaper than one fsync per file as soon as there are many. Since Linux 5.8 it reports write errors.</remarks>
    public static void SynchronizeFileSystem(FileDescriptor file) => Call.Check(syncfs(file), "syncfs", file.Description);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(FileDescriptor file);
}
