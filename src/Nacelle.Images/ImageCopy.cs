using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Copies an image from a source to a destination: blobs first, several at a time, then manifests, then what carries the name.</summary>
/// <param name="store">Where layers that are compressed anew lie meanwhile.</param>
sealed class ImageCopy(ImageSource source, ImageDestination destination, ImageStore store, CopyOptions options, RegistryOptions registry, FetchProgress progress)
{
    const int DeepestIndex = 3;

    readonly ManifestFormat? format = options.Format ?? destination.Format
        ?? (options.Compression == LayerFormat.TarZstd || options.Annotations.Count > 0 ? ManifestFormat.Oci : null);

    readonly LayerFormat? compression = destination.WantsPlainLayers ? LayerFormat.Tar : options.Compression;

    /// <returns>What the destination's name stands for now.</returns>
    /// <exception cref="ImageException">The source does not have it, or the destination does not take it.</exception>
    public async Task<Descriptor> RunAsync(CancellationToken cancellation)
    {
        if (options.Annotations.Count > 0 && format == ManifestFormat.Docker)
        {
            throw new ImageException("Docker's manifests have no annotations: use --format=oci");
        }

        var document = await source.ResolveAsync(cancellation);
        document = options.AllPlatforms ? document : await source.ChooseAsync(document, options.Platform, cancellation);
        var copied = await CopyAsync(document, isNamed: true, depth: 0, cancellation);
        await destination.FinishAsync(cancellation);
        return copied;
    }

    async Task<Descriptor> CopyAsync(SourceDocument document, bool isNamed, int depth, CancellationToken cancellation)
    {
        var copy = MediaTypes.IsIndex(document.Descriptor.MediaType)
            ? await CopyIndexAsync(document, ReadIndex(document, depth), depth, cancellation)
            : await CopyManifestAsync(document, cancellation);
        if (options.PreserveDigests && copy.Descriptor.Digest != document.Descriptor.Digest)
        {
            throw new ImageException($"{source.Name}: {document.Descriptor.Digest} would become {copy.Descriptor.Digest}, and --preserve-digests forbids that");
        }

        await destination.PutManifestAsync(copy, isNamed, cancellation);
        return copy.Descriptor;
    }

    async Task<SourceDocument> CopyIndexAsync(SourceDocument document, ImageIndex index, int depth, CancellationToken cancellation)
    {
        var entries = new List<Descriptor>();
        foreach (var entry in index.Manifests)
        {
            var copied = await CopyAsync(await source.ReadAsync(entry, cancellation), isNamed: false, depth + 1, cancellation);
            entries.Add(entry with { MediaType = copied.MediaType, Digest = copied.Digest, Size = copied.Size });
        }

        string mediaType = format switch { ManifestFormat.Oci => MediaTypes.OciIndex, ManifestFormat.Docker => MediaTypes.DockerIndex, _ => document.Descriptor.MediaType };
        if (mediaType == document.Descriptor.MediaType && options.Annotations.Count == 0 && entries.SequenceEqual(index.Manifests))
        {
            return document;
        }

        return ToDocument(
            (index with { MediaType = mediaType, Manifests = entries, Annotations = mediaType == MediaTypes.DockerIndex ? null : Annotated(index.Annotations) }).ToJson(),
            mediaType);
    }

    async Task<SourceDocument> CopyManifestAsync(SourceDocument document, CancellationToken cancellation)
    {
        var blobs = In(document, Referrer.Parse).Blobs;
        bool isImage = blobs is [{ MediaType: MediaTypes.OciConfig or MediaTypes.DockerConfig }, ..] && blobs.Skip(1).All(blob => MediaTypes.IsLayer(blob.MediaType));
        if (!isImage || (!options.Changes && format is null && compression is null))
        {
            // Whatever it is, it is copied as it is.
            var bars = progress.Start(blobs);
            await EachAsync(blobs.Zip(bars), (blob, stop) => destination.PutBlobAsync(blob.First, OpeningOf(blob.First), blob.Second, stop), cancellation);
            return document;
        }

        var manifest = In(document, ImageManifest.Parse);
        var layers = await CopyLayersAsync(manifest, cancellation);
        manifest = manifest with { Layers = layers, Annotations = Annotated(manifest.Annotations) };
        manifest = format switch
        {
            ManifestFormat.Docker => In(document, _ => manifest.ToDocker()),
            ManifestFormat.Oci => manifest.ToOci(),
            _ => manifest.MediaType == MediaTypes.DockerManifest ? In(document, _ => manifest.ToDocker()) : manifest,
        };
        var content = manifest.ToJson();
        string mediaType = manifest.MediaType ?? document.Descriptor.MediaType;
        return content.AsSpan().SequenceEqual(document.Content) || Same(document, manifest) ? document : ToDocument(content, mediaType);
    }

