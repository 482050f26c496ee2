using System.Net;
using System.Net.Http.Headers;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>A repository of a registry, as the distribution specification sees it: manifests and blobs put, read, listed and deleted.</summary>
/// <remarks>OCI distribution specification 1.1, spec.md. All failures are <see cref="ImageException"/>, told in one line, after as many attempts as the options allow.</remarks>
public sealed partial class RegistryRepository : IDisposable
{
    static readonly string[] ManifestTypes = [MediaTypes.OciIndex, MediaTypes.DockerIndex, MediaTypes.OciManifest, MediaTypes.DockerManifest];

    readonly RegistryClient client;
    readonly RegistryScope reading, writing;

    /// <param name="host">Name or address, with the port where there is one.</param>
    /// <param name="repository">The path within the registry.</param>
    public RegistryRepository(string host, string repository, RegistryOptions options)
    {
        Host = host;
        Name = repository;
        client = new RegistryClient(host, options);
        reading = new RegistryScope(repository);
        writing = new RegistryScope(repository, Push: true);
    }

    public string Host { get; }

    public string Name { get; }

    internal RegistryClient Client => client;

    public void Dispose() => client.Dispose();

    public async Task<bool> HasBlobAsync(Digest blob, CancellationToken cancellation)
    {
        using var response = await client.SendAsync(HttpMethod.Head, Name, $"blobs/{blob}", null, cancellation);
        return response.IsSuccessStatusCode;
    }

    /// <summary>Reads a small blob into memory and checks it.</summary>
    /// <returns>Null when the repository does not have it.</returns>
    public async Task<byte[]?> FindBlobAsync(Descriptor blob, CancellationToken cancellation)
    {
        var (content, _, _, refusal) = await ReadAsync($"blobs/{blob.Digest}", null, cancellation);
        return refusal is not null ? null
            : ContentStore.DigestOf(content, blob.Digest.Algorithm) is var actual && actual == blob.Digest ? content
            : throw new ImageException($"blob {blob.Digest} of {Host}/{Name}: digest mismatch: expected {blob.Digest}, got {actual}");
    }

    /// <summary>Has the repository take a blob that is at hand.</summary>
    public Task PutBlobAsync(Descriptor blob, byte[] content, CancellationToken cancellation) =>
        PutBlobAsync(blob, (offset, _) => Task.FromResult<Stream>(new MemoryStream(content, (int)offset, content.Length - (int)offset)), new PushOptions(), [], null, null, cancellation);

    /// <summary>Has the repository take a blob, unless it has it already or can take it over from one of the <paramref name="others"/>.</summary>
    /// <param name="open">Opens the content from the given byte on; the stream is disposed by who asked for it.</param>
    internal Task PutBlobAsync(
        Descriptor blob,
        Func<long, CancellationToken, Task<Stream>> open,
        PushOptions options,
        IEnumerable<string> others,
        LayerProgress? bar,
        Action<string>? note,
        CancellationToken cancellation) =>
        new BlobUpload(client, Name, blob, open, options) { Bar = bar ?? new LayerProgress(blob.Digest, blob.Size), Note = note }.RunAsync(others, cancellation);

    /// <summary>Opens a blob from the given byte on, or from an earlier one where the registry cannot do that.</summary>
    /// <param name="known">The strong entity tag that came with what is here already, or null.</param>
    internal async Task<(BlobBody Body, EntityTagHeaderValue? Tag)> OpenBlobAsync(
        Descriptor blob, long offset, EntityTagHeaderValue? known, CancellationToken cancellation)
    {
        var response = await client.SendAsync(HttpMethod.Get, Name, $"blobs/{blob.Digest}", headers =>
        {
            if (offset > 0)
            {
                headers.Range = new RangeHeaderValue(offset, null);
                headers.IfRange = known is null ? null : new RangeConditionHeaderValue(known);
            }
        }, cancellation);
        try
        {
            if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && offset > 0)
            {
                response.Dispose();
                return await OpenBlobAsync(blob, 0, null, cancellation);
            }

            if (!response.IsSuccessStatusCode)
            {
                throw new ImageException($"blob {blob.Digest} not found: registry {Host} says {await client.ReadErrorAsync(response, cancellation)}");
            }

            long start = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.From ?? -1 : 0;
            return start < 0 || start > offset
                ? throw new IOException("the registry sends another range than was asked for")
                : (new BlobBody(await response.Content.ReadAsStreamAsync(cancellation), start), response.Headers.ETag is { IsWeak: false } tag ? tag : null);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <returns>False when there is none, or the registry does not delete blobs.</returns>
    public Task<bool> DeleteBlobAsync(Digest blob, CancellationToken cancellation) => DeleteAsync($"blobs/{blob}", cancellation);

    /// <summary>Deletes a manifest by its digest, or (where the registry knows how) a tag by its name.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="ImageException">The registry does not delete.</exception>
    public Task<bool> DeleteManifestAsync(string selector, CancellationToken cancellation) => DeleteAsync($"manifests/{selector}", cancellation);

    async Task<bool> DeleteAsync(string path, CancellationToken cancellation)
    {
        var request = new RegistryRequest(HttpMethod.Delete, writing with { Delete = true }, path);
        using var response = await client.SendAsync(request, cancellation);
        return response.IsSuccessStatusCode
            || (response.StatusCode == HttpStatusCode.NotFound ? false
                : throw new ImageException($"registry {Host} does not delete {path} of {Name}: {await client.ReadErrorAsync(response, cancellation)}"));
    }
}
