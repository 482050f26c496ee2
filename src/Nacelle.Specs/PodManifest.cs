namespace Nacelle.Specs;

/// <summary>What a pod is: its apps with what each runs and may do, and the volumes they share.</summary>
/// <remarks>appc 0.8.11, spec/pods.md, "Pod Manifest Schema".</remarks>
public sealed record PodManifest
{
    public const string AppcVersion = "0.8.11";

    public string AcVersion { get; init; } = AppcVersion;

    public string AcKind { get; init; } = "PodManifest";

    public required IReadOnlyList<PodApp> Apps { get; init; }

    public IReadOnlyList<PodVolume> Volumes { get; init; } = [];

    public IReadOnlyList<Isolator> Isolators { get; init; } = [];

    public IReadOnlyList<Annotation> Annotations { get; init; } = [];

    public IReadOnlyList<PodPort> Ports { get; init; } = [];

    public IReadOnlyDictionary<string, string>? UserAnnotations { get; init; }

    public IReadOnlyDictionary<string, string>? UserLabels { get; init; }

    /// <param name="source">Where the text comes from, for messages.</param>
    /// <exception cref="SpecException">Not JSON, not of the specification's shape, or against one of its rules; says where.</exception>
    public static PodManifest Parse(ReadOnlySpan<byte> json, string source)
    {
        var manifest = SpecNode.Parse(json, source, AppcJson.ReadPod);
        try
        {
            manifest.Check();
            return manifest;
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    public byte[] ToJson(bool indented = false) => SpecWriter.Write(this, AppcJson.Write, indented);

    /// <summary>The rules that the document's shape alone does not tell.</summary>
    void Check()
    {
        if (AcKind != "PodManifest")
        {
            throw new SpecException("acKind", $"'{AcKind}' is not 'PodManifest'");
        }

        var names = new HashSet<AppName>();
        for (int i = 0; i < Apps.Count; i++)
        {
            if (!names.Add(Apps[i].Name))
            {
                throw new SpecException($"apps[{i}].name", $"another app of the pod is named '{Apps[i].Name}'");
            }

            Apps[i].App?.Check($"apps[{i}].app");
        }

        var volumes = new HashSet<AppName>();
        for (int i = 0; i < Volumes.Count; i++)
        {
            if (!volumes.Add(Volumes[i].Name))
            {
                throw new SpecException($"volumes[{i}].name", $"another volume of the pod is named '{Volumes[i].Name}'");
            }

            Volumes[i].Check($"volumes[{i}]");
        }

        for (int i = 0; i < Ports.Count; i++)
        {
            Ports[i].Check($"ports[{i}]");
        }
    }
}

/// <summary>One app of a pod: which image, and what of it runs.</summary>
public sealed record PodApp
{
    public required AppName Name { get; init; }

    public required PodImage Image { get; init; }

    public App? App { get; init; }

    public bool ReadOnlyRootFileSystem { get; init; }

    public IReadOnlyList<PodMount> Mounts { get; init; } = [];

    public IReadOnlyList<Annotation> Annotations { get; init; } = [];
}

/// <summary>The image an app was made from. The id is the digest, written with a dash: <c>sha256-…</c>.</summary>
public sealed record PodImage
{
    public required string Id { get; init; }

    public string? Name { get; init; }

    public IReadOnlyList<Annotation> Labels { get; init; } = [];
}

/// <summary>Puts a volume at a path of the app's.</summary>
public sealed record PodMount
{
    public required AppName Volume { get; init; }

    public required string Path { get; init; }
}

/// <summary>Storage that apps of a pod share: a host path, or an empty directory that lives with the pod.</summary>
public sealed record PodVolume
{
    public required AppName Name { get; init; }

    /// <summary>"host" or "empty".</summary>
    public required string Kind { get; init; }

    /// <summary>For kind host: an absolute path on the host.</summary>
    public string? Source { get; init; }

    public bool? ReadOnly { get; init; }

    /// <summary>For kind host: with what is mounted below.</summary>
    public bool? Recursive { get; init; }

    /// <summary>For kind empty: the directory's mode in octal, "0755" unless said.</summary>
    public string? Mode { get; init; }

    public uint? Uid { get; init; }

    public uint? Gid { get; init; }

    internal void Check(string path)
    {
        switch (Kind)
        {
            case "host" when Source is null || !Source.StartsWith('/'):
                throw new SpecException($"{path}.source", "a host volume needs an absolute path");
            case "host" when Mode is not null || Uid is not null || Gid is not null:
                throw new SpecException(path, "mode, uid and gid go with empty volumes only");
            case "empty" when Source is not null:
                throw new SpecException($"{path}.source", "an empty volume has no source");
            case "host" or "empty":
                break;
            default:
                throw new SpecException($"{path}.kind", $"'{Kind}' is neither 'host' nor 'empty'");
        }
    }
}

/// <summary>A port of the host that leads to one of an app's.</summary>
public sealed record PodPort
{
    /// <summary>Of the app's port, where <see cref="Port"/> does not say it.</summary>
    public required AppName Name { get; init; }

    public uint HostPort { get; init; }

    /// <summary>The one address of the host that it is forwarded from; null for all.</summary>
    public string? HostIP { get; init; }

    /// <summary>The port in the pod; null for the port of that name of any app. As rkt 1.30 has it, beside the specification.</summary>
    public AppPort? Port { get; init; }

    internal void Check(string path)
    {
        if (HostPort is 0 or > 65535)
        {
            throw new SpecException($"{path}.hostPort", "is not a port from 1 to 65535");
        }

        if (HostIP is not null && !System.Net.IPAddress.TryParse(HostIP, out _))
        {
            throw new SpecException($"{path}.hostIP", $"'{HostIP}' is no address");
        }

        Port?.Check($"{path}.podPort");
    }
}

/// <summary>A name with a text. See spec/aci.md, "annotations".</summary>
public sealed record Annotation(string Name, string Value);
