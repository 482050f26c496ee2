using System.Text.Json.Serialization;

namespace Nacelle.Specs;

/// <summary>One image for one platform: its config and its layers, the lowest first.</summary>
/// <remarks>OCI image specification 1.1, manifest.md; Docker image manifest version 2, schema 2.</remarks>
public sealed record ImageManifest
{
    // What overlayfs stacks at most (OVL_MAX_STACK); an image with more could never be mounted.
    const int MostLayers = 500;

    [JsonPropertyName("schemaVersion")]
    public int SchemaVersion { get; init; } = 2;

    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }

    [JsonPropertyName("config")]
    public Descriptor Config { get; init => field = value ?? new(); } = new();

    [JsonPropertyName("layers")]
    public IReadOnlyList<Descriptor> Layers { get; init => field = value ?? []; } = [];

    /// <summary>What the image is about, where it is more than itself: a signature's image, for one.</summary>
    [JsonPropertyName("subject")]
    public Descriptor? Subject { get; init; }

    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    [JsonPropertyName("annotations")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    // A document that is an index to one reader and a manifest to another is an attack: CVE-2021-41190.
    [JsonPropertyName("manifests"), JsonInclude]
    internal System.Text.Json.JsonElement? Manifests { get; init; }

    [JsonPropertyName("fsLayers"), JsonInclude]
    internal System.Text.Json.JsonElement? Schema1Layers { get; init; }

    /// <summary>Reads a manifest of a container image whose layers we can unpack; artifacts of other kinds are refused.</summary>
    /// <exception cref="SpecException">Not such a manifest.</exception>
    public static ImageManifest Parse(ReadOnlySpan<byte> json)
    {
        var manifest = ParseArtifact(json);
        if (manifest.Config.MediaType is not (MediaTypes.OciConfig or MediaTypes.DockerConfig))
        {
            throw new SpecException("config.mediaType", $"'{manifest.Config.MediaType}' is not the config of a container image");
        }

        for (int i = 0; i < manifest.Layers.Count; i++)
        {
            MediaTypes.LayerFormatOf(manifest.Layers[i].MediaType, $"layers[{i}].mediaType");
        }

        return manifest;
    }

    /// <summary>Reads a manifest of whatever: its layers may be of any kind.</summary>
    /// <exception cref="SpecException">Not a manifest.</exception>
    public static ImageManifest ParseArtifact(ReadOnlySpan<byte> json)
    {
        var manifest = ImageJson.Parse(json, ImageJson.Default.ImageManifest);
        if (manifest.SchemaVersion == 1 || manifest.Schema1Layers is not null)
        {
            throw MediaTypes.NotAnImage("schemaVersion", "application/vnd.docker.distribution.manifest.v1+json");
        }

        if (manifest.SchemaVersion != 2)
        {
            throw new SpecException("schemaVersion", $"{manifest.SchemaVersion} is not supported; it must be 2");
        }

        if (manifest.MediaType is { } mediaType && !MediaTypes.IsManifest(mediaType))
        {
            throw MediaTypes.NotAnImage("mediaType", mediaType);
        }

        if (manifest.Manifests is not null)
        {
            throw new SpecException("manifests", "a manifest has none (a document that could be read as an index too is refused)");
        }

        manifest.Config.Validate("config");
        if (manifest.Layers.Count > MostLayers)
        {
            throw new SpecException("layers", $"there are {manifest.Layers.Count}; at most {MostLayers} can be stacked");
        }

        Descriptor.ValidateAll(manifest.Layers, "layers");
        return manifest;
    }

    /// <summary>The same image in OCI's media types. A config of Docker's is a valid OCI one as it is, and so are the layers.</summary>
    public ImageManifest ToOci() => this with
    {
        MediaType = MediaTypes.OciManifest,
        Config = Config with { MediaType = MediaTypes.OciConfig },
        Layers = [.. Layers.Select((layer, i) => layer with
        {
            MediaType = MediaTypes.LayerFormatOf(layer.MediaType, $"layers[{i}].mediaType") switch
            {
                LayerFormat.TarGzip => MediaTypes.OciLayerGzip,
                LayerFormat.TarZstd => MediaTypes.OciLayerZstd,
                _ => MediaTypes.OciLayer,
            },
        })],
    };

    /// <summary>The same image in Docker's media types, which know neither annotations (they are left out) nor zstd.</summary>
    /// <exception cref="SpecException">A layer is compressed with zstd, or the manifest is about another one.</exception>
    public ImageManifest ToDocker() => Subject is not null || ArtifactType is not null
        ? throw new SpecException(Subject is null ? "artifactType" : "subject", "a Docker manifest has none")
        : this with
        {
            MediaType = MediaTypes.DockerManifest,
            Annotations = null,
            Config = Config with { MediaType = MediaTypes.DockerConfig, Annotations = null },
            Layers = [.. Layers.Select((layer, i) => layer with
            {
                Annotations = null,
                MediaType = MediaTypes.LayerFormatOf(layer.MediaType, $"layers[{i}].mediaType") switch
                {
                    LayerFormat.TarGzip => MediaTypes.DockerLayerGzip,
                    LayerFormat.TarZstd => throw new SpecException($"layers[{i}].mediaType", "Docker's manifests know no zstd; use --compression=gzip"),
                    _ => MediaTypes.DockerLayer,
                },
            })],
        };

    public byte[] ToJson() => ImageJson.Write(this, ImageJson.Default.ImageManifest);
}
