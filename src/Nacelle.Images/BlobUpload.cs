using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Brings one blob into a repository: by finding it there, by mounting it from another, or by sending it, in one piece or several.</summary>
/// <remarks>
/// OCI distribution specification 1.1, spec.md, "Push". After a failure the registry is asked how much has come, and the rest is sent; where it
/// does not know the upload any more, all is.
/// </remarks>
/// <param name="open">Opens the content from the given byte on.</param>
sealed class BlobUpload(
    RegistryClient client, string repository, Descriptor blob, Func<long, CancellationToken, Task<Stream>> open, PushOptions options)
{
    // For registries that take no blob in one request, and do not say what they take.
    const long FallbackChunk = 8 << 20;

    readonly RegistryScope scope = new(repository, Push: true);
    Uri? session;
    long minimumChunk;
    long chunkSize = options.ChunkSize;
    long offset;

    /// <summary>Told of what happens, for --debug.</summary>
    public Action<string>? Note { get; init; }

    public required LayerProgress Bar { get; init; }

    /// <param name="others">Repositories of the same registry that may hold the blob.</param>
    /// <exception cref="ImageException">The registry does not take it.</exception>
    public async Task RunAsync(IEnumerable<string> others, CancellationToken cancellation)
    {
        Bar.Phase = LayerPhase.Sending;
        if (await ExistsAsync(cancellation))
        {
            Note?.Invoke($"{blob.Digest}: the registry has it");
        }
        else if (!await MountAsync(others, cancellation))
        {
            await SendAsync(cancellation);
        }

        Bar.Done = Bar.Total;
        Bar.Phase = LayerPhase.Done;
    }

    async Task<bool> ExistsAsync(CancellationToken cancellation)
    {
        using var response = await client.SendAsync(new RegistryRequest(HttpMethod.Head, scope, $"blobs/{blob.Digest}"), cancellation);
        return response.IsSuccessStatusCode
            || (response.StatusCode == HttpStatusCode.NotFound ? false : throw await RefusedAsync(response, cancellation));
    }

    /// <summary>Asks for the blob from another repository. A registry that does not know it there begins an upload instead, which is then used.</summary>
    async Task<bool> MountAsync(IEnumerable<string> others, CancellationToken cancellation)
    {
        foreach (string other in others.Where(other => other != repository).Take(3))
        {
            var request = new RegistryRequest(
                HttpMethod.Post, scope with { MountFrom = other }, $"blobs/uploads/?mount={blob.Digest}&from={Uri.EscapeDataString(other)}");
            try
            {
                using var response = await client.SendAsync(request, cancellation);
                if (response.StatusCode == HttpStatusCode.Created)
                {
                    Note?.Invoke($"{blob.Digest}: mounted from {other}");
                    return true;
                }

                if (response.StatusCode == HttpStatusCode.Accepted)
                {
                    Begin(response);
                    return false;
                }
            }
            catch (ImageException denied)
            {
                // Who may write here may not read there: then the blob is sent.
                Note?.Invoke($"{blob.Digest}: not mounted from {other}: {denied.Message}");
            }
        }

        return false;
    }

    async Task SendAsync(CancellationToken cancellation)
    {
        for (int failures = 0; ;)
        {
            long before = offset;
            string cause;
            TimeSpan? pause = null;
            try
            {
                if (session is null)
                {
                    await BeginAsync(cancellation);
                }

                using var response = chunkSize > 0 || offset > 0 ? await SendPiecesAsync(cancellation) : await SendWholeAsync(cancellation);
                if (response.StatusCode == HttpStatusCode.Created)
                {
                    return;
                }

                if (response.StatusCode == HttpStatusCode.RequestEntityTooLarge && chunkSize != Math.Max(minimumChunk, FallbackChunk))
                {
                    (session, chunkSize) = (null, Math.Max(minimumChunk, FallbackChunk));
                    continue;
                }

                bool lost = response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.RequestedRangeNotSatisfiable;
                if (!lost && !RegistryClient.IsTransient(response.StatusCode))
                {
                    throw await RefusedAsync(response, cancellation);
                }

                cause = await client.ReadErrorAsync(response, cancellation);
                pause = RegistryClient.RetryAfter(response);
            }
            catch (Exception failure) when (failure is HttpRequestException || RegistryTransport.IsTransient(failure))
            {
                cause = RegistryTransport.Describe(failure);
            }

            if (++failures >= client.Options.Attempts)
            {
                throw new ImageException($"registry {client.Host} does not take blob {blob.Digest}: {cause} (tried {failures} times)");
            }

            Note?.Invoke($"{blob.Digest}: {cause}; trying again");
            await Task.Delay(pause ?? client.Options.DelayAfter(failures), cancellation);
            if (await ResumeAsync(cancellation))
            {
                return;
            }

            failures = offset > before ? 0 : failures;
        }
    }

    async Task BeginAsync(CancellationToken cancellation)
    {
        using var response = await client.SendAsync(new RegistryRequest(HttpMethod.Post, scope, "blobs/uploads/"), cancellation);
        if (response.StatusCode != HttpStatusCode.Accepted)
        {
            throw await RefusedAsync(response, cancellation);
        }

        Begin(response);
    }

    void Begin(HttpResponseMessage response)
    {
        session = client.LocationOf(response);
        minimumChunk = response.Headers.TryGetValues("OCI-Chunk-Min-Length", out var values)
            && long.TryParse(values.First(), CultureInfo.InvariantCulture, out long minimum) ? Math.Max(0, minimum) : 0;
        Bar.Done = offset = 0;
    }

    Task<HttpResponseMessage> SendWholeAsync(CancellationToken cancellation) => client.SendOnceAsync(Finish(blob.Size), cancellation);

    async Task<HttpResponseMessage> SendPiecesAsync(CancellationToken cancellation)
    {
        while (offset < blob.Size)
        {
            long length = chunkSize > 0 ? Math.Min(Math.Max(chunkSize, minimumChunk), blob.Size - offset) : blob.Size - offset;
            var (from, to) = (offset, offset + length - 1);
            var request = new RegistryRequest(HttpMethod.Patch, scope, "") { Location = session, Content = stop => ContentAsync(from, length, stop) };
            var response = await client.SendOnceAsync(request, cancellation);
            if (response.StatusCode is not (HttpStatusCode.Accepted or HttpStatusCode.NoContent))
            {
                return response;
            }

            using (response)
            {
                session = client.LocationOf(response);

                // What a registry did not keep of a piece is sent again.
                Bar.Done = offset = RangeEnd(response) is { } end && end >= from && end <= to ? end + 1 : to + 1;
            }
        }

        return await client.SendOnceAsync(Finish(0), cancellation);
    }

    /// <summary>The request that ends an upload: with the last <paramref name="length"/> bytes.</summary>
    RegistryRequest Finish(long length) => new(HttpMethod.Put, scope, "")
    {
        Location = new Uri($"{session}{(session!.Query.Length == 0 ? "?" : "&")}digest={Uri.EscapeDataString(blob.Digest.ToString())}"),
        Content = length == 0 ? _ => Task.FromResult<HttpContent>(new ByteArrayContent([])) : stop => ContentAsync(blob.Size - length, length, stop),
    };

    async Task<HttpContent> ContentAsync(long from, long length, CancellationToken cancellation)
    {
        Bar.Done = from;
        var content = new UploadContent(await open(from, cancellation), length, count => Bar.Done += count);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        if (length < blob.Size || chunkSize > 0)
        {
            // The specification's own form, without the unit of HTTP's.
            content.Headers.TryAddWithoutValidation("Content-Range", string.Create(CultureInfo.InvariantCulture, $"{from}-{from + length - 1}"));
        }

        return content;
    }

    /// <summary>Finds out where a broken upload stands.</summary>
    /// <returns>True when it turns out to have ended well: only the answer was lost.</returns>
    async Task<bool> ResumeAsync(CancellationToken cancellation)
    {
        if (session is not null)
        {
            using var response = await client.SendAsync(new RegistryRequest(HttpMethod.Get, scope, "") { Location = session }, cancellation);
            if (response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.Accepted or HttpStatusCode.OK && RangeEnd(response) is { } end && end < blob.Size)
            {
                session = response.Headers.Location is null ? session : client.LocationOf(response);

                // "0-0" is said of one byte and of none.
                Bar.Done = offset = end == 0 ? 0 : end + 1;
                Note?.Invoke($"{blob.Digest}: the registry has {offset} bytes of {blob.Size}");
                return false;
            }
        }

        session = null;
        Bar.Done = offset = 0;
        return await ExistsAsync(cancellation);
    }

    static long? RangeEnd(HttpResponseMessage response)
    {
        var text = response.Headers.TryGetValues("Range", out var values) ? values.First()
            : response.Content.Headers.TryGetValues("Range", out values) ? values.First() : null;
        return text?.Replace("bytes=", "", StringComparison.Ordinal).Split('-') is ["0", var end]
            && long.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
    }

    async Task<ImageException> RefusedAsync(HttpResponseMessage response, CancellationToken cancellation) =>
        new($"registry {client.Host} does not take blob {blob.Digest} for {repository}: {await client.ReadErrorAsync(response, cancellation)}");
}
