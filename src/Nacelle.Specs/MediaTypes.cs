namespace Nacelle.Specs;

/// <summary>The compression of a layer's tar archive, as its media type names it.</summary>
public enum LayerFormat
{
    Tar,
    TarGzip,
    TarZstd,
}

/// <summary>The media types of image documents and layers.</summary>
/// <remarks>OCI image specification 1.1, media-types.md; Docker image manifest version 2, schema 2.</remarks>
public static class MediaTypes
{
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";
    public const string OciLayerGzip = OciLayer + "+gzip";
    public const string OciLayerZstd = OciLayer + "+zstd";
    public const string DockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
    public const string DockerLayerGzip = DockerLayer + ".gzip";

    /// <summary>An appc image, uncompressed: what its digest is made of. There is no registered type.</summary>
    public const string Aci = "application/x-appc-aci";

    public static bool IsIndex(string mediaType) => mediaType is OciIndex or DockerIndex;

    public static bool IsManifest(string mediaType) => mediaType is OciManifest or DockerManifest;

    /// <summary>Whether it is a kind of layer that we can unpack.</summary>
    public static bool IsLayer(string mediaType) => mediaType is OciLayer or DockerLayer or OciLayerGzip or DockerLayerGzip or OciLayerZstd or DockerLayer + ".zstd";

    /// <exception cref="SpecException">Not the kind of layer that we can unpack; the message says why.</exception>
    public static LayerFormat LayerFormatOf(string mediaType, string path) => mediaType switch
    {
        OciLayer or DockerLayer => LayerFormat.Tar,
        OciLayerGzip or DockerLayerGzip => LayerFormat.TarGzip,
        OciLayerZstd or DockerLayer + ".zstd" => LayerFormat.TarZstd,
        _ when mediaType.Contains(".foreign.", StringComparison.Ordinal) || mediaType.Contains(".nondistributable.", StringComparison.Ordinal) =>
            throw new SpecException(path, $"'{mediaType}' is a layer that registries do not distribute; such images are not supported"),
        _ => throw new SpecException(path, $"'{mediaType}' is not a layer we can unpack: it must be a tar archive, plain or with gzip or zstd"),
    };

    /// <summary>Refuses by name what is neither an image manifest nor an index.</summary>
    internal static SpecException NotAnImage(string path, string mediaType) => new(path, mediaType switch
    {
        "application/vnd.docker.distribution.manifest.v1+json" or "application/vnd.docker.distribution.manifest.v1+prettyjws" =>
            "the image has a Docker schema 1 manifest, which is not supported: push it again with a current tool",
        "" => "the media type is missing",
        _ => $"'{mediaType}' is neither an image manifest nor an image index",
    });
}
