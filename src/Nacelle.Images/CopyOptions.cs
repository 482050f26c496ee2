using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Whose words manifests are written in.</summary>
public enum ManifestFormat
{
    Oci,

    /// <summary>Image manifest version 2, schema 2.</summary>
    Docker,
}

/// <summary>What is copied of an image, and what is changed on the way.</summary>
public sealed record CopyOptions
{
    /// <summary>The platform whose image is copied where the source has several.</summary>
    public Platform Platform { get; init; } = Platform.Current;

    /// <summary>All that the source has is copied, its index included.</summary>
    public bool AllPlatforms { get; init; }

    /// <summary>The format to convert to; null keeps the source's where the destination takes it.</summary>
    public ManifestFormat? Format { get; init; }

    /// <summary>What layers are compressed with at the destination; null keeps each as it is.</summary>
    public LayerFormat? Compression { get; init; }

    /// <summary>0 to 9 for gzip, 1 to 22 for zstd; null for 6 and 3. Where it is said, layers that are compressed that way already are compressed anew.</summary>
    public int? CompressionLevel { get; init; }

    /// <summary>Annotations for the manifest, and for the index where there is one.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>To fail where a manifest would have to be changed.</summary>
    public bool PreserveDigests { get; init; }

    internal bool Changes => Format is not null || Compression is not null || Annotations.Count > 0;
}
