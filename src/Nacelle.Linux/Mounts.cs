using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Nacelle.Linux;

/// <summary>Mounting by descriptor, for the process itself; what a container's child mounts is a launch plan's matter.</summary>
/// <remarks>The mount API of Linux 5.2 (fsopen, open_tree, move_mount) and 5.12 (mount_setattr).</remarks>
public static unsafe partial class Mounts
{
    public const int AT_EMPTY_PATH = 0x1000, AT_RECURSIVE = 0x8000, AT_SYMLINK_NOFOLLOW = 0x100;
    public const int OPEN_TREE_CLONE = 1, OPEN_TREE_CLOEXEC = 0x80000;
    public const int MOVE_MOUNT_F_EMPTY_PATH = 4, MOVE_MOUNT_T_EMPTY_PATH = 0x40;
    public const int FSOPEN_CLOEXEC = 1, FSMOUNT_CLOEXEC = 1;
    public const int FSCONFIG_SET_FLAG = 0, FSCONFIG_SET_STRING = 1, FSCONFIG_CMD_CREATE = 6;
    public const int MNT_DETACH = 2, UMOUNT_NOFOLLOW = 8;

    /// <summary>Gives this process, or rather its calling thread, a mount namespace of its own that follows the host's but changes nothing there.</summary>
    /// <remarks>The caller is the process's main thread and execs later: other threads stay in the old namespace.</remarks>
    public static void EnterPrivateNamespace()
    {
        Call.Check(unshare((int)Namespaces.Mount), "unshare", "the mount namespace");
        Call.Check(mount(null, "/", null, (uint)(MountFlags.Slave | MountFlags.Recursive), null), "make mounts slaves on", "/");
    }

    /// <summary>Takes this process, or rather its calling thread, into another's mount namespace. See setns(2).</summary>
    /// <param name="process">As <see cref="Processes.TryOpen"/> gives it. Namespaces by descriptor of a process: Linux 5.8.</param>
    /// <remarks>The thread gets a root and a working directory of its own first, which the kernel wants; they become the namespace's root.</remarks>
    public static void JoinNamespace(FileDescriptor process)
    {
        const int CLONE_FS = 0x200;
        Call.Check(unshare(CLONE_FS), "unshare", "the working directory");
        Call.Check(setns(process, (int)Namespaces.Mount), "join the mount namespace of", process.Description);
    }

    /// <summary>Mounts a file system in the classic way, for options that the new API passes no better. See mount(2).</summary>
    /// <param name="target">The directory; named by descriptor, so that no path is walked again.</param>
    public static void Mount(string type, string source, FileDescriptor target, MountFlags flags, string options) =>
        Call.Check(mount(source, target.ProcPath, type, (uint)flags, options), $"mount {type} on", target.Description);

    /// <summary>Makes a new file system that is attached nowhere yet; closing it undoes it. See fsopen(2), fsmount(2).</summary>
    /// <param name="options">Each "name" or "name=value".</param>
    public static FileDescriptor NewFileSystem(string type, IEnumerable<string> options, MountAttributes attributes)
    {
        using var context = new FileDescriptor((int)Call.Check(fsopen(SystemCall.fsopen, type, FSOPEN_CLOEXEC), "open file system", type), type);
        foreach (var option in options)
        {
            int equals = option.IndexOf('=');
            Call.Check(
                fsconfig(
                    SystemCall.fsconfig, context, equals < 0 ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING,
                    equals < 0 ? option : option[..equals], equals < 0 ? null : option[(equals + 1)..], 0),
                $"set option {option} of", type);
        }

        Call.Check(fsconfig(SystemCall.fsconfig, context, FSCONFIG_CMD_CREATE, null, null, 0), "mount", type);
        return new FileDescriptor((int)Call.Check(fsmount(SystemCall.fsmount, context, FSMOUNT_CLOEXEC, (nint)attributes), "mount", type), type);
    }

    /// <summary>Whether a kind of file system is there and takes an option ("name=value"); nothing is mounted.</summary>
    public static bool Takes(string type, string option)
    {
        nint number = fsopen(SystemCall.fsopen, type, FSOPEN_CLOEXEC);
        if (number < 0)
        {
            return false;
        }

        using var context = new FileDescriptor((int)number, type);
        int equals = option.IndexOf('=');
        return fsconfig(SystemCall.fsconfig, context, FSCONFIG_SET_STRING, option[..equals], option[(equals + 1)..], 0) == 0;
    }

