using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>ACIs by address from a server that does as it likes.</summary>
public sealed class UrlDownloadTests
{
    static readonly byte[] Archive = AciBuilder.Make("example.com/app", ("file", new string('x', 300_000)));

    static StoreScratch NewStore(PullPolicy policy = PullPolicy.Update)
    {
        var store = new StoreScratch();
        store.Options = store.Options with { InsecureImage = true, PullPolicy = policy };
        return store;
    }

    static ImageName Address(FaultyServer server, string path = "/app.aci") => ImageName.Parse($"http://{server.Host}{path}");

    static ServerAnswer Range(ServerRequest request, byte[] body, string? tag)
    {
        (string, string)[] headers = tag is null ? [] : [("ETag", tag)];
        if (request["Range"] is { } range && request["If-Range"] == tag)
        {
            int from = int.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture);
            return new ServerAnswer(206, body[from..], [.. headers, ("Content-Range", $"bytes {from}-{body.Length - 1}/{body.Length}")]);
        }

        return new ServerAnswer(200, body, headers);
    }

    [Fact]
    public async Task What_has_not_changed_is_not_sent_again()
    {
        using var store = NewStore();
        using var server = new FaultyServer(request => request["If-None-Match"] == "\"v1\"" ? new ServerAnswer(304, []) : new ServerAnswer(200, Archive, ("ETag", "\"v1\"")));
        var first = await store.FetchAsync(Address(server));
        var second = await store.FetchAsync(Address(server));
        Assert.Equal(first.Id, second.Id);
        Assert.Equal([null, "\"v1\""], server.Requests.Select(request => request["If-None-Match"]));
    }

    [Fact]
    public async Task What_is_fresh_is_not_even_asked_for()
    {
        using var store = NewStore();
        using var server = new FaultyServer(_ => new ServerAnswer(200, Archive, ("Cache-Control", "max-age=3600")));
        await store.FetchAsync(Address(server));
        await store.FetchAsync(Address(server));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task What_the_server_calls_changed_is_fetched_anew()
    {
        using var store = NewStore();
        int version = 0;
        using var server = new FaultyServer(_ => new ServerAnswer(200, AciBuilder.Make("example.com/app", ("file", $"{version}")), ("ETag", $"\"v{version++}\"")));
        var first = await store.FetchAsync(Address(server));
        var second = await store.FetchAsync(Address(server));
        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(second.Id, store.Store.Find("example.com/app")?.Id);
    }

    [Fact]
    public async Task An_image_that_was_removed_is_fetched_although_the_server_has_the_same()
    {
        using var store = NewStore();
        using var server = new FaultyServer(request => request["If-None-Match"] is not null ? new ServerAnswer(304, []) : new ServerAnswer(200, Archive, ("ETag", "\"v1\"")));
        store.Store.Remove(await store.FetchAsync(Address(server)), () => new HashSet<Digest>());
        await store.FetchAsync(Address(server));
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData(PullPolicy.New, 1)]
    [InlineData(PullPolicy.Never, 1)]
    public async Task Other_policies_are_content_with_what_is_here(PullPolicy policy, int requests)
    {
        using var store = NewStore();
        using var server = new FaultyServer(_ => new ServerAnswer(200, Archive));
        await store.FetchAsync(Address(server));
        store.Options = store.Options with { PullPolicy = policy };
        await store.FetchAsync(Address(server));
        Assert.Equal(requests, server.Requests.Count);
    }

    [Theory]
    [InlineData("\"strong\"", true)]
    [InlineData(null, false)]
    public async Task A_download_that_breaks_is_resumed_where_that_is_safe(string? tag, bool resumed)
    {
        using var store = NewStore();
        int failures = 0;
        using var server = new FaultyServer(request => failures++ == 0 ? Range(request, Archive, tag) with { EndAfter = 100_000 } : Range(request, Archive, tag));
        var image = await store.FetchAsync(Address(server));
        Assert.Equal(Archive, store.Store.Content.Read(image.Id));
        Assert.Equal(resumed ? "bytes=100000-" : null, server.Requests.Last()["Range"]);
        Assert.Empty(store.Downloads());
    }

    [Fact]
    public async Task What_an_interrupted_fetch_left_is_taken_up_by_the_next()
    {
        using var store = NewStore();
        store.Options = store.Options with { Registry = store.Options.Registry with { Attempts = 1 } };
        bool broken = true;
        using var server = new FaultyServer(request => broken ? Range(request, Archive, "\"t\"") with { EndAfter = 200_000 } : Range(request, Archive, "\"t\""));
        await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(Address(server)));
        broken = false;
        var image = await store.FetchAsync(Address(server));
        Assert.Equal(Archive, store.Store.Content.Read(image.Id));
        Assert.Equal("bytes=200000-", server.Requests.Last()["Range"]);
    }

    [Fact]
    public async Task A_file_that_changed_meanwhile_is_not_glued_to_the_old_half()
    {
        using var store = NewStore();
        var other = AciBuilder.Make("example.com/app", ("file", new string('y', 300_000)));
        int requests = 0;
        using var server = new FaultyServer(request => requests++ == 0 ? Range(request, Archive, "\"old\"") with { EndAfter = 100_000 } : Range(request, other, "\"new\""));
        Assert.Equal(other, store.Store.Content.Read((await store.FetchAsync(Address(server))).Id));
    }

    [Fact]
    public async Task An_image_larger_than_the_free_disk_is_refused_before_it_is_sent()
    {
        using var store = NewStore();
        using var server = new FaultyServer(_ => new ServerAnswer(200, []) { Length = 1L << 46 });
        var refused = await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(Address(server)));
        Assert.Contains("70368744177664 bytes", refused.Message, StringComparison.Ordinal);
        Assert.Empty(store.Store.List());
    }

    [Theory]
    [InlineData(404, "not found")]
    [InlineData(403, "access denied")]
    [InlineData(500, "the server answers 500 (tried 5 times)")]
    [InlineData(202, "does not send the image")]
    public async Task A_server_without_the_image_is_named_with_its_answer(int status, string said)
    {
        using var store = NewStore();
        using var server = new FaultyServer(_ => new ServerAnswer(status, []));
        var refused = await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(Address(server)));
        Assert.Contains($"http://{server.Host}/app.aci: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_permission_plain_http_is_refused()
    {
        using var store = NewStore();
        store.Options = store.Options with { Registry = store.Options.Registry with { InsecureHttp = false } };
        using var server = new FaultyServer(_ => new ServerAnswer(200, Archive));
        Assert.Contains("--insecure-options=http", (await Assert.ThrowsAsync<ImageException>(() => store.FetchAsync(Address(server)))).Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Redirects_are_followed()
    {
        using var store = NewStore();
        using var other = new FaultyServer(_ => new ServerAnswer(200, Archive));
        using var server = new FaultyServer(_ => new ServerAnswer(302, [], ("Location", $"http://{other.Host}/moved")));
        Assert.Equal(Archive, store.Store.Content.Read((await store.FetchAsync(Address(server))).Id));
        Assert.Equal("/moved", Assert.Single(other.Requests).Path);
    }
}
