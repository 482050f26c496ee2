using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>Requests to one registry, or another server, and wherever it redirects to: TLS, certificates, proxies from the environment, redirects.</summary>
sealed class RegistryTransport : IDisposable
{
    const int MostRedirects = 10;

    readonly RegistryOptions options;
    readonly string host;
    readonly string kind;
    readonly X509Certificate2Collection authorities;
    readonly HttpClient client;

    /// <param name="kind">What the host is called in messages.</param>
    public RegistryTransport(string host, RegistryOptions options, string kind = "registry")
    {
        this.host = host;
        this.kind = kind;
        this.options = options;
        authorities = ReadAuthorities(); // here, where a file that is none can still be told
        var handler = new SocketsHttpHandler
        {
            // Redirects are followed below, where it is decided whether the credential may travel along.
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(Math.Min(30, options.StallTimeout.TotalSeconds)),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        };
        handler.SslOptions.RemoteCertificateValidationCallback = Validate;
        if (ReadClientCertificate() is { } certificate)
        {
            handler.SslOptions.ClientCertificates = [certificate];
        }

        client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", "nacelle/0.1.0");
    }

    /// <summary>Puts on a request what tells the host who asks. Called for each address that is asked, as long as it is of the first one's origin.</summary>
    public Action<HttpRequestMessage>? Authorize { get; init; }

    /// <summary>Why the last certificate was refused, or null.</summary>
    public string? CertificateFault { get; private set; }

