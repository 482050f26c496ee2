using System.Text.Json.Serialization;

namespace Nacelle.Specs;

/// <summary>Lists manifests, one per platform or (in an image layout) one per image. Docker calls it a manifest list.</summary>
/// <remarks>OCI image specification 1.1, image-index.md.</remarks>
public sealed record ImageIndex
{
    [JsonPropertyName("schemaVersion")]
    public int SchemaVersion { get; init; } = 2;

    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }

    [JsonPropertyName("manifests")]
    public IReadOnlyList<Descriptor> Manifests { get; init => field = value ?? []; } = [];

    [JsonPropertyName("subject")]
    public Descriptor? Subject { get; init; }

    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    [JsonPropertyName("annotations")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    // A document that is an index to one reader and a manifest to another is an attack: CVE-2021-41190.
    [JsonPropertyName("layers"), JsonInclude]
    internal System.Text.Json.JsonElement? Layers { get; init; }

    /// <exception cref="SpecException">Not a valid index.</exception>
    public static ImageIndex Parse(ReadOnlySpan<byte> json)
    {
        var index = ImageJson.Parse(json, ImageJson.Default.ImageIndex);
        if (index.MediaType is { } mediaType && !MediaTypes.IsIndex(mediaType))
        {
            throw MediaTypes.NotAnImage("mediaType", mediaType);
        }

        if (index.Layers is not null)
        {
            throw new SpecException("layers", "an index has none (a document that could be read as a manifest too is refused)");
        }

        Descriptor.ValidateAll(index.Manifests, "manifests");
        return index.SchemaVersion == 2 ? index : throw new SpecException("schemaVersion", $"{index.SchemaVersion} is not supported; it must be 2");
    }

    /// <summary>The entry that serves the platform best, the earlier of equals; one that names no platform only where no other fits.</summary>
    public Descriptor? Choose(Platform platform)
    {
        Descriptor? best = null;
        int bestDistance = int.MaxValue;
        foreach (var manifest in Manifests)
        {
            if (!MediaTypes.IsManifest(manifest.MediaType) && !MediaTypes.IsIndex(manifest.MediaType))
            {
                continue;
            }

            int? distance = manifest.Platform is null ? int.MaxValue - 1 : platform.Distance(manifest.Platform);
            if (distance < bestDistance)
            {
                (best, bestDistance) = (manifest, distance.Value);
            }
        }

        return best;
    }

    public byte[] ToJson() => ImageJson.Write(this, ImageJson.Default.ImageIndex);
}