    /// <summary>Whether nothing was changed but the way in which the document is written.</summary>
    static bool Same(SourceDocument document, ImageManifest manifest) =>
        ImageManifest.Parse(document.Content).ToJson().AsSpan().SequenceEqual(manifest.ToJson()) && document.Descriptor.MediaType == manifest.MediaType;

    async Task<IReadOnlyList<Descriptor>> CopyLayersAsync(ImageManifest manifest, CancellationToken cancellation)
    {
        var config = In(new SourceDocument(manifest.Config, (await source.ReadAsync(manifest.Config, cancellation)).Content), ImageConfig.Parse);
        config.RequireLayersOf(manifest);
        var bars = progress.Start(manifest.Layers.Append(manifest.Config));
        var results = manifest.Layers.ToArray();
        var work = Enumerable.Range(0, results.Length + 1).OrderByDescending(i => i < results.Length ? results[i].Size : 0);
        await EachAsync(
            work,
            async (i, stop) =>
            {
                if (i == results.Length)
                {
                    await destination.PutBlobAsync(manifest.Config, OpeningOf(manifest.Config), bars[i], stop);
                }
                else if (compression is { } wanted && (options.CompressionLevel is not null || MediaTypes.LayerFormatOf(results[i].MediaType, "layers") != wanted))
                {
                    results[i] = await RecompressAsync(results[i], config.Rootfs.DiffIds[i], wanted, bars[i], stop);
                }
                else
                {
                    await destination.PutBlobAsync(results[i], OpeningOf(results[i]), bars[i], stop);
                }
            },
            cancellation);
        return results;
    }

    async Task<Descriptor> RecompressAsync(Descriptor layer, Digest diffId, LayerFormat wanted, LayerProgress bar, CancellationToken cancellation)
    {
        bar.Phase = LayerPhase.Compressing;
        using var packed = await Task.Run(
            () =>
            {
                using var content = new BlobStream(source, layer, 0, registry, cancellation);
                var file = store.Content.CreateUnnamed();
                try
                {
                    return RecompressedLayer.Make(content, diffId, wanted, options.CompressionLevel, file, cancellation);
                }
                catch
                {
                    file.Dispose();
                    throw;
                }
            },
            cancellation);
        bar.Total = packed.Descriptor.Size;
        await destination.PutBlobAsync(packed.Descriptor, (offset, _) => Task.FromResult(packed.Open(offset)), bar, cancellation);
        bar.Phase = LayerPhase.Done;
        return packed.Descriptor with { Annotations = layer.Annotations };
    }

    Task EachAsync<T>(IEnumerable<T> items, Func<T, CancellationToken, Task> work, CancellationToken cancellation) => Parallel.ForEachAsync(
        items,
        new ParallelOptions { MaxDegreeOfParallelism = destination.Parallelism, CancellationToken = cancellation },
        async (item, stop) => await work(item, stop));

    ContentOpening OpeningOf(Descriptor blob) => (offset, stop) => Task.FromResult<Stream>(new BlobStream(source, blob, offset, registry, stop));

    IReadOnlyDictionary<string, string>? Annotated(IReadOnlyDictionary<string, string>? annotations)
    {
        if (options.Annotations.Count == 0)
        {
            return annotations;
        }

        var all = new SortedDictionary<string, string>(annotations?.ToDictionary() ?? [], StringComparer.Ordinal);
        foreach (var (name, value) in options.Annotations)
        {
            all[name] = value;
        }

        return all;
    }

    ImageIndex ReadIndex(SourceDocument document, int depth) => depth < DeepestIndex ? In(document, ImageIndex.Parse)
        : throw new ImageException($"index {document.Descriptor.Digest}: indexes are nested more than {DeepestIndex} deep");

    static SourceDocument ToDocument(byte[] content, string mediaType) =>
        new(new Descriptor { MediaType = mediaType, Digest = ContentStore.DigestOf(content), Size = content.Length }, content);

    delegate T Reading<T>(ReadOnlySpan<byte> json);

    static T In<T>(SourceDocument document, Reading<T> read)
    {
        try
        {
            return read(document.Content);
        }
        catch (SpecException failure)
        {
            throw failure.In($"{document.Descriptor.Digest}");
        }
    }
}
