using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Brings images into the store: resolves the name, chooses the platform, fetches and unpacks the layers, and only then gives the image its name.</summary>
/// <remarks>Interrupted at any point it leaves whole content under its digest and partial downloads that the next fetch resumes; nothing else.</remarks>
public sealed class ImageFetcher(ImageStore store, FetchOptions options, FetchProgress progress)
{
    /// <summary>Fetches what a person means, by a name that may leave out the registry: of several places that it may mean the first that has it.</summary>
    /// <inheritdoc cref="FetchAsync(ImageName, CancellationToken)"/>
    public async Task<StoredImage> FetchAsync(string text, CancellationToken cancellation)
    {
        text = Distribution.Usual(text);
        if (!text.StartsWith("docker:", StringComparison.Ordinal))
        {
            return await FetchAsync(ImageName.Parse(text), cancellation);
        }

        var candidates = options.Registry.Registries.Candidates(text);
        if (candidates.Count > 1 && options.PullPolicy != PullPolicy.Update && candidates.FirstOrDefault(candidate => store.Find(candidate) is not null) is { } here)
        {
            return await FetchAsync(here, cancellation);
        }

        var refusals = new List<string>();
        foreach (var candidate in candidates.SkipLast(1))
        {
            try
            {
                return await FetchAsync(candidate, cancellation);
            }
            catch (ImageException refused)
            {
                refusals.Add(refused.Message);
                progress.Note?.Invoke(refused.Message);
            }
        }

        try
        {
            return await FetchAsync(candidates[^1], cancellation);
        }
        catch (ImageException refused) when (refusals.Count > 0)
        {
            throw new ImageException($"{text} is in none of {string.Join(", ", candidates.Select(one => one.Host))}: {string.Join("; ", refusals)}; {refused.Message}", refused);
        }
    }

    /// <exception cref="ImageException">There is no such image, or it cannot be had; the message is for a person.</exception>
    /// <exception cref="SpecException">A document of the image is not valid.</exception>
    /// <exception cref="LayerException">A layer is refused.</exception>
    /// <exception cref="KernelException">The machine's fault: no room, no right.</exception>
    public async Task<StoredImage> FetchAsync(ImageName name, CancellationToken cancellation)
    {
        store.Recover();
        if (options.Signature is not null && (name is ImageReference or ImageFile { Format: not ImageFileFormat.Detect }))
        {
            throw new ImageException($"{name}: only appc images have detached signatures; for others see containers-policy.json(5)");
        }

        if (name is ImageReference reference)
        {
            await using var registry = new RegistrySource(reference, options.Registry);
            return await FindAsync(registry, reference, cancellation) ?? await FetchAsync(registry, cancellation);
        }

        switch (name)
        {
            case AppcImageName appc: return await new AciFetcher(store, options, progress).FetchAsync(appc, cancellation);
            case ImageUrl url: return await new AciFetcher(store, options, progress).FetchAsync(url, cancellation);
            case ImageFile { Format: ImageFileFormat.Detect } file when AciFile.TryOpen(file.Path) is { } aci:
                using (aci)
                {
                    return await new AciFetcher(store, options, progress).FetchAsync(file.Path, aci, cancellation);
                }
        }

        await using var source = await FileSource.OpenAsync((ImageFile)name, store, cancellation);
        return await FetchAsync(source, cancellation);
    }

    /// <summary>The image as it is in the store, where the pull policy is content with that.</summary>
    async Task<StoredImage?> FindAsync(RegistrySource registry, ImageReference reference, CancellationToken cancellation)
    {
        var stored = store.Find(reference);
        if (stored is not null && !IsComplete(stored))
        {
            progress.Note?.Invoke($"{reference}: the store lacks parts of it");
            stored = null;
        }

        switch (options.PullPolicy)
        {
            case PullPolicy.Never:
                return stored ?? throw new ImageException($"image not found: {reference.Name} is not in the store, and --pull-policy=never");
            case PullPolicy.New:
                return stored?.Platform == options.Platform.ToString() ? stored : null;
        }

        if (stored is null || stored.Platform != options.Platform.ToString())
        {
            return null;
        }

        var trust = ImageTrust.Of(options, registry);
        var current = reference.Digest ?? await registry.ResolveDigestAsync(cancellation);
        if (current != stored.Resolved)
        {
            return null;
        }

        // The policy may be another one than when the image was fetched.
        await RequireAsync(trust, new SourceDocument(stored.Manifest, store.Content.Read(stored.Manifest.Digest)), cancellation);
        return stored;
    }

    async Task RequireAsync(ImageTrust? trust, SourceDocument manifest, CancellationToken cancellation)
    {
        if (trust is not null)
        {
            using var download = new UrlDownload(store.Content, options, progress);
            await trust.RequireAsync(manifest, download, progress, cancellation);
        }
    }

    bool IsComplete(StoredImage stored)
    {
        var manifest = store.Content.SizeOf(stored.Manifest.Digest) is null ? null : store.ReadManifest(stored);
        return manifest is not null
            && store.Content.SizeOf(stored.Config) is not null
            && manifest.Layers.All(layer => store.Content.SizeOf(layer.Digest) == layer.Size)
            && store.ReadConfig(stored).Rootfs.DiffIds.All(store.Layers.Contains);
    }

