using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Files by descriptor: opening, reading, writing, naming and removing them without walking a path twice.</summary>
public static unsafe partial class Files
{
    /// <summary>Opens <paramref name="path"/> below the directory <paramref name="at"/>; the caller owns the descriptor.</summary>
    /// <remarks>openat2(2), Linux 5.6. For paths that an image or a container can influence pass <see cref="ResolveFlags.InRoot"/>.</remarks>
    /// <exception cref="KernelException">As openat2(2); EXDEV: the path leads out under <see cref="ResolveFlags.Beneath"/>; EAGAIN is retried.</exception>
    public static FileDescriptor Open(FileDescriptor at, string path, OpenFlags flags, uint mode = 0, ResolveFlags resolve = ResolveFlags.None) =>
        TryOpen(at, path, flags, out var error, mode, resolve) ?? throw new KernelException($"open {Join(at, path)}", error);

    /// <summary>Opens a path from the working directory or the root; for paths that only the administrator chooses.</summary>
    public static FileDescriptor Open(string path, OpenFlags flags, uint mode = 0) => Open(FileDescriptor.WorkingDirectory, path, flags, mode);

    /// <summary>As <see cref="Open(FileDescriptor, string, OpenFlags, uint, ResolveFlags)"/>, with the expected failures as a value.</summary>
    /// <returns>The descriptor, or null with the reason in <paramref name="error"/>.</returns>
    public static FileDescriptor? TryOpen(
        FileDescriptor at, string path, OpenFlags flags, out Errno error, uint mode = 0, ResolveFlags resolve = ResolveFlags.None)
    {
        var how = new OpenHow
        {
            Flags = (ulong)(flags | OpenFlags.CloseOnExec),
            Mode = (flags & (OpenFlags.Create | (OpenFlags.Unnamed & ~OpenFlags.Directory))) != 0 ? mode : 0,
            Resolve = (ulong)resolve,
        };
        while (true)
        {
            // SAFETY: how lives on this stack frame for the whole call, and its size is passed beside it.
            nint number = openat2(SystemCall.openat2, at, path, &how, sizeof(OpenHow));
            error = number < 0 ? Call.LastError : Errno.None;
            if (number >= 0)
            {
                return new FileDescriptor((int)number, Join(at, path));
            }

            // EAGAIN: a rename elsewhere raced with a ".." under RESOLVE_IN_ROOT or RESOLVE_BENEATH; openat2(2) says to try again.
            if (error is not (Errno.EINTR or Errno.EAGAIN) || (error == Errno.EAGAIN && (resolve & (ResolveFlags.InRoot | ResolveFlags.Beneath)) == 0))
            {
                return null;
            }
        }
    }

    /// <summary>Opens once more what an O_PATH descriptor names, now for reading or writing.</summary>
    public static FileDescriptor Reopen(FileDescriptor file, OpenFlags flags)
    {
        var reopened = Open(FileDescriptor.WorkingDirectory, file.ProcPath, flags);
        return new FileDescriptor(reopened.Release(), file.Description);
    }

    /// <summary>An anonymous file in memory, close-on-exec, growing as it is written. See memfd_create(2).</summary>
    public static FileDescriptor CreateInMemory(string name)
    {
        const uint MFD_CLOEXEC = 1;
        return new(Call.Check(memfd_create(name, MFD_CLOEXEC), "memfd_create", name), name);
    }

    /// <summary>Both ends of a pipe, close-on-exec. See pipe2(2).</summary>
    public static (FileDescriptor Read, FileDescriptor Write) CreatePipe(string description, OpenFlags flags = 0)
    {
        int* ends = stackalloc int[2];
        // SAFETY: pipe2 writes two ints, which is what was allocated.
        Call.Check(pipe2(ends, (int)(flags | OpenFlags.CloseOnExec)), "pipe", description);
        return (new FileDescriptor(ends[0], description), new FileDescriptor(ends[1], description));
    }

    static string Join(FileDescriptor at, string path) =>
        path.Length == 0 ? at.Description
        : path[0] == '/' && at.Number == -100 ? path
        : at.Number == -100 ? path
        : $"{at.Description.TrimEnd('/')}/{path.TrimStart('/')}";

    struct OpenHow
    {
        public ulong Flags, Mode, Resolve;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial nint openat2(nint number, FileDescriptor at, string path, OpenHow* how, nint size);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);
}
