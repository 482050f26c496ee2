using System.Buffers.Binary;
using System.Text;

namespace Nacelle.Images;

/// <summary>Extended attributes as they lie behind an inode: a header of 12 bytes, and one entry after the other, each beginning at a multiple of four.</summary>
/// <remarks>Documentation/filesystems/erofs.rst, "Extended attributes". Names are stored without their first part, which has a number.</remarks>
static class ErofsAttributes
{
    const int HeaderSize = 12, EntrySize = 4, LongestValue = ushort.MaxValue;

    static readonly (string Prefix, byte Number)[] Prefixes =
        [("user.", 1), ("system.posix_acl_access", 2), ("system.posix_acl_default", 3), ("trusted.", 4), ("security.", 6)];

    /// <summary>Whether an attribute can be stored. What cannot is a file system's own.</summary>
    public static bool CanHold(string name, int length) => length <= LongestValue && Find(name) is not null;

    /// <returns>A multiple of four; 0 where there are none.</returns>
    public static int LengthOf(List<TarAttribute> attributes)
    {
        int length = attributes.Count > 0 ? HeaderSize : 0;
        foreach (var attribute in attributes)
        {
            length += LengthOf(attribute);
        }

        return length;
    }

    /// <summary>What an inode says of the length.</summary>
    public static ushort CountOf(int length) => length == 0 ? (ushort)0 : checked((ushort)((length - HeaderSize) / 4 + 1));

    /// <param name="encoded">Of the length of <see cref="LengthOf(List{TarAttribute})"/>, zeroed.</param>
    public static void Encode(List<TarAttribute> attributes, Span<byte> encoded)
    {
        int at = HeaderSize;
        foreach (var attribute in attributes.OrderBy(one => one.Name, StringComparer.Ordinal))
        {
            var (prefix, number) = Find(attribute.Name)!.Value;
            var entry = encoded[at..];
            int length = Encoding.UTF8.GetBytes(attribute.Name.AsSpan(prefix.Length), entry[EntrySize..]);
            entry[0] = (byte)length;
            entry[1] = number;
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], (ushort)attribute.Value.Length);
            attribute.Value.CopyTo(entry[(EntrySize + length)..]);
            at += LengthOf(attribute);
        }
    }

    static int LengthOf(TarAttribute attribute) =>
        (EntrySize + Encoding.UTF8.GetByteCount(attribute.Name) - Find(attribute.Name)!.Value.Prefix.Length + attribute.Value.Length + 3) & ~3;

    static (string Prefix, byte Number)? Find(string name)
    {
        foreach (var prefix in Prefixes)
        {
            if (name.StartsWith(prefix.Prefix, StringComparison.Ordinal))
            {
                return prefix;
            }
        }

        return null;
    }
}
