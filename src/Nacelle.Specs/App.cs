using System.Text.Json;

namespace Nacelle.Specs;

/// <summary>What an app runs, as whom, where and within which bounds.</summary>
/// <remarks>appc 0.8.11, spec/aci.md, "app".</remarks>
public sealed record App
{
    public IReadOnlyList<string> Exec { get; init; } = [];

    /// <summary>A name or number of the image's, or an absolute path whose owner is meant.</summary>
    public required string User { get; init; }

    public required string Group { get; init; }

    public IReadOnlyList<uint> SupplementaryGroups { get; init; } = [];

    public string? WorkingDirectory { get; init; }

    public IReadOnlyList<Annotation> Environment { get; init; } = [];

    public IReadOnlyList<MountPoint> MountPoints { get; init; } = [];

    public IReadOnlyList<AppPort> Ports { get; init; } = [];

    public IReadOnlyList<Isolator> Isolators { get; init; } = [];

    public IReadOnlyDictionary<string, string>? UserAnnotations { get; init; }

    public IReadOnlyDictionary<string, string>? UserLabels { get; init; }

    internal void Check(string path)
    {
        if (WorkingDirectory is { Length: > 0 } directory && !directory.StartsWith('/'))
        {
            throw new SpecException($"{path}.workingDirectory", $"'{directory}' is not an absolute path");
        }

        for (int i = 0; i < MountPoints.Count; i++)
        {
            if (!MountPoints[i].Path.StartsWith('/'))
            {
                throw new SpecException($"{path}.mountPoints[{i}].path", $"'{MountPoints[i].Path}' is not an absolute path");
            }
        }
    }
}

/// <summary>A path where the app expects a volume.</summary>
public sealed record MountPoint
{
    public required AppName Name { get; init; }

    public required string Path { get; init; }

    public bool ReadOnly { get; init; }
}

/// <summary>A port that the app listens on.</summary>
public sealed record AppPort
{
    public required AppName Name { get; init; }

    /// <summary>tcp, udp or sctp.</summary>
    public required string Protocol { get; init; }

    public uint Port { get; init; }

    public uint Count { get; init; } = 1;

    public bool SocketActivated { get; init; }
}

/// <summary>A bound on what an app or pod may use or do; the value's shape depends on the name.</summary>
/// <remarks>appc 0.8.11, spec/ace.md, "Isolators".</remarks>
public sealed record Isolator(string Name, JsonElement Value);

/// <summary>An image's manifest in appc's form; a pod directory keeps one for each app, whatever the image's own format.</summary>
/// <remarks>appc 0.8.11, spec/aci.md, "Image Manifest Schema".</remarks>
public sealed record AppImageManifest
{
    public string AcKind { get; init; } = "ImageManifest";

    public string AcVersion { get; init; } = PodManifest.AppcVersion;

    public required string Name { get; init; }

    public IReadOnlyList<Annotation> Labels { get; init; } = [];

    public App? App { get; init; }

    public IReadOnlyList<Annotation> Annotations { get; init; } = [];

    public static AppImageManifest Parse(ReadOnlySpan<byte> json, string source) => SpecNode.Parse(json, source, AppcJson.ReadImage);

    public byte[] ToJson(bool indented = false) => SpecWriter.Write(this, AppcJson.Write, indented);
}
