using System.Runtime.InteropServices;

namespace Nacelle.Linux;

public static unsafe partial class Files
{
    /// <summary>What the kernel knows of a file; symlinks are not followed; an empty <paramref name="name"/> asks about the descriptor itself.</summary>
    /// <remarks>statx(2), Linux 4.11.</remarks>
    public static FileStatus Status(FileDescriptor at, string name = "") =>
        TryStatus(at, name, out var error) ?? throw new KernelException($"stat {Join(at, name)}", error);

    /// <summary>As <see cref="Status"/>; null with the reason where there is no such file.</summary>
    public static FileStatus? TryStatus(FileDescriptor at, string name, out Errno error)
    {
        byte* buffer = stackalloc byte[256];
        // SAFETY: struct statx is 256 bytes on every architecture; the fields read below lie within it.
        int result = statx(at, name, AT_SYMLINK_NOFOLLOW | (name.Length == 0 ? AT_EMPTY_PATH : 0), STATX_BASIC_STATS | STATX_MNT_ID, buffer);
        error = result < 0 ? Call.LastError : Errno.None;
        if (result < 0)
        {
            return null;
        }

        return new FileStatus
        {
            Links = *(uint*)(buffer + 16),
            Owner = *(uint*)(buffer + 20),
            Group = *(uint*)(buffer + 24),
            Mode = *(ushort*)(buffer + 28),
            Inode = *(ulong*)(buffer + 32),
            Size = *(long*)(buffer + 40),
            Blocks = *(long*)(buffer + 48),
            AccessTime = Timestamp(buffer + 64),
            ChangeTime = Timestamp(buffer + 96),
            ModificationTime = Timestamp(buffer + 112),
            DeviceNumber = new DeviceNumber(*(uint*)(buffer + 128), *(uint*)(buffer + 132)),
            FileSystem = new DeviceNumber(*(uint*)(buffer + 136), *(uint*)(buffer + 140)),
            MountId = *(ulong*)(buffer + 144),
        };

        static Timestamp Timestamp(byte* at) => new(*(long*)at, *(uint*)(at + 8));
    }

    public static bool Exists(FileDescriptor at, string name) => TryStatus(at, name, out _) is not null;

    /// <summary>Sets owner and group; a symlink is not followed; an empty name acts on the descriptor. See fchownat(2).</summary>
    public static void SetOwner(FileDescriptor at, string name, uint owner, uint group) =>
        Call.Check(fchownat(at, name, owner, group, AT_SYMLINK_NOFOLLOW | (name.Length == 0 ? AT_EMPTY_PATH : 0)), "chown", Join(at, name));

    /// <summary>Sets the permission bits; not for symlinks, which have none: a name that is one would be followed. See fchmodat(2).</summary>
    public static void SetMode(FileDescriptor at, string name, uint mode) => Call.Check(fchmodat(at, name, mode, 0), "chmod", Join(at, name));

    /// <summary>Sets the permission bits of an open file. See fchmod(2).</summary>
    public static void SetMode(FileDescriptor file, uint mode) => Call.Check(fchmod(file, mode), "chmod", file.Description);

    /// <summary>Sets access and modification time; a symlink is not followed; an empty name acts on the descriptor. See utimensat(2).</summary>
    public static void SetTimes(FileDescriptor at, string name, Timestamp access, Timestamp modification)
    {
        Timestamp* times = stackalloc Timestamp[2] { access, modification };
        // SAFETY: Timestamp has the layout of struct timespec, and utimensat reads two of them.
        Call.Check(
            utimensat(at, name, times, AT_SYMLINK_NOFOLLOW | (name.Length == 0 ? AT_EMPTY_PATH : 0)), "set times of", Join(at, name));
    }

    const int AT_SYMLINK_NOFOLLOW = 0x100, AT_EMPTY_PATH = 0x1000;
    const uint STATX_BASIC_STATS = 0x7ff, STATX_MNT_ID = 0x1000;

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int statx(FileDescriptor at, string path, int flags, uint mask, byte* buffer);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int fchownat(FileDescriptor at, string path, uint owner, uint group, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int fchmodat(FileDescriptor at, string path, uint mode, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchmod(FileDescriptor file, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int utimensat(FileDescriptor at, string path, Timestamp* times, int flags);
}