    async Task<StoredImage> FetchAsync(ImageSource source, CancellationToken cancellation)
    {
        var trust = ImageTrust.Of(options, source);
        using var held = store.HoldContent();
        var resolved = await source.ResolveAsync(cancellation);
        var document = await source.ChooseAsync(resolved, options.Platform, cancellation);
        await RequireAsync(trust, document, cancellation);
        string where = $"manifest {document.Descriptor.Digest}";
        var manifest = In(where, () => ImageManifest.Parse(document.Content));
        progress.Note?.Invoke($"{source.Name}: {where}");

        var config = await ReadConfigAsync(source, manifest, cancellation);
        await FetchLayersAsync(source, manifest, config, cancellation);
        await store.Content.PutAsync(document.Descriptor, document.Content, cancellation);

        // Other tools find only OCI manifests in a layout; a Docker manifest says the same in other words, so the layout gets it in both.
        var layout = document.Descriptor;
        if (layout.MediaType == MediaTypes.DockerManifest)
        {
            var translated = manifest.ToOci().ToJson();
            layout = new Descriptor { MediaType = MediaTypes.OciManifest, Digest = ContentStore.DigestOf(translated), Size = translated.Length };
            await store.Content.PutAsync(layout, translated, cancellation);
        }

        var image = new StoredImage
        {
            Name = source.Name.ToString(),
            Manifest = document.Descriptor,
            Layout = layout,
            Config = manifest.Config.Digest,
            Resolved = resolved.Descriptor.Digest,
            Platform = options.Platform.ToString(),
            Size = document.Descriptor.Size + manifest.Config.Size + manifest.Layers.DistinctBy(layer => layer.Digest).Sum(layer => layer.Size),
            Imported = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()),
            LastUsed = DateTimeOffset.UtcNow,
        };
        store.Add(image);
        return image;
    }

    async Task<ImageConfig> ReadConfigAsync(ImageSource source, ImageManifest manifest, CancellationToken cancellation)
    {
        string where = $"config {manifest.Config.Digest}";
        byte[] content;
        if (manifest.Config.Size > ImageDocuments.LargestDocument)
        {
            throw new SpecException("", $"is {manifest.Config.Size} bytes long; at most {ImageDocuments.LargestDocument} are read").In(where);
        }

        if (store.Content.SizeOf(manifest.Config.Digest) is not null)
        {
            content = store.Content.Read(manifest.Config.Digest);
        }
        else
        {
            content = (await source.ReadAsync(manifest.Config, cancellation)).Content;
            try
            {
                await store.Content.PutAsync(manifest.Config, content, cancellation);
            }
            catch (DigestMismatchException mismatch)
            {
                throw new ImageException($"{where}: {mismatch.Message}", mismatch);
            }
        }

        return In(where, () =>
        {
            var config = ImageConfig.Parse(content);
            config.RequireLayersOf(manifest);
            return config.Architecture.Length == 0 || options.Platform.Distance(config.Platform) is not null ? config
                : throw new ImageException($"{source.Name} is for {config.Platform}, not for {options.Platform}; use --platform={config.Platform} if that is meant");
        });
    }

    async Task FetchLayersAsync(ImageSource source, ImageManifest manifest, ImageConfig config, CancellationToken cancellation)
    {
        // The same layer may stand in an image twice, and two blobs may unpack to the same layer: one after the other, then.
        var layers = manifest.Layers.Zip(config.Rootfs.DiffIds, (blob, diffId) => (Blob: blob, DiffId: diffId)).DistinctBy(layer => layer.Blob.Digest).ToList();

        // What is fetched lies in the store twice, and unpacked it is hardly ever smaller: so much at least is known before the first byte.
        decimal needed = layers.Where(layer => store.Content.SizeOf(layer.Blob.Digest) is null).Sum(layer => (decimal)layer.Blob.Size)
            + layers.Where(layer => !store.Layers.Contains(layer.DiffId)).Sum(layer => (decimal)layer.Blob.Size);
        FreeSpace.Require(store.Data, needed, source.Name.ToString());
        var bars = progress.Start(layers.Select(layer => layer.Blob));
        var groups = layers.Zip(bars).GroupBy(layer => layer.First.DiffId).OrderByDescending(group => group.Max(layer => layer.First.Blob.Size));

        // The largest first, so that at the end none is alone at work for long.
        await Parallel.ForEachAsync(
            groups,
            new ParallelOptions { MaxDegreeOfParallelism = options.Parallelism, CancellationToken = cancellation },
            async (group, stop) =>
            {
                foreach (var ((blob, diffId), bar) in group)
                {
                    await new LayerFetch(store, source, blob, diffId, options, bar, progress).RunAsync(stop);
                }
            });
    }

    static T In<T>(string document, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SpecException failure)
        {
            throw failure.In(document);
        }
    }
}
