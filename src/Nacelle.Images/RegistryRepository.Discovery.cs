using System.Net;
using Nacelle.Specs;

namespace Nacelle.Images;

public sealed partial class RegistryRepository
{
    // A registry that never comes to an end is not listened to forever.
    const int MostPages = 1000, MostTags = 1_000_000;

    /// <summary>All tags, in the registry's order.</summary>
    /// <param name="pageSize">How many are asked for at a time; 0 leaves that to the registry.</param>
    /// <exception cref="ImageException">There is no such repository, or the list is malformed.</exception>
    /// <remarks>OCI distribution specification 1.1, "Listing Tags".</remarks>
    public async Task<IReadOnlyList<string>> ListTagsAsync(int pageSize, CancellationToken cancellation)
    {
        var tags = new List<string>();
        await foreach (var page in PagesAsync($"tags/list{(pageSize > 0 ? $"?n={pageSize}" : "")}", cancellation))
        {
            try
            {
                tags.AddRange(SpecNode.Parse(page, node => node.Texts("tags")));
            }
            catch (SpecException failure)
            {
                throw new ImageException(failure.In($"the tags of {Host}/{Name}").Message, failure);
            }

            if (tags.Count > MostTags)
            {
                throw new ImageException($"registry {Host} lists more than {MostTags} tags of {Name}");
            }
        }

        return tags;
    }

    /// <summary>The manifests that name the given one as their subject: signatures and the like. Empty where there are none.</summary>
    /// <param name="artifactType">Only those of that kind; null for all.</param>
    /// <remarks>OCI distribution specification 1.1, "Listing Referrers" and "Unavailable Referrers API".</remarks>
    public async Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, string? artifactType, CancellationToken cancellation)
    {
        var referrers = new List<Descriptor>();
        bool known = false;
        await foreach (var page in PagesAsync($"referrers/{subject}{(artifactType is null ? "" : "?artifactType=" + Uri.EscapeDataString(artifactType))}", cancellation, missing: () => { }))
        {
            known = true;
            referrers.AddRange(ReadIndex(page, $"the referrers of {subject}").Manifests);
        }

        if (!known && await FindManifestAsync(subject.FileName, cancellation) is { } fallback && MediaTypes.IsIndex(fallback.Descriptor.MediaType))
        {
            referrers.AddRange(ReadIndex(fallback.Content, $"the referrers of {subject}").Manifests);
        }

        // A registry need not filter; and who keeps the fallback's list cannot.
        return artifactType is null ? referrers : referrers.FindAll(referrer => referrer.ArtifactType == artifactType);
    }

    /// <summary>Adds a manifest with a subject to the list that stands in for the registry's own.</summary>
    async Task ListInFallbackAsync(SourceDocument manifest, CancellationToken cancellation)
    {
        var head = Referrer.Parse(manifest.Content);
        if (head.Subject is not { } subject)
        {
            return;
        }

        var entry = manifest.Descriptor with { ArtifactType = head.ArtifactType, Annotations = head.Annotations, Platform = null };
        var existing = await FindManifestAsync(subject.Digest.FileName, cancellation);
        var listed = existing is null ? [] : ReadIndex(existing.Content, $"the referrers of {subject.Digest}").Manifests;
        if (listed.Any(one => one.Digest == entry.Digest))
        {
            return;
        }

        var content = new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = [.. listed, entry] }.ToJson();
        await PutManifestAsync(
            subject.Digest.FileName,
            new SourceDocument(new Descriptor { MediaType = MediaTypes.OciIndex, Digest = ContentStore.DigestOf(content), Size = content.Length }, content),
            cancellation);
    }

    static ImageIndex ReadIndex(byte[] content, string document)
    {
        try
        {
            return ImageIndex.Parse(content);
        }
        catch (SpecException failure)
        {
            throw failure.In(document);
        }
    }

    /// <summary>Reads a list page by page, as far as the registry's Link headers lead (RFC 8288).</summary>
    /// <param name="missing">Called when there is no such list; null where that is an error.</param>
    async IAsyncEnumerable<byte[]> PagesAsync(
        string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation, Action? missing = null)
    {
        Uri? location = null;
        var seen = new HashSet<Uri>();
        for (int pages = 0; pages == 0 || location is not null; pages++)
        {
            if (pages == MostPages)
            {
                throw new ImageException($"registry {Host} sends more than {MostPages} pages for {path}");
            }

            using var response = await client.SendAsync(new RegistryRequest(HttpMethod.Get, reading, path) { Location = location }, cancellation);
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed && missing is not null)
            {
                missing();
                yield break;
            }

            if (!response.IsSuccessStatusCode)
            {
                throw new ImageException($"registry {Host} does not answer for {Name}/{path}: {await client.ReadErrorAsync(response, cancellation)}");
            }

            byte[] page;
            try
            {
                page = await RegistryClient.ReadBodyAsync(response, ImageDocuments.LargestDocument, client.Options.StallTimeout, cancellation);
            }
            catch (Exception failure) when (RegistryTransport.IsTransient(failure))
            {
                throw new ImageException($"registry {Host} fails to send {path}: {RegistryTransport.Describe(failure)}", failure);
            }

            yield return page;
            location = NextOf(response);
            if (location is not null && !seen.Add(location))
            {
                throw new ImageException($"registry {Host} sends the same page of {path} again and again");
            }
        }
    }

    Uri? NextOf(HttpResponseMessage response)
    {
        foreach (string link in response.Headers.TryGetValues("Link", out var values) ? values : [])
        {
            int end = link.IndexOf('>', StringComparison.Ordinal);
            if (link.StartsWith('<') && end > 0 && link[end..].Contains("next", StringComparison.Ordinal)
                && Uri.TryCreate(response.RequestMessage!.RequestUri!, link[1..end], out var next))
            {
                return RegistryTransport.SameOrigin(next, response.RequestMessage.RequestUri!) ? next
                    : throw new ImageException($"registry {Host} continues a list at {next.GetLeftPart(UriPartial.Authority)}: another place is not asked");
            }
        }

        return null;
    }
}