    /// <summary>A copy of the mount at a path that is attached nowhere yet; closing it undoes it. See open_tree(2).</summary>
    /// <param name="recursive">Takes along what is mounted below.</param>
    public static FileDescriptor Clone(FileDescriptor at, string path, bool recursive)
    {
        int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0) | (path.Length == 0 ? AT_EMPTY_PATH : 0);
        var name = path.Length == 0 ? at.Description : path;
        return new FileDescriptor((int)Call.Check(open_tree(SystemCall.open_tree, at, path, flags), "clone mount", name), name);
    }

    /// <summary>Moves the mount <paramref name="mount"/> onto the directory or file that <paramref name="target"/> refers to.</summary>
    /// <remarks>Both are descriptors, so no path that a container controls is walked. See move_mount(2), Linux 5.2.</remarks>
    /// <exception cref="KernelException">EINVAL: the target's parent is a shared mount; ENOTDIR: one is a directory and the other is not.</exception>
    public static void Move(FileDescriptor mount, FileDescriptor target) =>
        Call.Check(
            move_mount(SystemCall.move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), "attach mount to", target.Description);

    /// <summary>Changes attributes of a mount. See mount_setattr(2), Linux 5.12.</summary>
    /// <param name="userNamespace">With <see cref="MountAttributes.IdMap"/>: whose map the owners of files are seen through.</param>
    public static void SetAttributes(
        FileDescriptor mount, MountAttributes set, MountAttributes clear = 0, bool recursive = false,
        MountPropagation propagation = 0, FileDescriptor? userNamespace = null)
    {
        byte* attributes = stackalloc byte[32];
        EncodeAttributes(new Span<byte>(attributes, 32), set, clear, propagation, userNamespace?.Number ?? 0);
        // SAFETY: 32 bytes are struct mount_attr, and their length is passed beside them.
        Call.Check(
            mount_setattr(SystemCall.mount_setattr, mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attributes, 32),
            "set mount attributes of", mount.Description);
        GC.KeepAlive(userNamespace);
    }

    /// <summary>Fills in a struct mount_attr (32 bytes).</summary>
    public static void EncodeAttributes(Span<byte> buffer, MountAttributes set, MountAttributes clear, MountPropagation propagation, int userNamespace = 0)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(buffer, (ulong)set);
        BinaryPrimitives.WriteUInt64LittleEndian(buffer[8..], (ulong)clear);
        BinaryPrimitives.WriteUInt64LittleEndian(buffer[16..], (ulong)propagation);
        BinaryPrimitives.WriteUInt64LittleEndian(buffer[24..], (ulong)userNamespace);
    }

    /// <summary>Takes a mount away at once from sight; it ends when nobody uses it any more. See umount2(2).</summary>
    /// <returns>False when nothing is mounted there.</returns>
    public static bool TryDetach(string path) =>
        umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || (Call.LastError is Errno.EINVAL or Errno.ENOENT
            ? false
            : throw new KernelException($"unmount {path}", Call.LastError));

    /// <summary>Takes away the topmost of the mounts on an open directory, or upon those. See umount2(2).</summary>
    public static void Detach(FileDescriptor directory) => Call.Check(umount2(directory.ProcPath, MNT_DETACH), "unmount", directory.Description);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(FileDescriptor descriptor, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int mount(string? source, string target, string? type, nuint flags, string? data);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int umount2(string target, int flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial nint fsopen(nint number, string type, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial nint fsconfig(nint number, FileDescriptor context, nint command, string? key, string? value, nint auxiliary);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint fsmount(nint number, FileDescriptor context, nint flags, nint attributes);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial nint open_tree(nint number, FileDescriptor at, string path, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial nint move_mount(nint number, FileDescriptor from, string fromPath, FileDescriptor to, string toPath, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial nint mount_setattr(nint number, FileDescriptor at, string path, nint flags, byte* attributes, nint size);
}
