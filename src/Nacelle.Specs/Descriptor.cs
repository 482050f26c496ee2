using System.Text.Json.Serialization;

namespace Nacelle.Specs;

/// <summary>Points to content: what it is, its digest and its size in bytes.</summary>
/// <remarks>OCI image specification 1.1, descriptor.md.</remarks>
public sealed record Descriptor
{
    /// <summary>The annotation by which an image layout's index names an image.</summary>
    public const string ReferenceName = "org.opencontainers.image.ref.name";

    [JsonPropertyName("mediaType")]
    public string MediaType { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("digest")]
    public Digest Digest { get; init; }

    [JsonPropertyName("size")]
    public long Size { get; init; } = -1;

    [JsonPropertyName("platform")]
    public Platform? Platform { get; init; }

    /// <summary>What kind of thing a manifest of no image is.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    [JsonPropertyName("annotations")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    [JsonPropertyName("urls")]
    public IReadOnlyList<string>? Urls { get; init; }

    /// <param name="list">What a document's list holds, null included.</param>
    /// <exception cref="SpecException">One of them is no descriptor.</exception>
    internal static void ValidateAll(IReadOnlyList<Descriptor?> list, string path)
    {
        for (int i = 0; i < list.Count; i++)
        {
            (list[i] ?? throw new SpecException($"{path}[{i}]", "is null where an object must be")).Validate($"{path}[{i}]");
        }
    }

    /// <exception cref="SpecException">A part that every descriptor needs is missing or out of range.</exception>
    internal void Validate(string path)
    {
        if (MediaType.Length == 0)
        {
            throw new SpecException($"{path}.mediaType", "is missing");
        }

        if (Digest == default)
        {
            throw new SpecException($"{path}.digest", "is missing");
        }

        if (Size < 0)
        {
            throw new SpecException($"{path}.size", Size == -1 ? "is missing" : $"{Size} is negative");
        }

        if (Annotations?.FirstOrDefault(annotation => annotation.Value is null).Key is { } name)
        {
            throw new SpecException($"{path}.annotations[\"{name}\"]", "is null where a text must be");
        }
    }
}
