using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>One registry, spoken to by the OCI distribution API: answers challenges, tries again what may pass, and says clearly what did not.</summary>
/// <remarks>OCI distribution specification 1.1, spec.md, "Pull".</remarks>
sealed class RegistryClient : IDisposable
{
    readonly string host;
    readonly RegistryOptions options;
    readonly RegistryTransport transport;
    readonly RegistryAuthorization authorization;
    readonly SemaphoreSlim connecting = new(1);
    Uri? address;

    public RegistryClient(string host, RegistryOptions options)
    {
        this.host = host;
        this.options = options;
        transport = new RegistryTransport(host, options);
        authorization = new RegistryAuthorization(host, transport, options);
    }

    public string Host => host;

    public RegistryOptions Options => options;

    /// <summary>Reads something of a repository.</summary>
    /// <inheritdoc cref="SendAsync(RegistryRequest, CancellationToken)"/>
    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string repository, string path, Action<HttpRequestHeaders>? headers, CancellationToken cancellation) =>
        SendAsync(new RegistryRequest(method, new RegistryScope(repository), path) { Headers = headers }, cancellation);

    /// <summary>Sends a request for <c>/v2/REPOSITORY/…</c> until it is answered for good; the caller judges the status and disposes the answer.</summary>
    /// <exception cref="ImageException">The registry cannot be reached, denies access, or keeps failing.</exception>
    public async Task<HttpResponseMessage> SendAsync(RegistryRequest request, CancellationToken cancellation)
    {
        for (int failures = 0; ;)
        {
            string cause;
            TimeSpan? pause = null;
            try
            {
                var response = await SendOnceAsync(request, cancellation);
                if (!IsTransient(response.StatusCode))
                {
                    return response;
                }

                using (response)
                {
                    cause = await ReadErrorAsync(response, cancellation);
                    pause = RetryAfter(response);
                }
            }
            catch (Exception failure) when (RegistryTransport.IsTransient(failure))
            {
                cause = RegistryTransport.Describe(failure);
            }
            catch (HttpRequestException failure)
            {
                throw Unreachable(failure);
            }

            if (++failures >= options.Attempts)
            {
                throw new ImageException($"registry {host} fails: {cause} (tried {failures} times)");
            }

            await Task.Delay(pause ?? options.DelayAfter(failures), cancellation);
        }
    }

    /// <summary>Sends a request, again only as far as the registry wants to know who asks: what may pass by itself is the caller's to judge.</summary>
    /// <exception cref="ImageException">The registry denies access.</exception>
    /// <exception cref="HttpRequestException">It cannot be reached, or breaks off; as <see cref="IOException"/> and <see cref="TimeoutException"/>.</exception>
    public async Task<HttpResponseMessage> SendOnceAsync(RegistryRequest request, CancellationToken cancellation)
    {
        var registry = await ConnectAsync(cancellation);
        var address = request.Location ?? new Uri(registry, $"/v2/{request.Scope.Repository}/{request.Path}");
        bool ours = RegistryTransport.SameOrigin(registry, address);
        for (int refusals = 0; ;)
        {
            var carried = ours ? authorization.For(request.Scope) : null;
            var response = await transport.SendAsync(CreateAsync, cancellation);
            if (response.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden))
            {
                return response;
            }

            using (response)
            {
                // The second time a token may just have run out; the third time it is not wanted. A host that we were redirected to has nothing
                // to ask: answering its challenge would carry the credential to wherever it likes.
                bool asked = response.StatusCode == HttpStatusCode.Unauthorized && RegistryTransport.SameOrigin(registry, response.RequestMessage?.RequestUri ?? registry);
                if (!asked || ++refusals > 2 || !await authorization.RenewAsync(request.Scope, carried, response.Headers, cancellation))
                {
                    throw new ImageException($"registry {host} denies access to {request.Scope.Repository}: {await ReadErrorAsync(response, cancellation)}");
                }
            }
        }

        async Task<HttpRequestMessage> CreateAsync()
        {
            var message = new HttpRequestMessage(request.Method, address);
            message.Headers.Authorization = ours ? authorization.For(request.Scope) : null;
            request.Headers?.Invoke(message.Headers);
            message.Content = request.Content is { } body ? await body(cancellation) : null;
            return message;
        }
    }

    /// <summary>A place that the registry named, as an absolute address.</summary>
    /// <exception cref="ImageException">None is named, or one where nothing may be sent.</exception>
    public Uri LocationOf(HttpResponseMessage response)
    {
        var location = response.Headers.Location is not { } named || response.RequestMessage?.RequestUri is not { } from
            ? throw new ImageException($"registry {host} does not say where to go on with an upload")
            : Uri.TryCreate(from, named, out var absolute) ? absolute
            : throw new ImageException($"registry {host} says to go on with an upload at what is no address");
        return location.Scheme == Uri.UriSchemeHttps || (location.Scheme == Uri.UriSchemeHttp && options.InsecureHttp) ? location
            : throw new ImageException($"registry {host} wants uploads at {location.GetLeftPart(UriPartial.Authority)}, which is not https; use --insecure-options=http to allow it");
    }

    public static bool IsTransient(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)status >= 500;

    /// <summary>How long a refused request is asked to wait, within reason.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        var wanted = response.Headers.RetryAfter?.Delta ?? (response.Headers.RetryAfter?.Date - DateTimeOffset.UtcNow);
        return wanted is not { } pause ? null
            : pause < TimeSpan.Zero ? TimeSpan.Zero
            : pause > RegistryOptions.LongestRetryAfter ? RegistryOptions.LongestRetryAfter : pause;
    }

    /// <summary>Reads a whole body of at most <paramref name="largest"/> bytes.</summary>
    /// <exception cref="ImageException">It is longer.</exception>
    /// <exception cref="TimeoutException">No byte came for the stall timeout.</exception>
    public static async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, int largest, TimeSpan stallTimeout, CancellationToken cancellation)
    {
        using var body = await response.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[16384];
        int length = 0;
        using var guard = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        while (true)
        {
            guard.CancelAfter(stallTimeout);
            int count;
            try
            {
                count = await body.ReadAsync(buffer.AsMemory(length), guard.Token);
            }
            catch (OperationCanceledException stalled) when (!cancellation.IsCancellationRequested)
            {
                throw new TimeoutException($"no byte came for {stallTimeout.TotalSeconds:0} s", stalled);
            }

            if (count == 0)
            {
                return buffer.AsSpan(0, length).ToArray();
            }

            length += count;
            if (length > largest)
            {
                throw new ImageException($"{response.RequestMessage?.RequestUri} answers with more than {largest} bytes");
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 4);
            }
        }
    }

    /// <summary>What the registry says is wrong, with the status.</summary>
    public async Task<string> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        string said = "";
        try
        {
            var body = await ReadBodyAsync(response, 65536, options.StallTimeout, cancellation);
            var error = JsonSerializer.Deserialize(body, CredentialJson.Default.RegistryErrors)?.Errors?.FirstOrDefault();
            said = OneLine(string.IsNullOrEmpty(error?.Message) ? error?.Code ?? "" : error.Message);
        }
        catch (Exception failure) when (failure is JsonException or ImageException or HttpRequestException or IOException or TimeoutException)
        {
            // Not every server in between speaks the API's language; then the status must do.
        }

        if (response.StatusCode == HttpStatusCode.Unauthorized)
        {
            // RFC 6750, 3.1; docker-registry's words are those for who has not said his name. The answer to HEAD has none at all.
            said = AuthenticationChallenge.Of(response.Headers).Any(challenge => challenge["error"] == "insufficient_scope") ? "what is asked for is not allowed"
                : said.Length == 0 ? "authentication required" : said;
        }

        return said.Length > 0 ? $"{said} ({(int)response.StatusCode})" : $"status {(int)response.StatusCode}";
    }

    public void Dispose()
    {
        authorization.Dispose();
        transport.Dispose();
        connecting.Dispose();
    }

    /// <summary>Finds out once whether the registry speaks https; plain http only where it is allowed and https does not answer.</summary>
    async Task<Uri> ConnectAsync(CancellationToken cancellation)
    {
        await connecting.WaitAsync(cancellation);
        try
        {
            return address ??= await ProbeAsync(cancellation);
        }
        finally
        {
            connecting.Release();
        }
    }

    async Task<Uri> ProbeAsync(CancellationToken cancellation)
    {
        string authority = host == "docker.io" ? "registry-1.docker.io" : host;
        var secure = new Uri($"https://{authority}");
        HttpRequestException? refused = null;
        foreach (var candidate in options.InsecureHttp ? [secure, new Uri($"http://{authority}")] : new[] { secure })
        {
            for (int failures = 0; ;)
            {
                try
                {
                    using var response = await transport.SendAsync(() => new HttpRequestMessage(HttpMethod.Get, new Uri(candidate, "/v2/")), cancellation);
                    return candidate;
                }
                catch (HttpRequestException failure) when (failure.HttpRequestError is HttpRequestError.ConnectionError
                    or HttpRequestError.SecureConnectionError or HttpRequestError.NameResolutionError)
                {
                    // Nothing suggests that this passes by itself; a person waits for the answer.
                    refused ??= failure;
                    if (transport.CertificateFault is not null)
                    {
                        throw Unreachable(failure);
                    }

                    break;
                }
                catch (Exception failure) when (RegistryTransport.IsTransient(failure))
                {
                    if (++failures >= options.Attempts)
                    {
                        throw Unreachable(failure);
                    }

                    await Task.Delay(options.DelayAfter(failures), cancellation);
                }
            }
        }

        throw Unreachable(refused!);
    }

    ImageException Unreachable(Exception failure)
    {
        string cause = transport.CertificateFault is { } fault
            ? $"{fault}; put its authority into /etc/containers/certs.d/{host}/ca.crt, or use --insecure-options=tls"
            : failure is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } && !options.InsecureHttp
                ? "it does not speak TLS; use --insecure-options=http if plain http is meant"
                : RegistryTransport.Describe(failure);
        return new ImageException($"cannot reach registry {host}: {cause}", failure);
    }

    static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (char letter in text.AsSpan(0, Math.Min(text.Length, 300)))
        {
            line.Append(char.IsControl(letter) ? ' ' : letter);
        }

        return line.ToString().Trim();
    }
}
