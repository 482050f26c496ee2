using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images;

/// <summary>An image in a registry, or in the mirrors that stand in for it.</summary>
/// <remarks>The first place that has the manifest also gives the blobs; what it then cannot give comes from the next.</remarks>
sealed class RegistrySource : ImageSource
{
    readonly ImageReference reference;
    readonly IReadOnlyList<(RegistryRepository Repository, string Selector)> places;
    readonly ConcurrentDictionary<(int Place, Digest Blob), EntityTagHeaderValue> entityTags = new();
    int current;

    /// <exception cref="ImageException">The registry is blocked.</exception>
    public RegistrySource(ImageReference reference, RegistryOptions options)
    {
        this.reference = reference;
        var sources = options.Registries.PullSources(reference);

        // Behind a mirror stands another place that can be asked, so it gets one chance more and not all of them.
        var hasty = options with { Attempts = Math.Min(options.Attempts, 2) };
        places = [.. sources.Select((place, i) => (new RegistryRepository(
            place.Reference.Host, place.Reference.Repository, (i < sources.Count - 1 ? hasty : options).For(place.Insecure)), place.Reference.Selector))];
    }

    public override ImageName Name => reference;

    /// <summary>The repository that answers.</summary>
    public RegistryRepository Repository => places[Volatile.Read(ref current)].Repository;

    /// <summary>The digest that the name stands for now; null when the registry does not say without sending the document.</summary>
    public Task<Digest?> ResolveDigestAsync(CancellationToken cancellation) => InTurnAsync(
        async place => await places[place].Repository.ResolveAsync(places[place].Selector, cancellation)
            ?? (place == places.Count - 1 ? null : throw new ImageException("it does not say")));

    public override Task<SourceDocument> ResolveAsync(CancellationToken cancellation) =>
        InTurnAsync(place => ReadManifestAsync(place, places[place].Selector, null, cancellation));

    public override Task<SourceDocument> ReadAsync(Descriptor descriptor, CancellationToken cancellation) => InTurnAsync(async place =>
    {
        if (MediaTypes.IsIndex(descriptor.MediaType) || MediaTypes.IsManifest(descriptor.MediaType))
        {
            return await ReadManifestAsync(place, descriptor.Digest.ToString(), descriptor, cancellation);
        }

        var content = await places[place].Repository.FindBlobAsync(descriptor, cancellation);
        return content is not null ? new SourceDocument(descriptor, content)
            : throw new ImageException($"image not found: registry {places[place].Repository.Host} lacks blob {descriptor.Digest} of {reference.Name}");
    });

    public override Task<BlobBody> OpenAsync(Descriptor descriptor, long offset, CancellationToken cancellation) => InTurnAsync(async place =>
    {
        var key = (place, descriptor.Digest);
        var (body, tag) = await places[place].Repository.OpenBlobAsync(descriptor, offset, entityTags.GetValueOrDefault(key), cancellation);

        // A strong tag only: a weak one promises nothing about the bytes (RFC 9110, 13.1.5).
        if (tag is not null)
        {
            entityTags[key] = tag;
        }

        return body;
    });

    public override async Task<IReadOnlyList<SigstoreSignature>> ReadSigstoreSignaturesAsync(Digest manifest, CancellationToken cancellation)
    {
        const int LargestClaim = 1 << 20;
        var tag = SigstoreSignature.TagOf(manifest);
        var document = await Repository.FindManifestAsync(tag, cancellation);
        var found = new List<SigstoreSignature>();
        foreach (var layer in document is null ? [] : ParseSignatures(document.Content, tag))
        {
            if (layer.MediaType == SigstoreSignature.MediaType && layer.Size <= LargestClaim && layer.Annotations?.GetValueOrDefault(SigstoreSignature.Annotation) is { } signature
                && await Repository.FindBlobAsync(layer, cancellation) is { } claim)
            {
                found.Add(new SigstoreSignature(claim, signature));
            }
        }

        return found;
    }

    static IReadOnlyList<Descriptor> ParseSignatures(byte[] manifest, string tag)
    {
        try
        {
            return ImageManifest.ParseArtifact(manifest).Layers;
        }
        catch (SpecException malformed)
        {
            throw malformed.In($"manifest {tag}");
        }
    }

    public override ValueTask DisposeAsync()
    {
        foreach (var (repository, _) in places)
        {
            repository.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    async Task<T> InTurnAsync<T>(Func<int, Task<T>> ask)
    {
        for (int place = Volatile.Read(ref current); ; place++)
        {
            try
            {
                var answer = await ask(place);
                Volatile.Write(ref current, place);
                return answer;
            }
            catch (ImageException) when (place < places.Count - 1)
            {
                // A mirror that fails, or does not have it: what the last place says counts.
            }
        }
    }

    async Task<SourceDocument> ReadManifestAsync(int place, string selector, Descriptor? expected, CancellationToken cancellation)
    {
        var (document, refusal) = await places[place].Repository.TryReadManifestAsync(selector, expected, cancellation);
        return document ?? throw new ImageException($"image not found: registry {places[place].Repository.Host} says of {reference.Name}: {refusal}");
    }
}
