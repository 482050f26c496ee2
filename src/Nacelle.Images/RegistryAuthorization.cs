using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Nacelle.Images;

/// <summary>Answers a registry's challenges with the person's credential or none, and keeps the tokens it gets, one per scope.</summary>
/// <remarks>distribution.github.io, "Token Authentication Specification" and "OAuth2 Token Authentication".</remarks>
sealed class RegistryAuthorization(string host, RegistryTransport transport, RegistryOptions options) : IDisposable
{
    const int LargestAnswer = 1 << 20;

    readonly SemaphoreSlim asking = new(1);
    readonly Dictionary<RegistryScope, AuthenticationHeaderValue> byScope = [];

    /// <summary>What to send with a request, if anything is known yet.</summary>
    public AuthenticationHeaderValue? For(RegistryScope scope)
    {
        lock (byScope)
        {
            return byScope.GetValueOrDefault(scope);
        }
    }

    /// <summary>Gets what a 401 asked for. Of several requests refused at once, one asks and the others use its answer.</summary>
    /// <param name="refused">What the refused request carried.</param>
    /// <returns>False when there is nothing else to offer.</returns>
    public async Task<bool> RenewAsync(
        RegistryScope scope, AuthenticationHeaderValue? refused, HttpResponseHeaders challenge, CancellationToken cancellation)
    {
        await asking.WaitAsync(cancellation);
        try
        {
            if (For(scope) is { } known && !known.Equals(refused))
            {
                return true;
            }

            var answer = await AnswerAsync(scope, refused, challenge, cancellation);
            if (answer is not null)
            {
                lock (byScope)
                {
                    byScope[scope] = answer;
                }
            }

            return answer is not null;
        }
        finally
        {
            asking.Release();
        }
    }

    public void Dispose() => asking.Dispose();

    async Task<AuthenticationHeaderValue?> AnswerAsync(
        RegistryScope scope, AuthenticationHeaderValue? refused, HttpResponseHeaders headers, CancellationToken cancellation)
    {
        var challenges = AuthenticationChallenge.Of(headers);
        var credential = RegistryCredentials.Find(host, scope.Repository, options, cancellation);
        foreach (var challenge in challenges)
        {
            if (challenge.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase) && challenge["realm"] is { } realm)
            {
                return new AuthenticationHeaderValue("Bearer", await BuyTokenAsync(realm, challenge, scope, credential, cancellation));
            }
        }

        // Basic once; the same pair again would be refused again.
        return credential is { IdentityToken: null } && refused is null
            && challenges.Exists(challenge => challenge.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
            ? new AuthenticationHeaderValue("Basic", credential.BasicValue) : null;
    }

    async Task<string> BuyTokenAsync(
        string realm, AuthenticationChallenge challenge, RegistryScope scope, RegistryCredential? credential, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(realm, UriKind.Absolute, out var service)
            || !(service.Scheme == Uri.UriSchemeHttps || (service.Scheme == Uri.UriSchemeHttp && options.InsecureHttp)))
        {
            throw new ImageException($"registry {host} names '{realm}' as its token service, which is not an https URL");
        }

        var parameters = new List<KeyValuePair<string, string>>();
        if (challenge["service"] is { } name)
        {
            parameters.Add(new("service", name));
        }

        // Asked by a first, reading request for no more than reading, the token would not do for what follows.
        var scopes = scope.Push || challenge["scope"] is not { } asked ? scope.Texts : [asked];
        parameters.AddRange(scopes.Select(text => new KeyValuePair<string, string>("scope", text)));
        for (int failures = 0; ;)
        {
            string cause;
            TimeSpan? pause = null;
            try
            {
                using var response = await transport.SendAsync(() => CreateRequest(service, parameters, credential), cancellation);
                if (response.IsSuccessStatusCode)
                {
                    return await ReadTokenAsync(response, cancellation);
                }

                if (!RegistryClient.IsTransient(response.StatusCode))
                {
                    throw new ImageException(
                        $"the token service {service.Authority} of registry {host} refuses {(credential is null ? "anonymous access" : $"user '{credential.User}'")} ({(int)response.StatusCode})");
                }

                cause = $"status {(int)response.StatusCode}";
                pause = RegistryClient.RetryAfter(response);
            }
            catch (Exception failure) when (RegistryTransport.IsTransient(failure))
            {
                cause = RegistryTransport.Describe(failure);
            }
            catch (HttpRequestException failure)
            {
                throw new ImageException($"cannot reach the token service {service.Authority} of registry {host}: {RegistryTransport.Describe(failure)}", failure);
            }

            if (++failures >= options.Attempts)
            {
                throw new ImageException($"the token service {service.Authority} of registry {host} fails: {cause}");
            }

            await Task.Delay(pause ?? options.DelayAfter(failures), cancellation);
        }
    }

    static HttpRequestMessage CreateRequest(Uri service, List<KeyValuePair<string, string>> parameters, RegistryCredential? credential)
    {
        if (credential?.IdentityToken is { } identityToken)
        {
            // One scope parameter here, with blanks in between; in a query, one each.
            string scopes = string.Join(' ', parameters.Where(pair => pair.Key == "scope").Select(pair => pair.Value));
            return new HttpRequestMessage(HttpMethod.Post, service)
            {
                Content = new FormUrlEncodedContent(
                    [.. parameters.Where(pair => pair.Key != "scope"), new("scope", scopes), new("grant_type", "refresh_token"), new("refresh_token", identityToken), new("client_id", "nacelle")]),
            };
        }

        string query = string.Join('&', parameters.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"));
        var request = new HttpRequestMessage(HttpMethod.Get, $"{service}{(service.Query.Length == 0 ? "?" : "&")}{query}");
        if (credential is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", credential.BasicValue);
        }

        return request;
    }

    async Task<string> ReadTokenAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var body = await RegistryClient.ReadBodyAsync(response, LargestAnswer, options.StallTimeout, cancellation);
        try
        {
            var answer = JsonSerializer.Deserialize(body, CredentialJson.Default.TokenAnswer);
            var token = string.IsNullOrEmpty(answer?.Token) ? answer?.AccessToken : answer.Token;

            // What is not printable ASCII could smuggle header lines.
            return !string.IsNullOrEmpty(token) && !token.AsSpan().ContainsAnyExceptInRange('!', '~') ? token
                : throw new ImageException($"the token service of registry {host} answers without a token");
        }
        catch (JsonException failure)
        {
            throw new ImageException($"the token service of registry {host} does not answer in JSON", failure);
        }
    }
}
