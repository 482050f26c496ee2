using System.Runtime.InteropServices;
using System.Text;

namespace Nacelle.Linux;

public static unsafe partial class Files
{
    /// <summary>Reads up to the buffer's length at the file's position; 0 at the end.</summary>
    public static int Read(FileDescriptor file, Span<byte> buffer)
    {
        // SAFETY: the span is pinned for the call, and its length is passed beside it.
        fixed (byte* start = buffer)
        {
            while (true)
            {
                nint count = read(file, start, buffer.Length);
                if (count >= 0)
                {
                    return (int)count;
                }

                if (Call.LastError != Errno.EINTR)
                {
                    Call.Throw("read", file.Description);
                }
            }
        }
    }

    /// <summary>As <see cref="Read"/> on a descriptor that does not block: -1 when there is nothing to read now.</summary>
    public static int TryRead(FileDescriptor file, Span<byte> buffer)
    {
        // SAFETY: the span is pinned for the call, and its length is passed beside it.
        fixed (byte* start = buffer)
        {
            nint count = read(file, start, buffer.Length);
            return count >= 0 ? (int)count
                : Call.LastError is Errno.EAGAIN or Errno.EINTR ? -1
                : throw new KernelException($"read {file.Description}", Call.LastError);
        }
    }

    /// <summary>Writes the whole buffer at the file's position.</summary>
    public static void Write(FileDescriptor file, ReadOnlySpan<byte> buffer)
    {
        // SAFETY: the span is pinned for the loop, and start + done stays within it.
        fixed (byte* start = buffer)
        {
            for (int done = 0; done < buffer.Length;)
            {
                nint count = write(file, start + done, buffer.Length - done);
                if (count >= 0)
                {
                    done += (int)count;
                }
                else if (Call.LastError != Errno.EINTR)
                {
                    Call.Throw("write", file.Description);
                }
            }
        }
    }

    /// <summary>Writes to a descriptor that does not block what it takes now.</summary>
    /// <returns>How much that was; -1 when nothing.</returns>
    public static int TryWrite(FileDescriptor file, ReadOnlySpan<byte> buffer)
    {
        // SAFETY: the span is pinned for the call, and its length is passed beside it.
        fixed (byte* start = buffer)
        {
            nint count = write(file, start, buffer.Length);
            return count >= 0 ? (int)count
                : Call.LastError is Errno.EAGAIN or Errno.EINTR ? -1
                : throw new KernelException($"write {file.Description}", Call.LastError);
        }
    }

    /// <summary>Reads from the file's position to its end.</summary>
    public static byte[] ReadToEnd(FileDescriptor file)
    {
        var buffer = new byte[4096];
        int length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 4);
            }

            int count = Read(file, buffer.AsSpan(length));
            if (count == 0)
            {
                return buffer.AsSpan(0, length).ToArray();
            }

            length += count;
        }
    }

    public static byte[] ReadAll(FileDescriptor at, string path, ResolveFlags resolve = ResolveFlags.None)
    {
        using var file = Open(at, path, OpenFlags.ReadOnly, resolve: resolve);
        return ReadToEnd(file);
    }

    /// <summary>The file's text, or null when there is none of that name.</summary>
    public static string? TryReadText(FileDescriptor at, string path, ResolveFlags resolve = ResolveFlags.None)
    {
        using var file = TryOpen(at, path, OpenFlags.ReadOnly, out var error, resolve: resolve);
        return file is not null ? Encoding.UTF8.GetString(ReadToEnd(file))
            : error is Errno.ENOENT or Errno.ENOTDIR ? null
            : throw new KernelException($"open {Join(at, path)}", error);
    }

    /// <summary>Creates or overwrites a small file. Not atomic: see <see cref="Replace"/>.</summary>
    public static void WriteAll(FileDescriptor at, string path, ReadOnlySpan<byte> content, uint mode = 0x1A4)
    {
        using var file = Open(at, path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate, mode);
        Write(file, content);
    }

    public static void WriteAll(FileDescriptor at, string path, string content, uint mode = 0x1A4) =>
        WriteAll(at, path, Encoding.UTF8.GetBytes(content), mode);

    /// <summary>Writes into an existing file, as the files of /proc and cgroups want it: one write, nothing created.</summary>
    public static void WriteExisting(FileDescriptor at, string path, string content)
    {
        using var file = Open(at, path, OpenFlags.WriteOnly);
        Write(file, Encoding.UTF8.GetBytes(content));
    }

    /// <summary>Puts a whole file in the place of another in one step: a reader sees the old content or the new, also after a crash of the machine.</summary>
    public static void Replace(FileDescriptor directory, string name, ReadOnlySpan<byte> content, uint mode = 0x1A4)
    {
        string temporary = $".{name}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}";
        try
        {
            using (var file = Open(directory, temporary, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate, mode))
            {
                Write(file, content);
                Synchronize(file);
            }

            Rename(directory, temporary, directory, name);
        }
        catch
        {
            TryUnlink(directory, temporary);
            throw;
        }
    }

    /// <summary>Waits until the file's content is on the disk. See fdatasync(2).</summary>
    public static void Synchronize(FileDescriptor file) => Call.Check(fdatasync(file), "fdatasync", file.Description);

    /// <summary>Moves the file's position and returns it. See lseek(2).</summary>
    public static long Seek(FileDescriptor file, long offset, SeekOrigin origin) =>
        Call.Check((nint)lseek(file, offset, (int)origin), "lseek", file.Description);

    /// <summary>Sets the file's length; what is added reads as zeros and takes no room. See ftruncate(2).</summary>
    public static void SetLength(FileDescriptor file, long length) => Call.Check(ftruncate(file, length), "ftruncate", file.Description);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(FileDescriptor descriptor, byte* buffer, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(FileDescriptor descriptor, byte* buffer, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(FileDescriptor descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(FileDescriptor descriptor, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(FileDescriptor descriptor, long length);
}
