using System.Globalization;
using System.Text;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>An image in the store under one of its names: all that its file in <c>refs/</c> says.</summary>
public sealed record StoredImage
{
    /// <summary>The canonical spelling of an <see cref="ImageName"/>.</summary>
    public required string Name { get; init; }

    /// <summary>The manifest of the one platform that was fetched. Its digest is the image's id.</summary>
    public required Descriptor Manifest { get; init; }

    /// <summary>The manifest by which the layout's index lists the image: the same, or its translation from Docker's words to OCI's.</summary>
    public required Descriptor Layout { get; init; }

    /// <summary>The digest of the config: what Kubernetes and Docker call the image's id.</summary>
    public required Digest Config { get; init; }

    /// <summary>What the name stood for when it was fetched: the digest of an index, or of the manifest.</summary>
    public required Digest Resolved { get; init; }

    /// <summary>The platform that was asked for.</summary>
    public required string Platform { get; init; }

    /// <summary>In bytes, as stored: manifest, config, and compressed layers; of an appc image the uncompressed archive, without dependencies.</summary>
    public required long Size { get; init; }

    public required DateTimeOffset Imported { get; init; }

    /// <summary>Of an appc image, the layers that make its root file system, the lowest first: its dependencies', its own, and what its whitelist hides.</summary>
    public IReadOnlyList<Digest> Layers { get; init; } = [];

    /// <summary>Of an appc image: it was asked for without a version, so a name without one means this image before others.</summary>
    public bool IsLatest { get; init; }

    /// <summary>An appc image; its <see cref="Config"/> is its manifest.</summary>
    public bool IsAci => Manifest.MediaType == MediaTypes.Aci;

    public DateTimeOffset LastUsed { get; init; }

    public Digest Id => Manifest.Digest;

    /// <summary>As rkt's: the algorithm and the first 32 digits.</summary>
    public string ShortId => $"{Id.Algorithm}-{Id.Hex[..32]}";

    /// <summary>The name without its scheme, where it is one of a registry; of an appc image name and version; else as it is.</summary>
    public string DisplayName => Name.StartsWith("docker://", StringComparison.Ordinal) ? Name[9..] : IsAci ? Name.Split(',')[0] : Name;

    internal byte[] Write() => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"""
        name {Name}
        manifest {Manifest.Digest} {Manifest.Size} {Manifest.MediaType}
        layout {Layout.Digest} {Layout.Size} {Layout.MediaType}
        config {Config}
        resolved {Resolved}
        platform {Platform}
        size {Size}
        imported {Imported.ToUnixTimeMilliseconds()}
        {string.Concat(Layers.Select(layer => $"layer {layer}\n"))}{(IsLatest ? "latest true\n" : "")}
        """));

    /// <summary>Reads what <see cref="Write"/> wrote; unknown lines are from a later version and skipped.</summary>
    /// <exception cref="FormatException">Something is missing or malformed.</exception>
    internal static StoredImage Read(string text, DateTimeOffset lastUsed)
    {
        string? name = null, platform = null;
        Descriptor? manifest = null, layout = null;
        Digest config = default, resolved = default;
        long size = -1, imported = 0;
        IReadOnlyList<Digest> layers = []; // the one empty list, so that records compare equal
        bool latest = false;
        foreach (var range in text.AsSpan().Split('\n'))
        {
            var line = text.AsSpan(range);
            int space = line.IndexOf(' ');
            if (space <= 0)
            {
                continue;
            }

            var value = line[(space + 1)..];
            switch (line[..space])
            {
                case "name": name = value.ToString(); break;
                case "manifest": manifest = ReadDescriptor(value.ToString()); break;
                case "layout": layout = ReadDescriptor(value.ToString()); break;
                case "config": config = Digest.Parse(value.ToString()); break;
                case "resolved": resolved = Digest.Parse(value.ToString()); break;
                case "platform": platform = value.ToString(); break;
                case "size": size = long.Parse(value, CultureInfo.InvariantCulture); break;
                case "layer": layers = [.. layers, Digest.Parse(value.ToString())]; break;
                case "latest": latest = value is "true"; break;
                case "imported": imported = long.Parse(value, CultureInfo.InvariantCulture); break;
            }
        }

        return name is null || manifest is null || layout is null || config == default || resolved == default || platform is null || size < 0
            ? throw new FormatException("a line is missing")
            : new StoredImage
            {
                Name = name,
                Manifest = manifest,
                Layout = layout,
                Config = config,
                Resolved = resolved,
                Platform = platform,
                Size = size,
                Imported = DateTimeOffset.FromUnixTimeMilliseconds(imported),
                LastUsed = lastUsed,
                Layers = layers,
                IsLatest = latest,
            };
    }

    static Descriptor ReadDescriptor(string text) => text.Split(' ', 3) is [var digest, var size, var mediaType]
        ? new Descriptor { Digest = Digest.Parse(digest), Size = long.Parse(size, CultureInfo.InvariantCulture), MediaType = mediaType }
        : throw new FormatException("a descriptor is not digest, size and media type");
}
