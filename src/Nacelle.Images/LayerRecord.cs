using System.Text.Json;
using System.Text.Json.Serialization;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>What the store keeps beside an unpacked layer, in <c>layer.json</c>.</summary>
/// <param name="TarBytes">Length of the uncompressed archive.</param>
/// <param name="UnpackedBytes">Sum of all files' lengths, holes included.</param>
/// <param name="Entries">Files of all kinds.</param>
/// <param name="RootIsOpaque">All lower layers are hidden: see <see cref="UnpackResult.RootIsOpaque"/>.</param>
/// <param name="Created">When it was unpacked.</param>
public sealed record LayerRecord(
    [property: JsonConverter(typeof(DiffIdConverter))] Digest DiffId, long TarBytes, long UnpackedBytes, long Entries, bool RootIsOpaque, DateTimeOffset Created)
{
    internal byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, LayerJson.Default.LayerRecord);

    /// <exception cref="JsonException">Not such a document.</exception>
    internal static LayerRecord FromJson(byte[] json) =>
        JsonSerializer.Deserialize(json, LayerJson.Default.LayerRecord) ?? throw new JsonException("layer.json: nothing in it");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LayerRecord))]
sealed partial class LayerJson : JsonSerializerContext;

sealed class DiffIdConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Digest.TryParse(reader.GetString(), out var digest) ? digest : throw new JsonException("not a digest");

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
