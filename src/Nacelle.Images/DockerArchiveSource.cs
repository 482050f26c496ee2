using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>An image in an archive of <c>docker save</c>. It has no manifest of its own, so an OCI manifest is written for it, always the same for the same content.</summary>
/// <remarks>Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset Format".</remarks>
sealed class DockerArchiveSource(ImageFile name, NamedFiles files) : FileSource(name, files)
{
    readonly Dictionary<Digest, string> paths = [];

    public override async Task<SourceDocument> ResolveAsync(CancellationToken cancellation)
    {
        var entry = Choose();
        var configContent = ReadDocument(entry.Config);
        ImageConfig config;
        try
        {
            config = ImageConfig.Parse(configContent);
            if (config.Rootfs.DiffIds.Count != entry.Layers.Count)
            {
                throw new SpecException("rootfs.diff_ids", $"there are {config.Rootfs.DiffIds.Count} for {entry.Layers.Count} layers in manifest.json");
            }
        }
        catch (SpecException failure)
        {
            throw failure.In($"{File.Path}/{entry.Config}");
        }

        var layers = new List<Descriptor>();
        foreach (var (path, diffId) in entry.Layers.Zip(config.Rootfs.DiffIds))
        {
            layers.Add(await DescribeAsync(path, diffId, cancellation));
            paths[layers[^1].Digest] = path;
        }

        var manifest = new ImageManifest
        {
            MediaType = MediaTypes.OciManifest,
            Config = new Descriptor { MediaType = MediaTypes.OciConfig, Digest = ContentStore.DigestOf(configContent), Size = configContent.Length },
            Layers = layers,
        };
        paths[manifest.Config.Digest] = entry.Config;
        var content = manifest.ToJson();
        return new SourceDocument(
            new Descriptor { MediaType = MediaTypes.OciManifest, Digest = ContentStore.DigestOf(content), Size = content.Length }, content);
    }

    public override Task<SourceDocument> ReadAsync(Descriptor descriptor, CancellationToken cancellation) =>
        Task.FromResult(new SourceDocument(descriptor, ReadDocument(paths[descriptor.Digest])));

    public override Task<BlobBody> OpenAsync(Descriptor descriptor, long offset, CancellationToken cancellation) =>
        Task.FromResult(new BlobBody(Entries.Open(paths[descriptor.Digest], offset), offset));

    DockerArchiveEntry Choose()
    {
        IReadOnlyList<DockerArchiveEntry> entries;
        try
        {
            entries = DockerArchiveEntry.ParseList(ReadDocument("manifest.json"));
        }
        catch (SpecException failure)
        {
            throw failure.In($"{File.Path}/manifest.json");
        }

        var wanted = File.Selector is null ? null : ImageReference.Parse(File.Selector);
        var chosen = wanted is null ? entries : [.. entries.Where(entry => entry.RepoTags.Any(tag => ImageReference.Parse(tag) == wanted))];
        var tags = entries.SelectMany(entry => entry.RepoTags).ToList();
        return chosen.Count == 1 ? chosen[0]
            : chosen.Count > 1 ? throw new ImageException($"{File.Path} holds several images; say which: it has {string.Join(", ", tags)}")
            : throw new ImageException($"image not found: {File.Path} has no '{File.Selector}'; it has {(tags.Count == 0 ? "no names" : string.Join(", ", tags))}");
    }

    async Task<Descriptor> DescribeAsync(string path, Digest diffId, CancellationToken cancellation)
    {
        long size = Entries.SizeOf(path) ?? throw new ImageException($"{File.Path} lacks {path}");
        var head = new byte[4];
        await using var stream = Entries.Open(path, 0);
        int length = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        string mediaType = head.AsSpan(0, length) switch
        {
            [0x1F, 0x8B, ..] => MediaTypes.OciLayerGzip,
            [0x28, 0xB5, 0x2F, 0xFD] => MediaTypes.OciLayerZstd,
            _ => MediaTypes.OciLayer,
        };

        // A plain layer's digest is its diff-id, which is checked as it is taken in.
        return new Descriptor { MediaType = mediaType, Size = size, Digest = mediaType == MediaTypes.OciLayer ? diffId : await HashAsync(path, cancellation) };
    }
}
