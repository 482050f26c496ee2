using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Nacelle.Images.Tests;

/// <summary>What somebody has asked the token service for.</summary>
sealed record TokenPurchase(string User, IReadOnlyList<string> Scopes);

/// <summary>A token service that docker-registry trusts: it checks who asks, grants what they may do, and signs that.</summary>
/// <remarks>distribution.github.io, "Token Authentication Specification" and "Token Authentication Implementation".</remarks>
sealed class TokenService : IDisposable
{
    const string Name = "the token service", Registry = "the registry";

    /// <summary>For so long after its end docker-registry still takes a token.</summary>
    static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    readonly HttpListener listener = new();
    readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly X509Certificate2 certificate;
    readonly Task serving;

    public TokenService(LayerScratch scratch)
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Host = free.LocalEndpoint.ToString()!;
        }

        certificate = new CertificateRequest($"CN={Name}", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string bundle = $"{scratch.Path}/token-service.pem";
        File.WriteAllText(bundle, certificate.ExportCertificatePem());
        Configuration = $"auth: {{token: {{realm: 'http://{Host}/token', service: '{Registry}', issuer: '{Name}', rootcertbundle: {bundle}}}}}";
        listener.Prefixes.Add($"http://{Host}/");
        listener.Start();
        serving = ServeAsync();
    }

    public string Host { get; }

    /// <summary>The section of docker-registry's configuration that sends people here.</summary>
    public string Configuration { get; }

    /// <summary>What users may do, as in <c>repository:some/image:pull,push</c>; the password is "secret". Who gives no name is "".</summary>
    public ConcurrentDictionary<string, string[]> Rights { get; } = new();

    /// <summary>How long the registry takes a token, in whole seconds.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(1);

    public ConcurrentQueue<TokenPurchase> Purchases { get; } = new();

    public void Dispose()
    {
        listener.Stop();
        serving.Wait();
        listener.Close();
        certificate.Dispose();
        key.Dispose();
    }

    async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception stopped) when (stopped is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            using var answer = context.Response;
            var query = context.Request.Url!.Query[1..].Split('&').Select(pair => pair.Split('=', 2)).Select(pair => (Name: pair[0], Value: Uri.UnescapeDataString(pair[1].Replace('+', ' ')))).ToList();
            var user = UserOf(context.Request.Headers["Authorization"]);
            if (user is null || !query.Contains(("service", Registry)))
            {
                answer.StatusCode = 401;
                continue;
            }

            var scopes = query.Where(pair => pair.Name == "scope").Select(pair => pair.Value).ToList();
            Purchases.Enqueue(new TokenPurchase(user, scopes));
            answer.ContentType = "application/json";
            await answer.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(new JsonObject { ["token"] = Sign(user, scopes) }.ToJsonString()));
        }
    }

    string? UserOf(string? header)
    {
        var (user, password) = header is ['B', 'a', 's', 'i', 'c', ' ', .. var basic] && Encoding.UTF8.GetString(Convert.FromBase64String(basic)).Split(':', 2) is [var given, var secret]
            ? (given, secret) : ("", "secret");
        return password == "secret" && Rights.ContainsKey(user) ? user : null;
    }

    /// <summary>A JSON web token with as much of what was asked for as the user may do.</summary>
    string Sign(string user, List<string> scopes)
    {
        var access = new JsonArray();
        foreach (var (type, name, actions) in scopes.Select(Split))
        {
            var granted = Rights[user].Select(Split).Where(right => right.Type == type && right.Name == name).SelectMany(right => right.Actions).Intersect(actions, StringComparer.Ordinal);
            access.Add(new JsonObject { ["type"] = type, ["name"] = name, ["actions"] = new JsonArray([.. granted.Select(action => JsonValue.Create(action))]) });
        }

        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        string head = Base64(new JsonObject { ["typ"] = "JWT", ["alg"] = "ES256", ["x5c"] = new JsonArray(Convert.ToBase64String(certificate.RawData)) });
        string claims = Base64(new JsonObject
        {
            ["iss"] = Name, ["sub"] = user, ["aud"] = Registry, ["iat"] = now, ["nbf"] = now - 120, ["exp"] = now + (long)(Lifetime - Leeway).TotalSeconds,
            ["jti"] = Guid.NewGuid().ToString(), ["access"] = access,
        });
        return $"{head}.{claims}.{Base64(key.SignData(Encoding.ASCII.GetBytes($"{head}.{claims}"), HashAlgorithmName.SHA256))}";
    }

    static (string Type, string Name, string[] Actions) Split(string scope) =>
        scope.Split(':') is [var type, .. var name, var actions] ? (type, string.Join(':', name), actions.Split(',')) : throw new FormatException($"'{scope}' is no scope");

    static string Base64(JsonObject json) => Base64(Encoding.UTF8.GetBytes(json.ToJsonString()));

    static string Base64(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}
