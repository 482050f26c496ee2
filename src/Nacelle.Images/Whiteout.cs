namespace Nacelle.Images;

/// <summary>What a name says about lower layers.</summary>
enum WhiteoutKind
{
    /// <summary>A name like any other.</summary>
    None,

    /// <summary><c>.wh.NAME</c>: lower layers' NAME is gone.</summary>
    Name,

    /// <summary><c>.wh..wh..opq</c>: whatever lower layers have in this directory is gone.</summary>
    Opaque,

    /// <summary><c>.wh..wh.*</c>: aufs kept its own files under such names; they mean nothing elsewhere.</summary>
    Metadata,

    /// <summary>Hides nothing that could exist.</summary>
    Invalid,
}

/// <summary>Whiteouts as layers have them, and as overlayfs wants them.</summary>
/// <remarks>OCI image specification 1.1, layer.md, "Whiteouts"; Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".</remarks>
static class Whiteout
{
    static ReadOnlySpan<byte> Prefix => ".wh."u8;

    static ReadOnlySpan<byte> MetadataPrefix => ".wh..wh."u8;

    /// <param name="name">One component of a path.</param>
    /// <param name="hidden">The name that is gone, for <see cref="WhiteoutKind.Name"/>.</param>
    public static WhiteoutKind Recognize(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> hidden)
    {
        hidden = default;
        if (!name.StartsWith(Prefix))
        {
            return WhiteoutKind.None;
        }

        if (name.StartsWith(MetadataPrefix))
        {
            return name.SequenceEqual(".wh..wh..opq"u8) ? WhiteoutKind.Opaque : WhiteoutKind.Metadata;
        }

        hidden = name[Prefix.Length..];
        return hidden.IsEmpty || hidden.SequenceEqual("."u8) || hidden.SequenceEqual(".."u8) ? WhiteoutKind.Invalid : WhiteoutKind.Name;
    }

    /// <summary>Attributes by which overlayfs itself is steered: hiding, redirecting to any path of a lower layer, borrowing content.</summary>
    public static bool SteersOverlay(string attribute) =>
        attribute.StartsWith("trusted.overlay.", StringComparison.Ordinal) || attribute.StartsWith("user.overlay.", StringComparison.Ordinal);
}
