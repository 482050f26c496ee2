using System.Runtime.InteropServices;
using System.Text;

namespace Nacelle.Linux;

public static unsafe partial class Files
{
    /// <summary>Makes a directory; the umask applies. See mkdirat(2).</summary>
    public static void MakeDirectory(FileDescriptor at, string name, uint mode = 0x1ED) =>
        Call.Check(mkdirat(at, name, mode), "create directory", Join(at, name));

    /// <summary>Makes a directory unless there is one.</summary>
    /// <returns>Whether it was made now.</returns>
    public static bool EnsureDirectory(FileDescriptor at, string name, uint mode = 0x1ED)
    {
        if (mkdirat(at, name, mode) == 0)
        {
            return true;
        }

        return Call.LastError == Errno.EEXIST ? false : throw new KernelException($"create directory {Join(at, name)}", Call.LastError);
    }

    /// <summary>Makes a directory with all its parents and opens it; for paths that only the administrator chooses.</summary>
    public static FileDescriptor EnsureDirectories(string path, uint mode = 0x1ED)
    {
        var opened = TryOpen(FileDescriptor.WorkingDirectory, path, OpenFlags.Path | OpenFlags.Directory, out var error);
        if (opened is not null)
        {
            return opened;
        }

        if (error != Errno.ENOENT)
        {
            throw new KernelException($"open {path}", error);
        }

        for (int slash = path.IndexOf('/', 1); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            EnsureDirectory(FileDescriptor.WorkingDirectory, path[..slash], mode);
        }

        EnsureDirectory(FileDescriptor.WorkingDirectory, path, mode);
        return Open(path, OpenFlags.Path | OpenFlags.Directory);
    }

    /// <summary>Makes a device node, pipe or socket; <paramref name="mode"/> carries the type. See mknodat(2).</summary>
    public static void MakeNode(FileDescriptor at, string name, uint mode, ulong device) =>
        Call.Check(mknodat(at, name, mode, device), "create node", Join(at, name));

    public static void MakeSymlink(string target, FileDescriptor at, string name) =>
        Call.Check(symlinkat(target, at, name), "create symlink", Join(at, name));

    /// <summary>Gives the file a further name; a symlink is not followed. See linkat(2).</summary>
    public static void Link(FileDescriptor from, string oldName, FileDescriptor to, string newName) =>
        Call.Check(linkat(from, oldName, to, newName, 0), "link", $"{Join(from, oldName)} to {Join(to, newName)}");

    /// <summary>Gives a name to a file that has none (O_TMPFILE) or is only known by descriptor. Needs /proc.</summary>
    /// <exception cref="KernelException">EEXIST: the name is taken.</exception>
    public static void LinkDescriptor(FileDescriptor file, FileDescriptor to, string newName) =>
        Call.Check(linkat(FileDescriptor.WorkingDirectory, file.ProcPath, to, newName, AT_SYMLINK_FOLLOW), "link", Join(to, newName));

    /// <summary>Renames in one step; an existing target is replaced unless the flags forbid it. See renameat2(2).</summary>
    public static void Rename(FileDescriptor from, string oldName, FileDescriptor to, string newName, RenameFlags flags = 0) =>
        Call.Check(renameat2(from, oldName, to, newName, (uint)flags), "rename", $"{Join(from, oldName)} to {Join(to, newName)}");

    /// <summary>As <see cref="Rename"/>, with the failure as a value: who loses a race learns so by ENOENT.</summary>
    public static Errno TryRename(FileDescriptor from, string oldName, FileDescriptor to, string newName, RenameFlags flags = 0) =>
        renameat2(from, oldName, to, newName, (uint)flags) == 0 ? Errno.None : Call.LastError;

    /// <summary>Removes a name; an empty directory with <paramref name="directory"/>. See unlinkat(2).</summary>
    public static void Unlink(FileDescriptor at, string name, bool directory = false) =>
        Call.Check(unlinkat(at, name, directory ? AT_REMOVEDIR : 0), "remove", Join(at, name));

    public static Errno TryUnlink(FileDescriptor at, string name, bool directory = false) =>
        unlinkat(at, name, directory ? AT_REMOVEDIR : 0) == 0 ? Errno.None : Call.LastError;

    /// <summary>Where a symlink points; an empty <paramref name="name"/> reads the link that an O_PATH descriptor holds. See readlinkat(2).</summary>
    public static string ReadLink(FileDescriptor at, string name)
    {
        byte* buffer = stackalloc byte[4096];
        // SAFETY: readlinkat writes at most the length it is given.
        nint length = Call.Check(readlinkat(at, name, buffer, 4096), "readlink", Join(at, name));
        return KernelString.Decode(new ReadOnlySpan<byte>(buffer, (int)length));
    }

    const int AT_REMOVEDIR = 0x200, AT_SYMLINK_FOLLOW = 0x400;

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int mkdirat(FileDescriptor at, string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int mknodat(FileDescriptor at, string path, uint mode, ulong device);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int symlinkat(string target, FileDescriptor at, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int linkat(FileDescriptor from, string oldPath, FileDescriptor to, string newPath, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int renameat2(FileDescriptor from, string oldPath, FileDescriptor to, string newPath, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int unlinkat(FileDescriptor at, string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial nint readlinkat(FileDescriptor at, string path, byte* buffer, nint length);
}

/// <summary>See renameat2(2).</summary>
[Flags]
public enum RenameFlags : uint
{
    None = 0,
    NoReplace = 1,
    Exchange = 2,
}
