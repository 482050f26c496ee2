using System.Runtime.InteropServices;
using System.Text;

namespace Nacelle.Linux;

/// <summary>Extended attributes: small binary values beside a file, file capabilities among them. See xattr(7).</summary>
/// <remarks>The file is given as a directory and a name, and the name is not followed when it is a symlink; needs /proc.</remarks>
public static unsafe partial class ExtendedAttributes
{
    /// <exception cref="KernelException">EOPNOTSUPP: the file system has none of that kind; EPERM: not allowed for this kind of file or caller.</exception>
    public static void Set(FileDescriptor directory, string name, string attribute, ReadOnlySpan<byte> value)
    {
        // SAFETY: the span is pinned for the call, and its length is passed beside it.
        fixed (byte* start = value)
        {
            Call.Check(lsetxattr(PathOf(directory, name), attribute, start, value.Length, 0), $"set {attribute} on", $"{directory}/{name}");
        }
    }

    /// <summary>The value, or null where the file has no such attribute.</summary>
    public static byte[]? Get(FileDescriptor directory, string name, string attribute)
    {
        var value = new byte[256];
        while (true)
        {
            nint length;
            // SAFETY: the array is pinned for the call, and its length is passed beside it.
            fixed (byte* start = value)
            {
                length = lgetxattr(PathOf(directory, name), attribute, start, value.Length);
            }

            switch (length < 0 ? Call.LastError : Errno.None)
            {
                case Errno.None:
                    return value[..(int)length];
                case Errno.ENODATA or Errno.EOPNOTSUPP:
                    return null;
                case Errno.ERANGE:
                    value = new byte[65536];
                    break;
                default:
                    Call.Throw($"get {attribute} of", $"{directory}/{name}");
                    break;
            }
        }
    }

    /// <summary>The names of all attributes that the caller may see.</summary>
    public static string[] List(FileDescriptor directory, string name)
    {
        var names = new byte[65536];
        nint length;
        // SAFETY: the array is pinned for the call, and its length is passed beside it.
        fixed (byte* start = names)
        {
            length = llistxattr(PathOf(directory, name), start, names.Length);
        }

        if (length < 0)
        {
            return Call.LastError == Errno.EOPNOTSUPP ? [] : throw new KernelException($"list attributes of {directory}/{name}", Call.LastError);
        }

        return Encoding.UTF8.GetString(names, 0, (int)length).Split('\0', StringSplitOptions.RemoveEmptyEntries);
    }

    static string PathOf(FileDescriptor directory, string name) => name.Length == 0 ? directory.ProcPath : $"{directory.ProcPath}/{name}";

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial int lsetxattr(string path, string name, byte* value, nint size, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial nint lgetxattr(string path, string name, byte* value, nint size);

    [LibraryImport("libc", SetLastError = true, StringMarshallingCustomType = typeof(KernelStringMarshaller))]
    private static partial nint llistxattr(string path, byte* list, nint size);
}
