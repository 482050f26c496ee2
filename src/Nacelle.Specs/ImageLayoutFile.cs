using System.Text.Json.Serialization;

namespace Nacelle.Specs;

/// <summary>The file <c>oci-layout</c> that marks a directory as an image layout.</summary>
/// <remarks>OCI image specification 1.1, image-layout.md.</remarks>
public sealed record ImageLayoutFile
{
    [JsonPropertyName("imageLayoutVersion")]
    public string Version { get; init => field = value ?? ""; } = "1.0.0";

    /// <exception cref="SpecException">Not a layout of version 1.</exception>
    public static ImageLayoutFile Parse(ReadOnlySpan<byte> json)
    {
        var layout = ImageJson.Parse(json, ImageJson.Default.ImageLayoutFile);
        return layout.Version.StartsWith("1.", StringComparison.Ordinal) ? layout
            : throw new SpecException("imageLayoutVersion", $"'{layout.Version}' is not supported; it must be 1.0.0");
    }

    public byte[] ToJson() => ImageJson.Write(this, ImageJson.Default.ImageLayoutFile);
}

/// <summary>One image in the <c>manifest.json</c> of what <c>docker save</c> writes; the paths are names within the archive.</summary>
public sealed record DockerArchiveEntry
{
    public string Config { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string> RepoTags { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> Layers { get; init => field = value ?? []; } = [];

    /// <exception cref="SpecException">Not such a list.</exception>
    public static IReadOnlyList<DockerArchiveEntry> ParseList(ReadOnlySpan<byte> json)
    {
        var entries = ImageJson.Parse(json, ImageJson.Default.DockerArchiveEntryArray);
        for (int i = 0; i < entries.Length; i++)
        {
            if (entries[i]?.Config is null or "")
            {
                throw new SpecException($"[{i}].Config", "is missing");
            }
        }

        return entries;
    }

    public static byte[] WriteList(IReadOnlyList<DockerArchiveEntry> entries) => ImageJson.Write([.. entries], ImageJson.Default.DockerArchiveEntryArray);
}
