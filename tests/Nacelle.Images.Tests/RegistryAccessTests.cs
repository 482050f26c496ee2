using System.Text;
using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Challenges, tokens and credentials: who gets to see what.</summary>
public sealed class RegistryAccessTests
{
    static readonly TestImage Image = TestImage.OfNoise(11, 5_000, 6_000);
    static readonly string Basic = "Basic " + Convert.ToBase64String("user:secret"u8);

    [Fact]
    public async Task A_registry_with_basic_authentication_gets_the_credential()
    {
        using var scratch = Scratch(new RegistryCredential("user", "secret", null));
        using var registry = new FaultyRegistry(Image, (request, _, answer) =>
            request["Authorization"] == Basic ? answer : ServerAnswer.Text(401, "", ("WWW-Authenticate", "Basic realm=\"x\"")));
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
    }

    [Fact]
    public async Task A_wrong_password_is_offered_once_and_the_refusal_told()
    {
        using var scratch = Scratch(new RegistryCredential("user", "wrong", null));
        using var registry = new FaultyRegistry(Image, (request, _, _) =>
            ServerAnswer.Text(401, """{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}""", ("WWW-Authenticate", "Basic realm=\"x\"")));
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Equal($"registry {registry.Host} denies access to some/image: authentication required (401)", failure.Message);
        Assert.Single(registry.Requests, request => request["Authorization"] is not null);
    }

    [Fact]
    public async Task An_anonymous_token_is_bought_once_and_used_for_all_requests()
    {
        using var scratch = Scratch(null);
        using var registry = new FaultyRegistry(Image, Bearer((_, _) => "t1"));
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
        var purchase = Assert.Single(registry.Requests, request => request.Path.StartsWith("/token", StringComparison.Ordinal));
        Assert.Equal("/token?service=the%20service&scope=repository%3Asome%2Fimage%3Apull", purchase.Path);
        Assert.Null(purchase["Authorization"]);
    }

    [Fact]
    public async Task A_token_is_bought_with_the_credential_where_there_is_one()
    {
        using var scratch = Scratch(new RegistryCredential("user", "secret", null));
        using var registry = new FaultyRegistry(Image, Bearer((request, _) => request["Authorization"] == Basic ? "t1" : null));
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);

