using System.Globalization;
using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Specs;

namespace Nacelle.Fetch;

/// <summary>What may be said of how an image is copied or pushed.</summary>
static class CopyFlags
{
    public static readonly Option Annotation = new("annotation", "NAME=VALUE", "add an annotation to the manifest, and to the index; may be repeated");
    public static readonly Option Compression = new("compression", "gzip|zstd", "compress the layers anew, those that are not compressed so");
    public static readonly Option Level = new("compression-level", "LEVEL", "0 to 9 for gzip (6), 1 to 22 for zstd (3); compresses all layers anew");
    public static readonly Option Target = new("manifest-format", "oci|docker", "convert the manifests; Docker's know neither zstd nor annotations");
    public static readonly Option Chunk = new("chunk-size", "BYTES", "send blobs in pieces of that size, with k, M or G behind it (0: each in one request)");
    public static readonly Option Parallel = new("parallel", "NUMBER", "how many blobs are sent at once (3)");

    const long LargestChunk = 1L << 40;

    public static readonly IReadOnlyList<Option> All = [Annotation, Compression, Level, Target, Chunk, Parallel];

    public static CopyOptions Copy(Invocation invocation)
    {
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in invocation.Values(Annotation))
        {
            int equals = text.IndexOf('=');
            annotations[equals > 0 ? text[..equals] : throw new UserException($"--annotation: '{text}' is not NAME=VALUE")] = text[(equals + 1)..];
        }

        LayerFormat? compression = invocation.Value(Compression) switch
        {
            null => null,
            "gzip" => LayerFormat.TarGzip,
            "zstd" => LayerFormat.TarZstd,
            var other => throw new UserException($"--compression is gzip or zstd, not '{other}'"),
        };
        return new CopyOptions
        {
            Platform = FetchCommand.PlatformOf(invocation),
            Annotations = annotations,
            Compression = compression,
            CompressionLevel = ParseLevel(invocation.Value(Level), compression),
            Format = invocation.Value(Target) switch
            {
                null => null,
                "oci" => ManifestFormat.Oci,
                "docker" or "v2s2" => ManifestFormat.Docker,
                var other => throw new UserException($"--{Target.Name} is oci or docker, not '{other}'"),
            },
        };
    }

    public static PushOptions Push(Invocation invocation) => new()
    {
        ChunkSize = ParseSize(invocation.Value(Chunk) ?? "0"),
        Parallelism = (int)ParseNumber(Parallel, invocation.Value(Parallel) ?? "3", 1, 64),
    };

    static int? ParseLevel(string? text, LayerFormat? compression) => text is null ? null : compression switch
    {
        LayerFormat.TarGzip => (int)ParseNumber(Level, text, 0, 9),
        LayerFormat.TarZstd => (int)ParseNumber(Level, text, 1, 22),
        _ => throw new UserException($"--{Level.Name} goes with --{Compression.Name}"),
    };

    static long ParseSize(string text)
    {
        int shift = text is [.., var unit] ? char.ToLowerInvariant(unit) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 } : 0;
        return ParseNumber(Chunk, shift > 0 ? text[..^1] : text, 0, LargestChunk >> shift) << shift;
    }

    static long ParseNumber(Option option, string text, long least, long most) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= least && number <= most ? number
            : throw new UserException($"--{option.Name} is a number from {least} to {most}, not '{text}'");
}
