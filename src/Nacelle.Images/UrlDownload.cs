using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>A file fetched by its address: kept in <c>ingest/</c> and held by this process until it is disposed, which removes it.</summary>
sealed class DownloadedFile(ContentStore content, string name, FileDescriptor file, HttpResponseMessage answer) : IDisposable
{
    public FileDescriptor File => file;

    public string? EntityTag { get; } = answer.Headers.ETag?.ToString();

    /// <summary>How long the answer may be used again without asking (RFC 9111, 5.2.2).</summary>
    public TimeSpan Fresh { get; } = answer.Headers.CacheControl is { NoCache: false, NoStore: false, MaxAge: { } age } ? age : TimeSpan.Zero;

    public void Dispose()
    {
        content.RemovePartial(name);
        content.RemovePartial(name + UrlDownload.ValidatorEnding);
        file.Dispose();
    }
}

/// <summary>What came of asking for a file.</summary>
/// <param name="File">Null when the file is as it was, or to be asked for later.</param>
sealed record UrlAnswer(HttpStatusCode Status, DownloadedFile? File)
{
    public bool IsUnchanged => Status == HttpStatusCode.NotModified;

    /// <summary>The server does not have it yet, and will when the image has been fetched: for signatures made on demand.</summary>
    public bool IsDeferred => Status == HttpStatusCode.Accepted;
}

/// <summary>Fetches files by their addresses: asked anew only when changed, resumed where an interrupted download ended, tried again when the line breaks.</summary>
/// <remarks>RFC 9110, 13 and 14; appc 0.8.11, spec/discovery.md.</remarks>
sealed class UrlDownload(ContentStore content, FetchOptions options, FetchProgress progress) : IDisposable
{
    internal const string ValidatorEnding = ".validator";
    const int BufferSize = 256 * 1024, LargestPage = 1 << 20;

    readonly Dictionary<string, RegistryTransport> transports = [];

    public void Dispose()
    {
        foreach (var transport in transports.Values)
        {
            transport.Dispose();
        }
    }

    /// <summary>Fetches a page of at most 1 MiB.</summary>
    /// <returns>Null when there is none: the server answers with 4xx.</returns>
    /// <exception cref="ImageException">The server cannot be reached, or fails.</exception>
    public async Task<string?> ReadPageAsync(Uri address, CancellationToken cancellation) =>
        await ReadBytesAsync(address, cancellation) is { } page ? Encoding.UTF8.GetString(page) : null;

    /// <inheritdoc cref="ReadPageAsync"/>
    public async Task<byte[]?> ReadBytesAsync(Uri address, CancellationToken cancellation)
    {
        for (int failures = 0; ;)
        {
            string cause;
            try
            {
                using var response = await SendAsync(address, _ => { }, cancellation);
                if (!RegistryClient.IsTransient(response.StatusCode))
                {
                    return !response.IsSuccessStatusCode ? null
                        : await RegistryClient.ReadBodyAsync(response, LargestPage, options.Registry.StallTimeout, cancellation);
                }

                cause = Describe(response.StatusCode);
            }
            catch (Exception failure) when (RegistryTransport.IsTransient(failure))
            {
                cause = RegistryTransport.Describe(failure);
            }

            await PauseAsync(address, ++failures, cause, cancellation);
        }
    }

