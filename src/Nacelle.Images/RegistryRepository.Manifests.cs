using System.Net;
using System.Net.Http.Headers;
using Nacelle.Specs;

namespace Nacelle.Images;

public sealed partial class RegistryRepository
{
    /// <summary>The digest that a tag stands for; null when there is none, or the registry does not say without sending the document.</summary>
    public async Task<Digest?> ResolveAsync(string selector, CancellationToken cancellation)
    {
        using var response = await client.SendAsync(HttpMethod.Head, Name, $"manifests/{selector}", AcceptManifests, cancellation);
        return response.IsSuccessStatusCode ? ContentDigest(response) : null;
    }

    /// <summary>Reads a manifest or index by tag or digest.</summary>
    /// <returns>Null when the repository does not have it.</returns>
    /// <exception cref="ImageException">The registry fails, or sends what does not have its digest.</exception>
    /// <exception cref="SpecException">It is neither a manifest nor an index.</exception>
    public async Task<SourceDocument?> FindManifestAsync(string selector, CancellationToken cancellation) =>
        (await TryReadManifestAsync(selector, null, cancellation)).Document;

    /// <returns>The document, or what the registry says instead.</returns>
    internal async Task<(SourceDocument? Document, string? Refusal)> TryReadManifestAsync(string selector, Descriptor? expected, CancellationToken cancellation)
    {
        var (content, mediaType, announced, refusal) = await ReadAsync($"manifests/{selector}", AcceptManifests, cancellation);
        if (refusal is not null)
        {
            return (null, refusal);
        }

        string document = $"manifest {Host}/{Name}{(Digest.TryParse(selector, out var asked) ? "@" : ":")}{selector}";

        // What the header says is checked too: where they differ, something between us and the registry changed one of them.
        foreach (var wanted in new[] { expected?.Digest, asked, announced })
        {
            if (wanted is { } digest && digest != default && ContentStore.DigestOf(content, digest.Algorithm) is var actual && actual != digest)
            {
                throw new ImageException($"{document}: digest mismatch: expected {digest}, got {actual}");
            }
        }

        if (expected is not null && expected.Size != content.Length)
        {
            throw new ImageException($"{document}: the index names {expected.Size} bytes for {expected.Digest}, the registry sends {content.Length}");
        }

        var descriptor = new Descriptor
        {
            MediaType = ImageDocuments.MediaTypeOf(content, mediaType, document),
            Digest = asked != default ? asked : ContentStore.DigestOf(content),
            Size = content.Length,
        };
        return (new SourceDocument(descriptor, content), null);
    }

    /// <summary>Puts a manifest or index under a tag or its digest; its blobs and what it lists must be there.</summary>
    /// <remarks>Where it has a subject and the registry keeps no list of referrers, that list is kept under the tag that stands in for it.</remarks>
    /// <exception cref="ImageException">The registry does not take it.</exception>
    public async Task PutManifestAsync(string selector, SourceDocument manifest, CancellationToken cancellation)
    {
        var request = new RegistryRequest(HttpMethod.Put, writing, $"manifests/{selector}")
        {
            Content = _ =>
            {
                var body = new ByteArrayContent(manifest.Content);
                body.Headers.TryAddWithoutValidation("Content-Type", manifest.Descriptor.MediaType);
                return Task.FromResult<HttpContent>(body);
            },
        };
        using var response = await client.SendAsync(request, cancellation);
        if (response.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.Accepted))
        {
            throw new ImageException($"registry {Host} does not take manifest {manifest.Descriptor.Digest} for {Name}: {await client.ReadErrorAsync(response, cancellation)}");
        }

        if (ContentDigest(response) is { } kept && kept.Algorithm == manifest.Descriptor.Digest.Algorithm && kept != manifest.Descriptor.Digest)
        {
            throw new ImageException($"registry {Host} keeps manifest {manifest.Descriptor.Digest} as {kept}: it changed something");
        }

        if (!response.Headers.Contains("OCI-Subject"))
        {
            await ListInFallbackAsync(manifest, cancellation);
        }
    }

    static void AcceptManifests(HttpRequestHeaders headers)
    {
        foreach (string type in ManifestTypes)
        {
            headers.Accept.Add(new MediaTypeWithQualityHeaderValue(type));
        }
    }

    async Task<(byte[] Content, string MediaType, Digest? Digest, string? Refusal)> ReadAsync(
        string path, Action<HttpRequestHeaders>? headers, CancellationToken cancellation)
    {
        for (int failures = 0; ;)
        {
            using var response = await client.SendAsync(HttpMethod.Get, Name, path, headers, cancellation);
            if (!response.IsSuccessStatusCode)
            {
                return ([], "", null, await client.ReadErrorAsync(response, cancellation));
            }

            try
            {
                var content = await RegistryClient.ReadBodyAsync(response, ImageDocuments.LargestDocument, client.Options.StallTimeout, cancellation);
                return (content, response.Content.Headers.ContentType?.MediaType ?? "", ContentDigest(response), null);
            }
            catch (Exception failure) when (RegistryTransport.IsTransient(failure))
            {
                if (++failures >= client.Options.Attempts)
                {
                    throw new ImageException($"registry {Host} fails to send {path}: {RegistryTransport.Describe(failure)} (tried {failures} times)", failure);
                }
            }

            await Task.Delay(client.Options.DelayAfter(failures), cancellation);
        }
    }

    static Digest? ContentDigest(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Docker-Content-Digest", out var values) && Digest.TryParse(values.First(), out var digest) ? digest : null;
}
