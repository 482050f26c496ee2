using System.Text.Json.Serialization;

namespace Nacelle.Specs;

/// <summary>What an image is made for and from: platform, how to run it, the digests of its unpacked layers, its history.</summary>
/// <remarks>OCI image specification 1.1, config.md.</remarks>
public sealed record ImageConfig
{
    [JsonPropertyName("created")]
    public string? Created { get; init; }

    [JsonPropertyName("author")]
    public string? Author { get; init; }

    [JsonPropertyName("architecture")]
    public string Architecture { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("os")]
    public string Os { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("variant")]
    public string? Variant { get; init; }

    [JsonPropertyName("config")]
    public ImageRunConfig Config { get; init => field = value ?? new(); } = new();

    [JsonPropertyName("rootfs")]
    public ImageRootfs Rootfs { get; init => field = value ?? new(); } = new();

    [JsonPropertyName("history")]
    public IReadOnlyList<ImageHistory> History { get; init => field = value ?? []; } = [];

    [JsonIgnore]
    public Platform Platform => new() { Os = Os, Architecture = Architecture, Variant = Variant };

    /// <exception cref="SpecException">Not a valid config.</exception>
    public static ImageConfig Parse(ReadOnlySpan<byte> json)
    {
        var config = ImageJson.Parse(json, ImageJson.Default.ImageConfig);
        if (config.Rootfs.Type != "layers")
        {
            throw new SpecException("rootfs.type", config.Rootfs.Type.Length == 0 ? "is missing" : $"'{config.Rootfs.Type}' is not supported; it must be 'layers'");
        }

        for (int i = 0; i < config.Rootfs.DiffIds.Count; i++)
        {
            if (config.Rootfs.DiffIds[i] == default)
            {
                throw new SpecException($"rootfs.diff_ids[{i}]", "is empty");
            }
        }

        return config;
    }

    /// <summary>Checks that the config belongs to the manifest: as many digests of unpacked layers as there are layers.</summary>
    public void RequireLayersOf(ImageManifest manifest)
    {
        if (Rootfs.DiffIds.Count != manifest.Layers.Count)
        {
            throw new SpecException("rootfs.diff_ids", $"there are {Rootfs.DiffIds.Count} for {manifest.Layers.Count} layers in the manifest");
        }
    }
}

/// <summary>How a container of the image is run unless told otherwise.</summary>
public sealed record ImageRunConfig
{
    /// <summary>User and group as names or numbers: <c>user</c>, <c>uid</c>, <c>user:group</c>, …; empty for root.</summary>
    public string User { get; init => field = value ?? ""; } = "";

    /// <summary><c>NAME=value</c> each.</summary>
    public IReadOnlyList<string> Env { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> Entrypoint { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> Cmd { get; init => field = value ?? []; } = [];

    public string WorkingDir { get; init => field = value ?? ""; } = "";

    /// <summary>Paths that want a volume; the values say nothing.</summary>
    public IReadOnlyDictionary<string, EmptyObject?> Volumes { get; init => field = value ?? NoEntries; } = NoEntries;

    /// <summary><c>port</c>, <c>port/tcp</c> or <c>port/udp</c>; the values say nothing.</summary>
    public IReadOnlyDictionary<string, EmptyObject?> ExposedPorts { get; init => field = value ?? NoEntries; } = NoEntries;

    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? NoLabels; } = NoLabels;

    public string? StopSignal { get; init; }

    static readonly Dictionary<string, EmptyObject?> NoEntries = [];
    static readonly Dictionary<string, string> NoLabels = [];
}

/// <summary>Go's <c>struct{}</c>: the value of what is a set in disguise.</summary>
public sealed record EmptyObject;

public sealed record ImageRootfs
{
    [JsonPropertyName("type")]
    public string Type { get; init => field = value ?? ""; } = "";

    /// <summary>The digests of the uncompressed layers, the lowest first.</summary>
    [JsonPropertyName("diff_ids")]
    public IReadOnlyList<Digest> DiffIds { get; init => field = value ?? []; } = [];
}

public sealed record ImageHistory
{
    [JsonPropertyName("created")]
    public string? Created { get; init; }

    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    [JsonPropertyName("author")]
    public string? Author { get; init; }

    [JsonPropertyName("comment")]
    public string? Comment { get; init; }

    [JsonPropertyName("empty_layer")]
    public bool EmptyLayer { get; init; }
}
