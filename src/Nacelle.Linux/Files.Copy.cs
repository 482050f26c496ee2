using System.Runtime.InteropServices;

namespace Nacelle.Linux;

public static unsafe partial class Files
{
    /// <summary>Makes <paramref name="to"/> share the content of <paramref name="from"/> until one is written to. See ioctl_ficlone(2).</summary>
    /// <returns>False where the file system cannot, or the two lie on different ones.</returns>
    public static bool TryClone(FileDescriptor from, FileDescriptor to) => ioctl(to, FICLONE, from.Number) == 0;

    /// <summary>Copies <paramref name="length"/> bytes at <paramref name="offset"/> to the same place in another file, within the kernel.</summary>
    /// <returns>False when the kernel cannot do it for these two files and nothing was copied. See copy_file_range(2).</returns>
    /// <exception cref="KernelException">EIO: the source ended early.</exception>
    public static bool TryCopyRange(FileDescriptor from, FileDescriptor to, long offset, long length)
    {
        long fromOffset = offset, toOffset = offset, left = length;
        while (left > 0)
        {
            // SAFETY: both offsets live on this stack frame for the whole call.
            nint count = copy_file_range(from, &fromOffset, to, &toOffset, (nint)left, 0);
            if (count > 0)
            {
                left -= count;
            }
            else if (count == 0)
            {
                throw new KernelException($"copy {from.Description}", Errno.EIO);
            }
            else if (left == length && Call.LastError is Errno.EXDEV or Errno.EINVAL or Errno.ENOSYS or Errno.EOPNOTSUPP)
            {
                return false;
            }
            else if (Call.LastError != Errno.EINTR)
            {
                Call.Throw("copy", $"{from.Description} to {to.Description}");
            }
        }

        return true;
    }

    /// <summary>Copies a whole file of <paramref name="length"/> bytes into an empty one: within the kernel where it can, by way of memory elsewhere.</summary>
    public static void CopyContent(FileDescriptor from, FileDescriptor to, long length)
    {
        if (length == 0 || TryClone(from, to) || TryCopyRange(from, to, 0, length))
        {
            return;
        }

        var buffer = new byte[65536];
        for (int count; (count = Read(from, buffer)) > 0;)
        {
            Write(to, buffer.AsSpan(0, count));
        }
    }

    /// <summary>The next stretch of data at or after <paramref name="offset"/>; null when only a hole is left. Moves the file's position.</summary>
    /// <remarks>SEEK_DATA and SEEK_HOLE of lseek(2), Linux 3.1; a file system without holes says that all is data.</remarks>
    public static (long Start, long End)? NextData(FileDescriptor file, long offset)
    {
        const int SEEK_DATA = 3, SEEK_HOLE = 4;
        long start = lseek(file, offset, SEEK_DATA);
        if (start < 0)
        {
            return Call.LastError == Errno.ENXIO ? null : throw new KernelException($"lseek {file.Description}", Call.LastError);
        }

        return (start, Call.Check((nint)lseek(file, start, SEEK_HOLE), "lseek", file.Description));
    }

    const nuint FICLONE = 0x40049409;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(FileDescriptor file, nuint request, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint copy_file_range(FileDescriptor from, long* fromOffset, FileDescriptor to, long* toOffset, nint length, uint flags);
}