    /// <summary>
    /// Sends a request and follows redirects; the Authorization header goes only to the scheme, host and port it was meant for.
    /// Returns as soon as the headers have come; the body must be read, with its own guard against stalling.
    /// </summary>
    /// <exception cref="TimeoutException">No answer within the stall timeout.</exception>
    /// <exception cref="ImageException">A redirect that leads to plain http, or one too many.</exception>
    public Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> create, CancellationToken cancellation) =>
        SendAsync(() => Task.FromResult(create()), cancellation);

    /// <inheritdoc cref="SendAsync(Func{HttpRequestMessage}, CancellationToken)"/>
    public async Task<HttpResponseMessage> SendAsync(Func<Task<HttpRequestMessage>> create, CancellationToken cancellation)
    {
        Uri? location = null;
        for (int redirects = 0; ; redirects++)
        {
            using var request = await create();
            var target = location ?? request.RequestUri!;
            bool ours = SameOrigin(request.RequestUri!, target);
            request.RequestUri = target;
            if (ours)
            {
                Authorize?.Invoke(request);
            }
            else
            {
                request.Headers.Authorization = null;
            }

            using var guard = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            guard.CancelAfter(options.StallTimeout);
            if (request.Content is UploadContent upload)
            {
                upload.Advanced = () => Postpone(guard);
            }

            HttpResponseMessage response;
            try
            {
                response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, guard.Token);
            }
            catch (OperationCanceledException stalled) when (!cancellation.IsCancellationRequested)
            {
                throw new TimeoutException($"{target.Authority} did not answer for {options.StallTimeout.TotalSeconds:0} s", stalled);
            }

            if (response.StatusCode is not (HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther
                    or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
                || response.Headers.Location is not { } next)
            {
                return response;
            }

            response.Dispose();
            location = Uri.TryCreate(target, next, out var absolute) ? absolute : throw new ImageException($"{kind} {host} redirects to what is no address");
            if (redirects == MostRedirects)
            {
                throw new ImageException($"{kind} {host} redirects more than {MostRedirects} times");
            }

            if (location.Scheme != Uri.UriSchemeHttps && !(location.Scheme == Uri.UriSchemeHttp && options.InsecureHttp))
            {
                throw new ImageException($"{kind} {host} redirects to {location.GetLeftPart(UriPartial.Authority)}, which is not https; use --insecure-options=http to allow it");
            }
        }
    }

    public void Dispose() => client.Dispose();

    void Postpone(CancellationTokenSource guard)
    {
        try
        {
            guard.CancelAfter(options.StallTimeout);
        }
        catch (ObjectDisposedException)
        {
            // The answer came before all was sent.
        }
    }

    /// <summary>What decides whether a credential may travel: scheme, host and port.</summary>
    public static bool SameOrigin(Uri a, Uri b) =>
        a.Scheme == b.Scheme && a.Port == b.Port && string.Equals(a.Host, b.Host, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a failure to send may be gone the next time.</summary>
    public static bool IsTransient(Exception failure) => failure is TimeoutException or IOException
        or HttpRequestException { HttpRequestError: not (HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.UserAuthenticationError) };

    /// <summary>A failure in a person's words; the library's own are not in the executable.</summary>
    public static string Describe(Exception failure)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException socket)
            {
                return socket.SocketErrorCode switch
                {
                    SocketError.ConnectionRefused => "connection refused",
                    SocketError.ConnectionReset => "connection reset",
                    SocketError.HostNotFound or SocketError.NoData => "no such host",
                    SocketError.TryAgain => "the name service does not answer",
                    SocketError.TimedOut => "timed out",
                    SocketError.HostUnreachable or SocketError.NetworkUnreachable => "no route to the host",
                    var code => $"socket error {code}",
                };
            }
        }

        return failure switch
        {
            TimeoutException => failure.Message,
            HttpRequestException http => http.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => "no such host",
                HttpRequestError.ConnectionError => "no connection",
                HttpRequestError.SecureConnectionError => "no TLS connection",
                HttpRequestError.ResponseEnded => "the connection was closed early",
                HttpRequestError.InvalidResponse => "the answer is not HTTP",
                HttpRequestError.ProxyTunnelError => "the proxy refuses",
                var error => $"{error}",
            },
            IOException => "the connection was closed early",
            _ => failure.Message,
        };
    }

    bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None || options.InsecureTls)
        {
            return true;
        }

        if (errors == SslPolicyErrors.RemoteCertificateChainErrors && certificate is X509Certificate2 leaf && authorities.Count > 0)
        {
            using var own = new X509Chain();
            own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            own.ChainPolicy.CustomTrustStore.AddRange(authorities);
            foreach (var element in chain?.ChainElements ?? own.ChainElements)
            {
                own.ChainPolicy.ExtraStore.Add(element.Certificate);
            }

            if (own.Build(leaf))
            {
                return true;
            }
        }

        CertificateFault = errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? "its certificate is for another name"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) ? "it shows no certificate"
            : "its certificate is not trusted";
        return false;
    }

    /// <summary>The host's own authorities. See dockerd(8), containers-certs.d(5).</summary>
    X509Certificate2Collection ReadAuthorities()
    {
        var found = new X509Certificate2Collection();
        foreach (string path in CertificateFiles(".crt"))
        {
            found.AddRange(ParseAuthorities(Files.TryReadText(FileDescriptor.WorkingDirectory, path), path));
        }

        return found;
    }

    /// <exception cref="ImageException">A certificate in it is none. What is not in PEM is passed over.</exception>
    internal static X509Certificate2Collection ParseAuthorities(string? pem, string path)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(pem);
            return found;
        }
        catch (System.Security.Cryptography.CryptographicException failure)
        {
            throw new ImageException($"{path} is not a certificate in PEM", failure);
        }
    }

    X509Certificate2? ReadClientCertificate()
    {
        foreach (string path in CertificateFiles(".cert"))
        {
            try
            {
                using var pem = X509Certificate2.CreateFromPem(
                    Files.TryReadText(FileDescriptor.WorkingDirectory, path), Files.TryReadText(FileDescriptor.WorkingDirectory, path[..^5] + ".key"));
                return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
            }
            catch (Exception failure) when (failure is System.Security.Cryptography.CryptographicException or ArgumentException)
            {
                throw new ImageException($"{path} and its .key are not a certificate and key in PEM", failure);
            }
        }

        return null;
    }

    IEnumerable<string> CertificateFiles(string extension)
    {
        foreach (string directory in new[] { $"/etc/containers/certs.d/{host}", $"/etc/docker/certs.d/{host}" })
        {
            foreach (var entry in Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, directory))
            {
                if (entry.Name.EndsWith(extension, StringComparison.Ordinal))
                {
                    yield return $"{directory}/{entry.Name}";
                }
            }
        }
    }
}
