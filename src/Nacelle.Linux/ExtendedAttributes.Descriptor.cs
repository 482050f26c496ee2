using System.Runtime.InteropServices;
using System.Text;

namespace Nacelle.Linux;

/// <summary>The same by open descriptor: no /proc, no name walked. An O_PATH descriptor will not do. See fsetxattr(2).</summary>
public static unsafe partial class ExtendedAttributes
{
    /// <exception cref="KernelException">EOPNOTSUPP: the file system has none of that kind; EPERM: not allowed for this kind of file or caller.</exception>
    public static void Set(FileDescriptor file, string attribute, ReadOnlySpan<byte> value)
    {
        // SAFETY: the span is pinned for the call, and its length is passed beside it.
        fixed (byte* start = value)
        {
            Call.Check(fsetxattr(file, attribute, start, value.Length, 0), $"set {attribute} on", file.Description);
        }
    }

    /// <summary>The value, or null where the file has no such attribute.</summary>
    public static byte[]? Get(FileDescriptor file, string attribute)
    {
        Span<byte> room = stackalloc byte[256];
        while (true)
        {
            nint length;
            // SAFETY: the span is pinned for the call, and its length is passed beside it.
            fixed (byte* start = room)
            {
                length = fgetxattr(file, attribute, start, room.Length);
            }

            switch (length < 0 ? Call.LastError : Errno.None)
            {
                case Errno.None:
                    return room[..(int)length].ToArray();
                case Errno.ENODATA or Errno.EOPNOTSUPP:
                    return null;
                case Errno.ERANGE when room.Length < MaximalSize:
                    room = new byte[MaximalSize];
                    break;
                default:
                    Call.Throw($"get {attribute} of", file.Description);
                    break;
            }
        }
    }

    /// <summary>The names of all attributes that the caller may see.</summary>
    public static string[] List(FileDescriptor file)
    {
        Span<byte> room = stackalloc byte[1024];
        while (true)
        {
            nint length;
            // SAFETY: the span is pinned for the call, and its length is passed beside it.
            fixed (byte* start = room)
            {
                length = flistxattr(file, start, room.Length);
            }

            switch (length < 0 ? Call.LastError : Errno.None)
            {
                case Errno.None:
                    return length == 0 ? [] : Encoding.UTF8.GetString(room[..(int)length]).Split('\0', StringSplitOptions.RemoveEmptyEntries);
                case Errno.EOPNOTSUPP:
                    return [];
                case Errno.ERANGE when room.Length < MaximalSize:
                    room = new byte[MaximalSize];
                    break;
                default:
                    Call.Throw("list attributes of", file.Description);
                    break;
            }
        }
    }

    /// <exception cref="KernelException">ENODATA: the file has no such attribute.</exception>
    public static void Remove(FileDescriptor file, string attribute) =>
        Call.Check(fremovexattr(file, attribute), $"remove {attribute} of", file.Description);

    /// <summary>No value and no list of names is longer: XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h.</summary>
    const int MaximalSize = 65536;

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int fsetxattr(FileDescriptor file, string name, byte* value, nint size, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial nint fgetxattr(FileDescriptor file, string name, byte* value, nint size);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int fremovexattr(FileDescriptor file, string name);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint flistxattr(FileDescriptor file, byte* list, nint size);
}