    /// <param name="title">What the file is called in the progress.</param>
    /// <param name="known">The entity tag of what is here already, or null.</param>
    /// <param name="largest">In bytes; more is refused.</param>
    /// <exception cref="ImageException">The server cannot be reached, does not have the file, or fails; or the file is too large.</exception>
    public async Task<UrlAnswer> GetAsync(Uri address, string title, string? known, long largest, CancellationToken cancellation)
    {
        var name = "url-" + ImageStore.FileNameOf(address.AbsoluteUri);
        FileDescriptor? file;
        while ((file = content.TryOpenPartial(name)) is null)
        {
            await Task.Delay(50, cancellation);
        }

        try
        {
            DownloadProgress? bar = null;
            for (int failures = 0; ;)
            {
                long before = Files.Seek(file, 0, SeekOrigin.End);
                string cause;
                try
                {
                    using var response = await SendAsync(address, headers => Condition(headers, before, name, known), cancellation);
                    if (response.StatusCode is HttpStatusCode.NotModified or HttpStatusCode.Accepted)
                    {
                        Leave(file, name);
                        return new UrlAnswer(response.StatusCode, null);
                    }

                    if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && before > 0)
                    {
                        Restart(file, name);
                        continue;
                    }

                    if (response.IsSuccessStatusCode)
                    {
                        bar ??= progress.Start(title, Total(response, largest, address, file));
                        await ReceiveAsync(response, file, name, largest, address, bar, cancellation);
                        bar.IsOver = true;
                        return new UrlAnswer(response.StatusCode, new DownloadedFile(content, name, file, response));
                    }

                    if (!RegistryClient.IsTransient(response.StatusCode))
                    {
                        throw new ImageException($"{address}: {Describe(response.StatusCode)}");
                    }

                    cause = Describe(response.StatusCode);
                }
                catch (Exception failure) when (RegistryTransport.IsTransient(failure))
                {
                    cause = RegistryTransport.Describe(failure);
                }

                failures = Files.Seek(file, 0, SeekOrigin.End) > before ? 1 : failures + 1;
                await PauseAsync(address, failures, cause, cancellation);
            }
        }
        catch
        {
            Leave(file, name);
            throw;
        }
    }

    void Condition(HttpRequestHeaders headers, long have, string name, string? known)
    {
        if (known is not null && EntityTagHeaderValue.TryParse(known, out var tag))
        {
            headers.IfNoneMatch.Add(tag);
        }

        // Only a strong validator says that the rest belongs to what is here (RFC 9110, 13.1.5).
        if (have > 0 && content.ReadPartialNote(name + ValidatorEnding) is { } validator && RangeConditionHeaderValue.TryParse(validator, out var condition))
        {
            headers.Range = new RangeHeaderValue(have, null);
            headers.IfRange = condition;
        }
    }

    static long? Total(HttpResponseMessage response, long largest, Uri address, FileDescriptor file)
    {
        long? total = response.Content.Headers.ContentRange?.Length ?? response.Content.Headers.ContentLength;
        if (total > largest)
        {
            throw new ImageException($"{address} has {total} bytes; at most {largest} are fetched");
        }

        FreeSpace.Require(file, (total ?? 0) - Files.Seek(file, 0, SeekOrigin.End), $"{address}");
        return total;
    }

    async Task ReceiveAsync(
        HttpResponseMessage response, FileDescriptor file, string name, long largest, Uri address, DownloadProgress bar, CancellationToken cancellation)
    {
        long at = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.From ?? -1 : 0;
        if (at < 0 || at > Files.Seek(file, 0, SeekOrigin.End))
        {
            throw new IOException("the server sends another range than was asked for");
        }

        if (at == 0)
        {
            content.WritePartialNote(name + ValidatorEnding, response.Headers.ETag is { IsWeak: false } tag ? tag.ToString() : response.Content.Headers.LastModified?.ToString("R") ?? "");
        }

        Files.SetLength(file, at);
        Files.Seek(file, at, SeekOrigin.Begin);
        long? expected = response.Content.Headers.ContentLength + at;
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        using var guard = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var buffer = new byte[BufferSize];
        while (true)
        {
            guard.CancelAfter(options.Registry.StallTimeout);
            int count;
            try
            {
                count = await body.ReadAsync(buffer, guard.Token);
            }
            catch (OperationCanceledException stalled) when (!cancellation.IsCancellationRequested)
            {
                throw new TimeoutException($"no byte came for {options.Registry.StallTimeout.TotalSeconds:0} s", stalled);
            }

            if (count == 0)
            {
                if (at < expected)
                {
                    throw new IOException("the content ended early");
                }

                return;
            }

            at += count;
            if (at > largest)
            {
                throw new ImageException($"{address} has more than {largest} bytes");
            }

            Files.Write(file, buffer.AsSpan(0, count));
            bar.Done = at;
        }
    }

    /// <summary>Keeps what has come for the next time, if anything has.</summary>
    void Leave(FileDescriptor file, string name)
    {
        if (Files.Status(file).Size == 0)
        {
            content.RemovePartial(name);
            content.RemovePartial(name + ValidatorEnding);
        }

        file.Dispose();
    }

    void Restart(FileDescriptor file, string name)
    {
        Files.SetLength(file, 0);
        content.RemovePartial(name + ValidatorEnding);
    }

    async Task<HttpResponseMessage> SendAsync(Uri address, Action<HttpRequestHeaders> headers, CancellationToken cancellation)
    {
        if (address.Scheme != Uri.UriSchemeHttps && !options.Registry.InsecureHttp)
        {
            throw new ImageException($"{address} is not https; use --insecure-options=http to allow it");
        }

        if (!transports.TryGetValue(address.Authority, out var transport))
        {
            transports[address.Authority] = transport = new RegistryTransport(address.Authority, options.Registry, "server")
            {
                Authorize = request => HostAuthorization.Apply(request, options.Registry.Hosts, DateTimeOffset.UtcNow),
            };
        }

        try
        {
            return await transport.SendAsync(
                () =>
                {
                    var request = new HttpRequestMessage(HttpMethod.Get, address);
                    headers(request.Headers);
                    return request;
                },
                cancellation);
        }
        catch (HttpRequestException failure) when (!RegistryTransport.IsTransient(failure))
        {
            throw new ImageException($"{address}: {transport.CertificateFault ?? RegistryTransport.Describe(failure)}", failure);
        }
    }

    async Task PauseAsync(Uri address, int failures, string cause, CancellationToken cancellation)
    {
        if (failures >= options.Registry.Attempts)
        {
            throw new ImageException($"{address}: {cause} (tried {failures} times)");
        }

        progress.Note?.Invoke($"{address}: {cause}; trying again");
        await Task.Delay(options.Registry.DelayAfter(failures), cancellation);
    }

    static string Describe(HttpStatusCode status) => status switch
    {
        HttpStatusCode.NotFound => "not found",
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => "access denied",
        _ => $"the server answers {(int)status}",
    };
}
