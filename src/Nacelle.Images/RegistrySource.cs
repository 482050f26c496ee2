using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>An image in a registry.</summary>
sealed class RegistrySource(ImageReference reference, RegistryOptions options) : ImageSource
{
    static readonly string[] ManifestTypes = [MediaTypes.OciIndex, MediaTypes.DockerIndex, MediaTypes.OciManifest, MediaTypes.DockerManifest];

    readonly RegistryClient client = new(reference.Host, options);
    readonly ConcurrentDictionary<Digest, EntityTagHeaderValue> entityTags = new();

    public override ImageName Name => reference;

    /// <summary>The digest that the name stands for now; null when the registry does not say without sending the document.</summary>
    public async Task<Digest?> ResolveDigestAsync(CancellationToken cancellation)
    {
        using var response = await client.SendAsync(HttpMethod.Head, reference.Repository, $"manifests/{reference.Selector}", AcceptManifests, cancellation);
        return response.IsSuccessStatusCode && ContentDigest(response) is { } digest ? digest : null;
    }

    public override Task<SourceDocument> ResolveAsync(CancellationToken cancellation) =>
        ReadManifestAsync(reference.Selector, reference.Digest, null, cancellation);

    public override async Task<SourceDocument> ReadAsync(Descriptor descriptor, CancellationToken cancellation)
    {
        if (MediaTypes.IsIndex(descriptor.MediaType) || MediaTypes.IsManifest(descriptor.MediaType))
        {
            return await ReadManifestAsync(descriptor.Digest.ToString(), descriptor.Digest, descriptor, cancellation);
        }

        var content = await ReadRetryingAsync($"blobs/{descriptor.Digest}", null, cancellation);
        return new SourceDocument(descriptor, content.Content);
    }

    public override async Task<BlobBody> OpenAsync(Descriptor descriptor, long offset, CancellationToken cancellation)
    {
        var response = await client.SendAsync(HttpMethod.Get, reference.Repository, $"blobs/{descriptor.Digest}", headers =>
        {
            if (offset > 0)
            {
                headers.Range = new RangeHeaderValue(offset, null);
                if (entityTags.TryGetValue(descriptor.Digest, out var known))
                {
                    headers.IfRange = new RangeConditionHeaderValue(known);
                }
            }
        }, cancellation);
        try
        {
            if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && offset > 0)
            {
                response.Dispose();
                return await OpenAsync(descriptor, 0, cancellation);
            }

            if (!response.IsSuccessStatusCode)
            {
                throw new ImageException($"blob {descriptor.Digest} not found: registry {reference.Host} says {await client.ReadErrorAsync(response, cancellation)}");
            }

            // A strong tag only: a weak one promises nothing about the bytes (RFC 9110, 13.1.5).
            if (response.Headers.ETag is { IsWeak: false } tag)
            {
                entityTags[descriptor.Digest] = tag;
            }

            long start = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.From ?? -1 : 0;
            return start < 0 || start > offset
                ? throw new IOException("the registry sends another range than was asked for")
                : new BlobBody(await response.Content.ReadAsStreamAsync(cancellation), start);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public override ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    static void AcceptManifests(HttpRequestHeaders headers)
    {
        foreach (string type in ManifestTypes)
        {
            headers.Accept.Add(new MediaTypeWithQualityHeaderValue(type));
        }
    }

    async Task<SourceDocument> ReadManifestAsync(string selector, Digest? expected, Descriptor? descriptor, CancellationToken cancellation)
    {
        var (content, mediaType, announced) = await ReadRetryingAsync($"manifests/{selector}", AcceptManifests, cancellation);
        string document = $"manifest {reference.Name}";

        // What the header says is checked too: where they differ, something between us and the registry changed one of them.
        foreach (var wanted in new[] { expected, announced })
        {
            if (wanted is { } digest && ContentStore.DigestOf(content, digest.Algorithm) is var actual && actual != digest)
            {
                throw new ImageException($"{document}: digest mismatch: expected {digest}, got {actual}");
            }
        }

        if (descriptor is not null && descriptor.Size != content.Length)
        {
            throw new ImageException($"{document}: the index names {descriptor.Size} bytes for {descriptor.Digest}, the registry sends {content.Length}");
        }

        return new SourceDocument(
            new Descriptor
            {
                MediaType = ImageDocuments.MediaTypeOf(content, mediaType, document),
                Digest = expected ?? ContentStore.DigestOf(content),
                Size = content.Length,
            },
            content);
    }

    async Task<(byte[] Content, string MediaType, Digest? Digest)> ReadRetryingAsync(string path, Action<HttpRequestHeaders>? headers, CancellationToken cancellation)
    {
        for (int failures = 0; ;)
        {
            using var response = await client.SendAsync(HttpMethod.Get, reference.Repository, path, headers, cancellation);
            if (!response.IsSuccessStatusCode)
            {
                throw new ImageException($"image not found: registry {reference.Host} says of {reference.Name}: {await client.ReadErrorAsync(response, cancellation)}");
            }

            try
            {
                var content = await RegistryClient.ReadBodyAsync(response, ImageDocuments.LargestDocument, options.StallTimeout, cancellation);
                return (content, response.Content.Headers.ContentType?.MediaType ?? "", ContentDigest(response));
            }
            catch (Exception failure) when (RegistryTransport.IsTransient(failure))
            {
                if (++failures >= options.Attempts)
                {
                    throw new ImageException($"registry {reference.Host} fails to send {path}: {RegistryTransport.Describe(failure)} (tried {failures} times)", failure);
                }
            }

            await Task.Delay(options.DelayAfter(failures), cancellation);
        }
    }

    static Digest? ContentDigest(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Docker-Content-Digest", out var values) && Digest.TryParse(values.First(), out var digest) ? digest : null;
}
