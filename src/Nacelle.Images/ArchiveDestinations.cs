using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>A new tar archive of an OCI image layout.</summary>
/// <remarks>OCI image specification 1.1, image-layout.md.</remarks>
sealed class OciArchiveDestination(ImageFile name) : ImageDestination
{
    readonly ArchiveWriter archive = new(name.Path);

    public override async Task PutBlobAsync(Descriptor blob, ContentOpening open, LayerProgress bar, CancellationToken cancellation)
    {
        if (!archive.Contains(PathOf(blob.Digest)))
        {
            await using var content = await open(0, cancellation);
            archive.Add(PathOf(blob.Digest), content, blob.Size);
            bar.Done = blob.Size;
        }
    }

    public override Task PutManifestAsync(SourceDocument manifest, bool isNamed, CancellationToken cancellation)
    {
        archive.Add(PathOf(manifest.Descriptor.Digest), manifest.Content);
        if (isNamed)
        {
            var entry = manifest.Descriptor with
            {
                Annotations = name.Selector is null ? null : new Dictionary<string, string> { [Descriptor.ReferenceName] = name.Selector },
            };
            archive.Add("index.json", new ImageIndex { Manifests = [entry] }.ToJson());
            archive.Add("oci-layout", new ImageLayoutFile().ToJson());
        }

        return Task.CompletedTask;
    }

    public override Task FinishAsync(CancellationToken cancellation)
    {
        archive.Finish();
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        archive.Dispose();
        return ValueTask.CompletedTask;
    }

    static string PathOf(Digest digest) => $"blobs/{digest.Algorithm}/{digest.Hex}";
}

/// <summary>A new archive as <c>docker save</c> writes it, which <c>docker load</c> and its kin read.</summary>
/// <remarks>Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset Format".</remarks>
sealed class DockerArchiveDestination(ImageFile name) : ImageDestination
{
    readonly ArchiveWriter archive = new(name.Path);
    readonly ImageReference? tag = name.Selector is null ? null : ImageReference.Parse(name.Selector);

    public override bool WantsPlainLayers => true;

    public override ManifestFormat? Format => ManifestFormat.Docker;

    public override async Task PutBlobAsync(Descriptor blob, ContentOpening open, LayerProgress bar, CancellationToken cancellation)
    {
        string path = blob.MediaType is MediaTypes.DockerConfig or MediaTypes.OciConfig ? ConfigPath(blob.Digest) : LayerPath(blob.Digest);
        if (!archive.Contains(path))
        {
            await using var content = await open(0, cancellation);
            archive.Add(path, content, blob.Size);
            bar.Done = blob.Size;
        }
    }

    public override Task PutManifestAsync(SourceDocument manifest, bool isNamed, CancellationToken cancellation)
    {
        if (MediaTypes.IsIndex(manifest.Descriptor.MediaType))
        {
            throw new ImageException($"{name.Path}: such an archive holds images for one platform each; leave --all out");
        }

        var image = ImageManifest.Parse(manifest.Content);
        var entry = new DockerArchiveEntry
        {
            Config = ConfigPath(image.Config.Digest),
            RepoTags = tag is null ? [] : [tag.FamiliarName],
            Layers = [.. image.Layers.Select(layer => LayerPath(layer.Digest))],
        };
        archive.Add("manifest.json", DockerArchiveEntry.WriteList([entry]));
        return Task.CompletedTask;
    }

    public override Task FinishAsync(CancellationToken cancellation)
    {
        archive.Finish();
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        archive.Dispose();
        return ValueTask.CompletedTask;
    }

    static string ConfigPath(Digest digest) => digest.Hex + ".json";

    static string LayerPath(Digest digest) => digest.Hex + ".tar";
}
