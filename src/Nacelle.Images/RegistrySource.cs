using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>An image in a registry.</summary>
sealed class RegistrySource(ImageReference reference, RegistryOptions options) : ImageSource
{
    readonly RegistryRepository repository = new(reference.Host, reference.Repository, options);
    readonly ConcurrentDictionary<Digest, EntityTagHeaderValue> entityTags = new();

    public override ImageName Name => reference;

    /// <summary>The digest that the name stands for now; null when the registry does not say without sending the document.</summary>
    public Task<Digest?> ResolveDigestAsync(CancellationToken cancellation) => repository.ResolveAsync(reference.Selector, cancellation);

    public override Task<SourceDocument> ResolveAsync(CancellationToken cancellation) => ReadManifestAsync(reference.Selector, null, cancellation);

    public override async Task<SourceDocument> ReadAsync(Descriptor descriptor, CancellationToken cancellation)
    {
        if (MediaTypes.IsIndex(descriptor.MediaType) || MediaTypes.IsManifest(descriptor.MediaType))
        {
            return await ReadManifestAsync(descriptor.Digest.ToString(), descriptor, cancellation);
        }

        var content = await repository.FindBlobAsync(descriptor, cancellation);
        return content is not null ? new SourceDocument(descriptor, content)
            : throw new ImageException($"image not found: registry {repository.Host} lacks blob {descriptor.Digest} of {reference.Name}");
    }

    public override async Task<BlobBody> OpenAsync(Descriptor descriptor, long offset, CancellationToken cancellation)
    {
        var (body, tag) = await repository.OpenBlobAsync(descriptor, offset, entityTags.GetValueOrDefault(descriptor.Digest), cancellation);

        // A strong tag only: a weak one promises nothing about the bytes (RFC 9110, 13.1.5).
        if (tag is not null)
        {
            entityTags[descriptor.Digest] = tag;
        }

        return body;
    }

    public override ValueTask DisposeAsync()
    {
        repository.Dispose();
        return ValueTask.CompletedTask;
    }

    async Task<SourceDocument> ReadManifestAsync(string selector, Descriptor? expected, CancellationToken cancellation)
    {
        var (document, refusal) = await repository.TryReadManifestAsync(selector, expected, cancellation);
        return document ?? throw new ImageException($"image not found: registry {repository.Host} says of {reference.Name}: {refusal}");
    }
}
