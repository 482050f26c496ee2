using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Copies images between registries, the store, OCI layouts and archives.</summary>
/// <remarks>
/// A source is written as <see cref="ImageSource.OpenAsync"/> reads it. A destination is <c>docker://…</c>, <c>oci:PATH[:TAG]</c>, <c>oci-archive:PATH[:TAG]</c>,
/// <c>docker-archive:PATH[:REFERENCE]</c>, or <c>store:</c> and a registry's name for the image.
/// </remarks>
public sealed class ImageCopier(ImageStore store, CopyOptions copy, FetchOptions fetch, PushOptions push, FetchProgress progress)
{
    /// <returns>The manifest or index that the destination's name stands for now.</returns>
    /// <exception cref="ImageException">There is no such image, or the destination does not take it.</exception>
    /// <exception cref="SpecException">A name or a document is not valid.</exception>
    public async Task<Descriptor> CopyAsync(string from, string to, CancellationToken cancellation)
    {
        if (to.StartsWith(ImageSource.StorePrefix, StringComparison.Ordinal))
        {
            return await StoreAsync(from, ImageReference.Parse(to[ImageSource.StorePrefix.Length..]), cancellation);
        }

        using var held = store.HoldContent();
        var name = ImageName.Parse(to);
        await using var source = await ImageSource.OpenAsync(from, store, fetch.Registry, cancellation);
        await using var destination = Open(name, source);
        return await new ImageCopy(source, destination, store, copy, fetch.Registry, progress).RunAsync(cancellation);
    }

    ImageDestination Open(ImageName name, ImageSource source) => name switch
    {
        ImageReference reference => new RegistryDestination(
            reference, fetch.Registry.For(fetch.Registry.Registries.IsInsecure(reference)), push, blob => RepositoriesWith(blob, reference.Host, source), progress.Note),
        ImageFile { Format: ImageFileFormat.OciLayout } file => new LayoutDestination(file),
        ImageFile { Format: ImageFileFormat.OciArchive } file => new OciArchiveDestination(file),
        ImageFile { Format: ImageFileFormat.DockerArchive } file => new DockerArchiveDestination(file),
        _ => throw new ImageException($"{name} does not say how the image is to be written: begin with docker://, oci:, oci-archive:, docker-archive: or store:"),
    };

    /// <summary>Repositories of the host that hold the blob, as far as is known here: where the image comes from, and where others of the store came from.</summary>
    IEnumerable<string> RepositoriesWith(Digest blob, string host, ImageSource source)
    {
        if (source is RegistrySource && source.Name is ImageReference origin && origin.Host == host)
        {
            yield return origin.Repository;
        }

        string beginning = $"docker://{host}/";
        foreach (var image in store.List().Where(image => !image.IsAci && image.Name.StartsWith(beginning, StringComparison.Ordinal)))
        {
            if (image.Config == blob || store.ReadManifest(image).Layers.Any(layer => layer.Digest == blob))
            {
                yield return ImageReference.Parse(image.Name).Repository;
            }
        }
    }

    /// <summary>Brings an image into the store as any other is brought there, and gives it the name.</summary>
    async Task<Descriptor> StoreAsync(string from, ImageReference name, CancellationToken cancellation)
    {
        if (copy.AllPlatforms || copy.Changes)
        {
            throw new ImageException("the store keeps an image for one platform, as it comes: --all, --format, --compression and --annotation do not go with store:");
        }

        using var held = store.HoldContent();
        await using var source = await ImageSource.OpenAsync(from, store, fetch.Registry, cancellation);
        var known = store.Find(source.Name);
        var image = source is StoreSource && known is not null ? known
            : await new ImageFetcher(store, fetch with { Platform = copy.Platform, PullPolicy = PullPolicy.Update }, progress).FetchAsync(source.Name, cancellation);
        if (image.IsAci)
        {
            throw new ImageException($"{image.DisplayName} is an appc image, whose name stands in its manifest");
        }

        store.Add(image with { Name = name.ToString() });
        if (known is null && image.Name != name.ToString())
        {
            store.Forget(image);
        }

        return image.Manifest;
    }
}
