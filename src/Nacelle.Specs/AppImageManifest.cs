namespace Nacelle.Specs;

/// <summary>An image's manifest in appc's form; a pod directory keeps one for each app, whatever the image's own format.</summary>
/// <remarks>appc 0.8.11, spec/aci.md, "Image Manifest Schema".</remarks>
public sealed partial record AppImageManifest
{
    public const string Kind = "ImageManifest";

    public string AcKind { get; init; } = Kind;

    public string AcVersion { get; init; } = PodManifest.AppcVersion;

    /// <summary>An AC identifier: the beginning of a URL, as in <c>example.com/redis</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What tells images of one name apart: <c>version</c>, <c>os</c>, <c>arch</c> and any others.</summary>
    public IReadOnlyList<Annotation> Labels { get; init; } = [];

    /// <summary>What to run by default; null for an image that only others build on.</summary>
    public App? App { get; init; }

    /// <summary>Images whose files lie below this one's, the lowest first.</summary>
    public IReadOnlyList<ImageDependency> Dependencies { get; init; } = [];

    /// <summary>If not empty, all that is to be in the root file system; a path that ends in a slash is a directory, empty.</summary>
    public IReadOnlyList<string> PathWhitelist { get; init; } = [];

    public IReadOnlyList<Annotation> Annotations { get; init; } = [];

    public string? Label(string name) => Labels.FirstOrDefault(label => label.Name == name)?.Value;

    /// <summary>Reads the document's shape; <see cref="Check"/> tells whether it keeps all rules, which those made from other formats need not.</summary>
    public static AppImageManifest Parse(ReadOnlySpan<byte> json, string source) => SpecNode.Parse(json, source, AppcJson.ReadImage);

    public byte[] ToJson(bool indented = false) => SpecWriter.Write(this, AppcJson.Write, indented);
}

/// <summary>An image that another one builds on.</summary>
/// <remarks>appc 0.8.11, spec/aci.md, "Dependency Matching".</remarks>
public sealed record ImageDependency
{
    public required string ImageName { get; init; }

    /// <summary>The one image that will do, or null for any that has the labels.</summary>
    public Digest? ImageId { get; init; }

    public IReadOnlyList<Annotation> Labels { get; init; } = [];

    /// <summary>The image's size in bytes, or null when the manifest does not say.</summary>
    public ulong? Size { get; init; }
}
