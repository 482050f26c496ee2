using System.Globalization;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>What the store keeps beside an unpacked layer, in <c>layer.json</c>.</summary>
/// <param name="TarBytes">Length of the uncompressed archive.</param>
/// <param name="UnpackedBytes">Sum of all files' lengths, holes included.</param>
/// <param name="Entries">Files of all kinds.</param>
/// <param name="RootIsOpaque">All lower layers are hidden: see <see cref="UnpackResult.RootIsOpaque"/>.</param>
/// <param name="Created">When it was unpacked.</param>
public sealed record LayerRecord(Digest DiffId, long TarBytes, long UnpackedBytes, long Entries, bool RootIsOpaque, DateTimeOffset Created)
{
    internal byte[] ToJson() => SpecWriter.Write(this, (json, layer) =>
    {
        json.Text("diffId", layer.DiffId.ToString());
        json.Number("tarBytes", layer.TarBytes);
        json.Number("unpackedBytes", layer.UnpackedBytes);
        json.Number("entries", layer.Entries);
        json.Flag("rootIsOpaque", layer.RootIsOpaque);
        json.Text("created", layer.Created.ToString("O", CultureInfo.InvariantCulture));
    }, indented: true);

    /// <exception cref="SpecException">Not such a document.</exception>
    internal static LayerRecord FromJson(byte[] json) => SpecNode.Parse(json, node => new LayerRecord(
        Digest.Parse(node.Need("diffId").Text()),
        node.Need("tarBytes").Long(),
        node.Need("unpackedBytes").Long(),
        node.Need("entries").Long(),
        node.FindFlag("rootIsOpaque"),
        DateTimeOffset.Parse(node.Need("created").Text(), CultureInfo.InvariantCulture)));
}
