namespace Nacelle.Specs;

/// <summary>What an image is made for and from: platform, how to run it, the digests of its unpacked layers, its history.</summary>
/// <remarks>OCI image specification 1.1, config.md.</remarks>
public sealed partial record ImageConfig
{
    public string? Created { get; init; }

    public string? Author { get; init; }

    public string Architecture { get; init; } = "";

    public string Os { get; init; } = "";

    public string? Variant { get; init; }

    public ImageRunConfig Config { get; init; } = new();

    public ImageRootfs Rootfs { get; init; } = new();

    public IReadOnlyList<ImageHistory> History { get; init; } = [];

    public Platform Platform => new() { Os = Os, Architecture = Architecture, Variant = Variant };

    /// <exception cref="SpecException">Not a valid config.</exception>
    public static ImageConfig Parse(ReadOnlySpan<byte> json)
    {
        var config = SpecNode.Parse(json, Read);
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

    static ImageConfig Read(SpecNode node) => new()
    {
        Created = node.FindText("created"),
        Author = node.FindText("author"),
        Architecture = node.FindText("architecture") ?? "",
        Os = node.FindText("os") ?? "",
        Variant = node.FindText("variant"),
        Config = node.Find("config", ReadRun) ?? new(),
        Rootfs = node.Find("rootfs", rootfs => new ImageRootfs
        {
            Type = rootfs.FindText("type") ?? "",
            DiffIds = rootfs.List("diff_ids", one => one.Text() is { Length: > 0 } text ? Digest.Parse(text, one.Path) : default),
        }) ?? new(),
        History = node.List("history", step => new ImageHistory
        {
            Created = step.FindText("created"),
            CreatedBy = step.FindText("created_by"),
            Author = step.FindText("author"),
            Comment = step.FindText("comment"),
            EmptyLayer = step.FindFlag("empty_layer"),
        }),
    };

    static ImageRunConfig ReadRun(SpecNode node) => new()
    {
        User = node.FindText("User") ?? "",
        Env = node.Texts("Env"),
        Entrypoint = node.Texts("Entrypoint"),
        Cmd = node.Texts("Cmd"),
        WorkingDir = node.FindText("WorkingDir") ?? "",
        Volumes = ReadSet(node, "Volumes"),
        ExposedPorts = ReadSet(node, "ExposedPorts"),
        Labels = node.Map("Labels") ?? new Dictionary<string, string>(),
        StopSignal = node.FindText("StopSignal"),
        Healthcheck = node.Find("Healthcheck", check => new ImageHealthcheck
        {
            Test = check.Texts("Test"),
            Interval = check.Find("Interval")?.Long() ?? 0,
            Timeout = check.Find("Timeout")?.Long() ?? 0,
            StartPeriod = check.Find("StartPeriod")?.Long() ?? 0,
            StartInterval = check.Find("StartInterval")?.Long() ?? 0,
            Retries = check.Find("Retries")?.Long() ?? 0,
        }),
        OnBuild = node.Texts("OnBuild"),
        Shell = node.Texts("Shell"),
    };

    /// <summary>Go writes a set as an object whose members are all empty objects.</summary>
    static IReadOnlySet<string> ReadSet(SpecNode node, string name) =>
        node.Find(name) is { } set ? set.Names().ToHashSet(StringComparer.Ordinal) : new HashSet<string>();

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
    public string User { get; init; } = "";

    /// <summary><c>NAME=value</c> each.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];

    public IReadOnlyList<string> Entrypoint { get; init; } = [];

    public IReadOnlyList<string> Cmd { get; init; } = [];

    public string WorkingDir { get; init; } = "";

    /// <summary>Paths that want a volume.</summary>
    public IReadOnlySet<string> Volumes { get; init; } = new HashSet<string>();

    /// <summary><c>port</c>, <c>port/tcp</c> or <c>port/udp</c>.</summary>
    public IReadOnlySet<string> ExposedPorts { get; init; } = new HashSet<string>();

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public string? StopSignal { get; init; }

    /// <summary>Docker's; OCI's config has none, nor the two below.</summary>
    public ImageHealthcheck? Healthcheck { get; init; }

    /// <summary>Instructions for builds on this image, as they stand in a Containerfile.</summary>
    public IReadOnlyList<string> OnBuild { get; init; } = [];

    /// <summary>What the shell form of commands is run with.</summary>
    public IReadOnlyList<string> Shell { get; init; } = [];
}

/// <summary>How to find out whether a container is well. Times in nanoseconds, 0 for what is usual.</summary>
/// <remarks>Docker image specification 1.3, "Healthcheck".</remarks>
public sealed record ImageHealthcheck
{
    /// <summary><c>NONE</c>; <c>CMD</c> and arguments; or <c>CMD-SHELL</c> and a text for the shell.</summary>
    public IReadOnlyList<string> Test { get; init; } = [];

    public long Interval { get; init; }

    public long Timeout { get; init; }

    public long StartPeriod { get; init; }

    public long StartInterval { get; init; }

    public long Retries { get; init; }
}

public sealed record ImageRootfs
{
    public string Type { get; init; } = "";

    /// <summary>The digests of the uncompressed layers, the lowest first.</summary>
    public IReadOnlyList<Digest> DiffIds { get; init; } = [];
}

public sealed record ImageHistory
{
    public string? Created { get; init; }

    public string? CreatedBy { get; init; }

    public string? Author { get; init; }

    public string? Comment { get; init; }

    public bool EmptyLayer { get; init; }
}
