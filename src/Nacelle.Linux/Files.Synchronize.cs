using System.Runtime.InteropServices;

namespace Nacelle.Linux;

public static unsafe partial class Files
{
    /// <summary>Waits until all that was written to the file system on which <paramref name="file"/> lies is on the disk. See syncfs(2).</summary>
    /// <remarks>Cheaper than one fsync per file as soon as there are many. Since Linux 5.8 it reports write errors.</remarks>
    public static void SynchronizeFileSystem(FileDescriptor file) => Call.Check(syncfs(file), "syncfs", file.Description);

    /// <summary>Waits until the names in a directory are on the disk, so that a rename outlives a loss of power. See fsync(2).</summary>
    public static void SynchronizeDirectory(FileDescriptor directory) => Call.Check(fsync(directory), "fsync", directory.Description);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(FileDescriptor file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(FileDescriptor file);
}
