using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>The tar archive of an appc image: a file <c>manifest</c> and a directory <c>rootfs</c>, in any order.</summary>
/// <remarks>appc 0.8.11, spec/aci.md, "Image Layout" and "Image Archives".</remarks>
public static class AciArchive
{
    /// <summary>Makes the entry's name relative to the root file system.</summary>
    /// <returns>False for the manifest, which is no part of it.</returns>
    /// <exception cref="LayerException">The entry is neither.</exception>
    internal static bool EnterRootfs(TarEntry entry) =>
        entry.TryEnter("rootfs"u8) ? true
            : IsManifest(entry) || IsTop(entry) ? false
            : throw new LayerException(entry.ToString(), "does not belong into an ACI: there are only 'manifest' and what lies below 'rootfs'");

    /// <summary>Reads the manifest out of an archive, whose stream is left wherever that ends.</summary>
    /// <param name="archive">Not compressed.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <exception cref="LayerException">The archive is damaged, or holds no manifest.</exception>
    /// <exception cref="SpecException">The manifest breaks the specification's rules.</exception>
    public static (AppImageManifest Manifest, byte[] Text) ReadManifest(Stream archive, string source)
    {
        using var reader = new TarReader(archive, UnpackLimits.Default);
        while (reader.MoveNext())
        {
            if (!IsManifest(reader.Entry))
            {
                continue;
            }

            if (reader.Entry.Kind != TarEntryKind.File || reader.Entry.Segments is not null || reader.Entry.Size > ImageDocuments.LargestDocument)
            {
                throw new LayerException("manifest", $"is not a plain file of at most {ImageDocuments.LargestDocument} bytes");
            }

            var text = new byte[reader.Entry.Size];
            int length = 0;
            for (var piece = reader.ReadData(); !piece.IsEmpty; piece = reader.ReadData())
            {
                piece.CopyTo(text.AsSpan(length));
                length += piece.Length;
            }

            var manifest = AppImageManifest.Parse(text, $"{source}: manifest");
            manifest.Check($"{source}: manifest");
            return (manifest, text);
        }

        throw new LayerException("", "this is no ACI: it has no file 'manifest'");
    }

    static bool IsManifest(TarEntry entry) => Trimmed(entry) is "manifest";

    /// <summary>The archive's own top, as <c>tar c .</c> writes it.</summary>
    static bool IsTop(TarEntry entry) => entry.Kind == TarEntryKind.Directory && Trimmed(entry).Length == 0;

    static string Trimmed(TarEntry entry) => entry.Name.Length > 32 ? entry.ToString() : entry.ToString().TrimStart('.').Trim('/');
}
