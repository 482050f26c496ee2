using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>A new archive, which is there under its name when all is in it, and else not at all.</summary>
abstract class ArchiveDestination(string path) : ImageDestination
{
    protected ArchiveWriter Archive { get; } = new(path);

    /// <summary>What a blob is called in the archive.</summary>
    protected abstract string PathOf(Descriptor blob);

    public override async Task PutBlobAsync(Descriptor blob, ContentOpening open, LayerProgress bar, CancellationToken cancellation)
    {
        if (!Archive.Contains(PathOf(blob)))
        {
            await using var content = await open(0, cancellation);
            Archive.Add(PathOf(blob), content, blob.Size);
            bar.Done = blob.Size;
        }
    }

    public override Task FinishAsync(CancellationToken cancellation)
    {
        Archive.Finish();
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        Archive.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>A new tar archive of an OCI image layout.</summary>
/// <remarks>OCI image specification 1.1, image-layout.md.</remarks>
sealed class OciArchiveDestination(ImageFile name) : ArchiveDestination(name.Path)
{
    protected override string PathOf(Descriptor blob) => PathOf(blob.Digest);

    public override Task PutManifestAsync(SourceDocument manifest, bool isNamed, CancellationToken cancellation)
    {
        Archive.Add(PathOf(manifest.Descriptor.Digest), manifest.Content);
        if (isNamed)
        {
            var entry = manifest.Descriptor with
            {
                Annotations = name.Selector is null ? null : new Dictionary<string, string> { [Descriptor.ReferenceName] = name.Selector },
            };
            Archive.Add("index.json", new ImageIndex { Manifests = [entry] }.ToJson());
            Archive.Add("oci-layout", new ImageLayoutFile().ToJson());
        }

        return Task.CompletedTask;
    }

    static string PathOf(Digest digest) => $"blobs/{digest.Algorithm}/{digest.Hex}";
}

/// <summary>A new archive as <c>docker save</c> writes it, which <c>docker load</c> and its kin read.</summary>
/// <remarks>Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset Format".</remarks>
sealed class DockerArchiveDestination(ImageFile name) : ArchiveDestination(name.Path)
{
    readonly ImageReference? tag = name.Selector is null ? null : ImageReference.Parse(name.Selector);

    public override bool WantsPlainLayers => true;

    public override ManifestFormat? Format => ManifestFormat.Docker;

    protected override string PathOf(Descriptor blob) => blob.MediaType is MediaTypes.DockerConfig or MediaTypes.OciConfig ? ConfigPath(blob.Digest) : LayerPath(blob.Digest);

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
        Archive.Add("manifest.json", DockerArchiveEntry.WriteList([entry]));
        return Task.CompletedTask;
    }

    static string ConfigPath(Digest digest) => digest.Hex + ".json";

    static string LayerPath(Digest digest) => digest.Hex + ".tar";
}
