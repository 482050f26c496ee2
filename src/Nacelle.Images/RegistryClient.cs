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

    /// <summary>Sends a request for <c>/v2/REPOSITORY/…</c> until it is answered for good; the caller judges the status and disposes the answer.</summary>
    /// <exception cref="ImageException">The registry cannot be reached, denies access, or keeps failing.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string repository, string path, Action<HttpRequestHeaders>? headers, CancellationToken cancellation)
    {
        var registry = await ConnectAsync(cancellation);
        int refusals = 0;
        for (int failures = 0; ;)
        {
            string cause;
            TimeSpan? pause = null;
            var carried = authorization.For(repository);
            try
            {
                var response = await transport.SendAsync(Create, cancellation);
                if (response.StatusCode == HttpStatusCode.Unauthorized)
                {
                    // The second time a token may just have run out; the third time it is not wanted. A host that we were redirected to has nothing
                    // to ask: answering its challenge would carry the credential to wherever it likes.
                    bool ours = RegistryTransport.SameOrigin(registry, response.RequestMessage?.RequestUri ?? registry);
                    if (ours && ++refusals <= 2 && await authorization.RenewAsync(repository, carried, response.Headers, cancellation))
                    {
                        response.Dispose();
                        continue;
                    }
                }

                if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
                {
                    using (response)
                    {
                        throw new ImageException($"registry {host} denies access to {repository}: {await ReadErrorAsync(response, cancellation)}");
                    }
                }

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

        HttpRequestMessage Create()
        {
            var request = new HttpRequestMessage(method, new Uri(registry, $"/v2/{repository}/{path}"));
            request.Headers.Authorization = authorization.For(repository);
            headers?.Invoke(request.Headers);
            return request;
        }
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