        // The password goes to the token service alone.
        Assert.All(registry.Requests.Where(request => request["Authorization"] == Basic), request => Assert.StartsWith("/token", request.Path, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_identity_token_buys_a_token_by_the_refresh_grant()
    {
        using var scratch = Scratch(new RegistryCredential("", "", "identity"));
        using var registry = new FaultyRegistry(Image, Bearer((request, _) =>
            request.Method == "POST" && request.Body.Contains("grant_type=refresh_token&refresh_token=identity", StringComparison.Ordinal) ? "t1" : null));
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
    }

    [Fact]
    public async Task A_token_that_runs_out_is_replaced()
    {
        using var scratch = Scratch(null);
        using var registry = new FaultyRegistry(Image, Bearer((_, count) => $"t{count}", valid: (request, token) =>
            token == (request.Path.Contains("/manifests/", StringComparison.Ordinal) ? "t1" : "t2")));
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
        Assert.Equal(2, registry.Requests.Count(request => request.Path.StartsWith("/token", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_token_service_that_refuses_is_named()
    {
        using var scratch = Scratch(new RegistryCredential("user", "wrong", null));
        using var registry = new FaultyRegistry(Image, Bearer((_, _) => null));
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Equal($"the token service {registry.Host} of registry {registry.Host} refuses user 'user' (401)", failure.Message);
    }

    [Theory]
    [InlineData("""{"token":"a\r\nX-Evil: 1"}""")]
    [InlineData("""{"token":""}""")]
    [InlineData("<html>")]
    public async Task A_token_that_is_none_is_refused(string answer)
    {
        using var scratch = Scratch(null);
        using var registry = new FaultyRegistry(Image, (request, _, _) => request.Path.StartsWith("/token", StringComparison.Ordinal)
            ? ServerAnswer.Text(200, answer) : Challenge(request));
        await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
    }

    [Theory]
    [InlineData(302)]
    [InlineData(307)]
    public async Task A_redirect_to_another_host_is_followed_without_the_credential(int status)
    {
        using var storage = new FaultyServer(request => new ServerAnswer(200, Image.Blobs["sha256:" + request.Path[1..]]));
        using var scratch = Scratch(new RegistryCredential("user", "secret", null));
        using var registry = new FaultyRegistry(Image, (request, _, answer) =>
            request["Authorization"] != Basic ? ServerAnswer.Text(401, "", ("WWW-Authenticate", "Basic"))
            : request.Path.Contains("/blobs/", StringComparison.Ordinal)
                ? ServerAnswer.Text(status, "", ("Location", $"http://{storage.Host}/{request.Path[^64..]}")) : answer);
        scratch.RequireWhole(await scratch.FetchAsync(registry.Name), Image);
        Assert.Equal(3, storage.Requests.Count);
        Assert.All(storage.Requests, request => Assert.Null(request["Authorization"]));
    }

    [Fact]
    public async Task A_host_that_was_redirected_to_cannot_ask_for_the_credential()
    {
        using var thief = new FaultyServer(_ => ServerAnswer.Text(200, """{"token":"x"}"""));
        using var storage = new FaultyServer(_ => ServerAnswer.Text(401, "", ("WWW-Authenticate", $"Bearer realm=\"http://{thief.Host}/token\"")));
        using var scratch = Scratch(new RegistryCredential("user", "secret", null));
        using var registry = new FaultyRegistry(Image, (request, _, answer) => request.Path.Contains("/blobs/", StringComparison.Ordinal)
            ? ServerAnswer.Text(307, "", ("Location", $"http://{storage.Host}/")) : answer);
        await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Empty(thief.Requests);
        Assert.All(storage.Requests, request => Assert.Null(request["Authorization"]));
    }

    [Fact]
    public async Task Redirects_without_end_are_given_up()
    {
        using var scratch = Scratch(null);
        using var registry = new FaultyRegistry(Image, (request, _, answer) =>
            request.Path == "/v2/" ? answer : ServerAnswer.Text(302, "", ("Location", request.Path)));
        var failure = await Assert.ThrowsAsync<ImageException>(() => scratch.FetchAsync(registry.Name));
        Assert.Contains("redirects more than 10 times", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bearer realm=\"https://a/b\",service=\"s\",scope=\"repository:x:pull,push\"", "Bearer", "scope", "repository:x:pull,push")]
    [InlineData("bearer realm=https://a/b , service = \"a \\\"b\\\"\"", "bearer", "service", "a \"b\"")]
    [InlineData("Negotiate, Basic realm=\"r\"", "Basic", "realm", "r")]
    [InlineData("Basic realm=\"r\", Bearer realm=\"https://a\"", "Bearer", "realm", "https://a")]
    public void A_challenge_is_read_by_scheme_and_parameters(string header, string scheme, string name, string value) =>
        Assert.Equal(value, AuthenticationChallenge.Parse(header).Single(challenge => challenge.Scheme == scheme)[name]);

    [Fact]
    public void No_challenge_is_too_strange_to_read() => Gen.String[Gen.Char["=,\"\\ ab\t"], 0, 30].Sample(header => { AuthenticationChallenge.Parse(header); });

    [Theory]
    [InlineData("""{"auths":{"h.example:5000":{"auth":"dXNlcjpzZWNyZXQ="}}}""")]
    [InlineData("""{"auths":{"https://h.example:5000":{"auth":"dXNlcjpzZWNyZXQ="}}}""")]
    [InlineData("""{"auths":{"https://h.example:5000/v2/":{"username":"user","password":"secret"}}}""")]
    [InlineData("""{"auths":{"h.example:5000":{"auth":"eDp5"},"h.example:5000/some":{"auth":"dXNlcjpzZWNyZXQ="}}}""")]
    public void A_credential_is_found_by_host_and_the_nearest_path(string json)
    {
        var found = Find(json, "config.json", "h.example:5000", "some/image");
        Assert.Equal(("user", "secret"), (found?.User, found?.Password));
        Assert.Null(Find(json, "config.json", "h.example", "some/image"));
        Assert.Null(Find(json, "config.json", "evil.h.example:5000", "some/image"));
    }

    [Fact]
    public void The_hub_is_known_by_its_old_name() =>
        Assert.Equal("user", Find("""{"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpzZWNyZXQ="}}}""", "f", "docker.io", "library/redis")?.User);

    [Fact]
    public void An_identity_token_is_found() =>
        Assert.Equal("t", Find("""{"auths":{"h":{"auth":"MDAwOg==","identitytoken":"t"}}}""", "f", "h", "r")?.IdentityToken);

    [Theory]
    [InlineData("{", "config.json: ")]
    [InlineData("""{"auths":{"h":{"auth":"!"}}}""", "config.json: auths[\"h\"].auth: ")]
    public void A_malformed_file_is_named(string json, string complaint) =>
        Assert.StartsWith(complaint, Assert.Throws<SpecException>(() => Find(json, "config.json", "h", "r")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_credential_does_not_print_its_secret() =>
        Assert.DoesNotContain("secret", new RegistryCredential("user", "secret", "secret").ToString(), StringComparison.Ordinal);

    static RegistryCredential? Find(string json, string path, string host, string repository) =>
        RegistryCredentials.FindIn(json, path, host, repository, (helper, server) => throw new InvalidOperationException($"{helper} is asked for {server}"));

    static StoreScratch Scratch(RegistryCredential? credential)
    {
        var scratch = new StoreScratch();
        scratch.Options = scratch.Options with { Registry = scratch.Options.Registry with { Credential = credential } };
        return scratch;
    }

    static ServerAnswer Challenge(ServerRequest request) => ServerAnswer.Text(401, "",
        ("WWW-Authenticate", $"Bearer realm=\"http://{request["Host"]}/token\",service=\"the service\",scope=\"repository:some/image:pull\""));

    /// <summary>A registry with a token service of its own: <paramref name="sell"/> gives the n-th buyer a token or refuses.</summary>
    static Func<ServerRequest, int, ServerAnswer, ServerAnswer> Bearer(Func<ServerRequest, int, string?> sell, Func<ServerRequest, string, bool>? valid = null)
    {
        var tokens = new HashSet<string>(StringComparer.Ordinal);
        return (request, _, answer) =>
        {
            lock (tokens)
            {
                if (request.Path.StartsWith("/token", StringComparison.Ordinal))
                {
                    if (sell(request, tokens.Count + 1) is not { } token)
                    {
                        return ServerAnswer.Text(401, "");
                    }

                    tokens.Add(token);
                    return ServerAnswer.Text(200, $$"""{"token":"{{token}}","expires_in":60}""");
                }

                string carried = request["Authorization"] is { } value && value.StartsWith("Bearer ", StringComparison.Ordinal) ? value[7..] : "";
                return tokens.Contains(carried) && valid?.Invoke(request, carried) != false ? answer : Challenge(request);
            }
        };
    }
}
