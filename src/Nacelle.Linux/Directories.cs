using System.Runtime.InteropServices;
using System.Text;

namespace Nacelle.Linux;

/// <summary>A name in a directory, with the file's kind where the file system tells it for free (0 where it does not).</summary>
public readonly record struct DirectoryEntry(string Name, FileKind Kind);

/// <summary>Reading and removing directories by descriptor.</summary>
public static unsafe partial class Directories
{
    /// <summary>All entries but "." and "..", in the file system's order.</summary>
    public static List<DirectoryEntry> List(FileDescriptor at, string name = ".")
    {
        using var directory = Files.Open(at, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow);
        return Read(directory);
    }

    /// <summary>As <see cref="List"/>, and empty where there is no such directory.</summary>
    public static List<DirectoryEntry> ListOrEmpty(FileDescriptor at, string name)
    {
        using var directory = Files.TryOpen(at, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, out var error);
        return directory is not null ? Read(directory) : error == Errno.ENOENT ? [] : throw new KernelException($"open {at}/{name}", error);
    }

    /// <summary>Removes a file, or a directory with all in it, never following a symlink and never leaving the file system it starts on.</summary>
    /// <returns>Whether there was anything to remove.</returns>
    /// <exception cref="KernelException">EBUSY: something is mounted inside; EACCES, EPERM: not allowed.</exception>
    public static bool RemoveTree(FileDescriptor at, string name)
    {
        switch (Files.TryUnlink(at, name))
        {
            case Errno.None: return true;
            case Errno.ENOENT: return false;
            case Errno.EISDIR or Errno.EPERM: break;
            case var error: throw new KernelException($"remove {at}/{name}", error);
        }

        var directory = Files.TryOpen(
            at, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, out var openError, resolve: ResolveFlags.NoCrossMount);
        if (directory is null)
        {
            return openError == Errno.ENOENT ? false
                : throw new KernelException($"remove {at}/{name}", openError == Errno.EXDEV ? Errno.EBUSY : openError);
        }

        using (directory)
        {
            // A directory that is written to while it is emptied is read again until it stays empty; the rounds are bounded.
            for (int round = 0; ; round++)
            {
                foreach (var entry in Read(directory))
                {
                    RemoveTree(directory, entry.Name);
                }

                switch (Files.TryUnlink(at, name, directory: true))
                {
                    case Errno.None: return true;
                    case Errno.ENOENT: return false;
                    case Errno.ENOTEMPTY when round < 100: Files.Seek(directory, 0, SeekOrigin.Begin); break;
                    case var error: throw new KernelException($"remove {at}/{name}", error);
                }
            }
        }
    }

    static List<DirectoryEntry> Read(FileDescriptor directory)
    {
        const int HeaderSize = 19; // d_ino 8, d_off 8, d_reclen 2, d_type 1; see getdents64(2)
        var entries = new List<DirectoryEntry>();
        byte* buffer = stackalloc byte[16384];
        while (true)
        {
            // SAFETY: getdents64 fills whole records and returns their length; each record names its own length.
            nint length = Call.Check(getdents64(directory, buffer, 16384), "read directory", directory.Description);
            if (length == 0)
            {
                return entries;
            }

            for (nint at = 0; at < length; at += *(ushort*)(buffer + at + 16))
            {
                var name = KernelString.Decode(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(buffer + at + HeaderSize));
                if (name is not ("." or ".."))
                {
                    entries.Add(new DirectoryEntry(name, (FileKind)((uint)buffer[at + 18] << 12)));
                }
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint getdents64(FileDescriptor directory, byte* buffer, nint size);
}
