using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nacelle.Linux;

/// <summary>An open file descriptor, closed when disposed, that knows what it was opened on so that errors can say so.</summary>
/// <remarks>Every descriptor is opened close-on-exec; a launch plan names the few that a new program keeps.</remarks>
public sealed partial class FileDescriptor : SafeHandleMinusOneIsInvalid
{
    /// <summary>Stands for AT_FDCWD: paths given beside it start at the working directory.</summary>
    public static readonly FileDescriptor WorkingDirectory = new(-100, ".", owned: false);

    public static readonly FileDescriptor StandardInput = new(0, "standard input", owned: false);
    public static readonly FileDescriptor StandardOutput = new(1, "standard output", owned: false);
    public static readonly FileDescriptor StandardError = new(2, "standard error", owned: false);

    /// <summary>Wraps a number; with <paramref name="owned"/> the descriptor is closed with this object.</summary>
    public FileDescriptor(int number, string description, bool owned = true)
        : base(owned)
    {
        SetHandle(number);
        Description = description;
    }

    public int Number => (int)handle;

    /// <summary>The path or role it was opened as, for messages only.</summary>
    public string Description { get; }

    /// <summary>A path that leads to this very file in this process, whatever was renamed since: for calls that take no descriptor.</summary>
    /// <remarks>Needs /proc mounted. See proc_pid_fd(5).</remarks>
    public string ProcPath => Number == -100 ? "." : $"/proc/self/fd/{Number}";

    /// <summary>A second descriptor for the same open file, close-on-exec.</summary>
    public FileDescriptor Duplicate() => new(Call.Check(fcntl(this, F_DUPFD_CLOEXEC, 3), "duplicate", Description), Description);

    /// <summary>Whether the descriptor survives an exec.</summary>
    /// <exception cref="KernelException">EBADF: not open.</exception>
    public bool Inherited
    {
        get => (Call.Check(fcntl(this, F_GETFD, 0), "fcntl", Description) & 1) == 0;
        set => Call.Check(fcntl(this, F_SETFD, value ? 0 : 1), "fcntl", Description);
    }

    /// <summary>Makes reads and writes return EAGAIN instead of waiting, for everybody who shares this open file. See fcntl(2), O_NONBLOCK.</summary>
    public void SetNonBlocking()
    {
        int flags = Call.Check(fcntl(this, F_GETFL, 0), "fcntl", Description);
        Call.Check(fcntl(this, F_SETFL, flags | (int)OpenFlags.NonBlocking), "fcntl", Description);
    }

    /// <summary>Gives the number away: it stays open, and who has it closes it.</summary>
    public int Release()
    {
        int number = Number;
        SetHandleAsInvalid();
        return number;
    }

    public override string ToString() => Description;

    protected override bool ReleaseHandle() => close((int)handle) == 0;

    const int F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_DUPFD_CLOEXEC = 1030;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(FileDescriptor descriptor, int command, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
