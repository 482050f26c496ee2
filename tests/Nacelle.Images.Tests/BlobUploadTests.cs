using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Uploads of blobs: in one piece and in several, broken and gone on with, and who gets to see the credential.</summary>
public sealed class BlobUploadTests
{
    static readonly byte[] Content = TestImage.Noise(5, 700_000);
    static readonly Descriptor Blob = new() { MediaType = MediaTypes.OciLayer, Digest = ContentStore.DigestOf(Content), Size = Content.Length };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_blob_is_sent_in_one_request(bool relative)
    {
        using var registry = new UploadRegistry { RelativeLocations = relative };
        await PushAsync(registry);
        Assert.Equal(["HEAD", "POST", "PUT"], Methods(registry));
        Assert.Equal(Content, registry.Blobs[$"{Blob.Digest}"]);
    }

    [Fact]
    public async Task A_blob_that_is_there_is_not_sent()
    {
        using var registry = new UploadRegistry();
        registry.Blobs[$"{Blob.Digest}"] = Content;
        await PushAsync(registry);
        Assert.Equal(["HEAD"], Methods(registry));
    }

    [Fact]
    public async Task A_blob_is_sent_in_pieces_where_that_is_wanted()
    {
        using var registry = new UploadRegistry();
        await PushAsync(registry, new PushOptions { ChunkSize = 300_000 });
        Assert.Equal(["HEAD", "POST", "PATCH", "PATCH", "PATCH", "PUT"], Methods(registry));
        Assert.Equal(["0-299999", "300000-599999", "600000-699999"], registry.Requests.Where(request => request.Method == "PATCH").Select(request => request["Content-Range"]));
        Assert.Equal(Content, registry.Blobs[$"{Blob.Digest}"]);
    }

    [Fact]
    public async Task Pieces_are_no_smaller_than_the_registry_wants()
    {
        using var registry = new UploadRegistry { MinimumChunk = 400_000 };
        await PushAsync(registry, new PushOptions { ChunkSize = 1 });
        Assert.Equal(["0-399999", "400000-699999"], registry.Requests.Where(request => request.Method == "PATCH").Select(request => request["Content-Range"]));
    }

    [Fact]
    public async Task A_registry_that_takes_no_such_large_body_gets_pieces()
    {
        using var registry = new UploadRegistry(spoil: (request, _, answer) => request.Method == "PUT" && request.Content.Length > 0 ? ServerAnswer.Text(413, "too large") : answer);
        await PushAsync(registry);
        Assert.Equal(["HEAD", "POST", "PUT", "POST", "PATCH", "PUT"], Methods(registry));
        Assert.Equal(Content, registry.Blobs[$"{Blob.Digest}"]);
    }

    [Fact]
    public async Task A_broken_upload_goes_on_where_it_broke()
    {
        using var registry = new UploadRegistry(breaks: (request, count) => request.Method is "PUT" or "PATCH" && request["Content-Length"] != "0" && count == 1 ? 250_000 : null);
        await PushAsync(registry);
        var pieces = registry.Requests.Where(request => request.Method == "PATCH").Select(request => request["Content-Range"]).ToList();
        Assert.Equal("250000-699999", pieces[0]);
        Assert.Equal(1, registry.SessionsBegun);
        Assert.Equal(Content, registry.Blobs[$"{Blob.Digest}"]);
    }

    [Fact]
    public async Task However_often_it_breaks_an_upload_that_comes_on_is_not_given_up()
    {
        using var registry = new UploadRegistry(breaks: (request, _) => request.Method is "PUT" or "PATCH" && int.Parse(request["Content-Length"] ?? "0", System.Globalization.CultureInfo.InvariantCulture) > 60_000 ? 60_000 : null);
        await PushAsync(registry);
        Assert.Equal(Content, registry.Blobs[$"{Blob.Digest}"]);
    }

    [Fact]
    public async Task An_upload_that_the_registry_forgot_begins_anew()
    {
        UploadRegistry? registry = null;
        registry = new UploadRegistry(breaks: (request, count) =>
        {
            if (request.Method == "PUT" && request["Content-Length"] != "0" && count == 1)
            {
                registry!.Forget();
                return 10;
            }

            return null;
        });
        using (registry)
        {
            await PushAsync(registry);
            Assert.Equal(2, registry.SessionsBegun);
            Assert.Equal(Content, registry.Blobs[$"{Blob.Digest}"]);
        }
    }

    [Fact]
    public async Task An_upload_whose_answer_was_lost_is_found_done()
    {
        using var registry = new UploadRegistry(spoil: (request, count, answer) => request.Method == "PUT" && count == 1 ? answer with { Reset = true, Length = 1000 } : answer);
        await PushAsync(registry);
        Assert.Single(registry.Requests, request => request.Method == "PUT");
        Assert.Equal(Content, registry.Blobs[$"{Blob.Digest}"]);
    }

    [Fact]
    public async Task A_registry_that_takes_nothing_is_given_up_with_its_reason()
    {
        UploadRegistry? full = null;
        using var registry = full = new UploadRegistry(spoil: (request, _, answer) =>
        {
            full!.Blobs.Clear();
            return request.Method == "PUT" ? ServerAnswer.Text(503, """{"errors":[{"code":"UNAVAILABLE","message":"the disk is full"}]}""") : answer;
        });
        var failure = await Assert.ThrowsAsync<ImageException>(() => PushAsync(registry));
        Assert.Equal($"registry {registry.Host} does not take blob {Blob.Digest}: the disk is full (503) (tried 5 times)", failure.Message);
    }

    [Fact]
    public async Task Content_that_is_not_what_its_digest_says_is_refused_by_the_registry()
    {
        using var registry = new UploadRegistry();
        using var repository = new RegistryRepository(registry.Host, "some/image", Options(null));
        var failure = await Assert.ThrowsAsync<ImageException>(() => repository.PutBlobAsync(Blob, new byte[Content.Length], CancellationToken.None));
        Assert.Equal($"registry {registry.Host} does not take blob {Blob.Digest} for some/image: provided digest did not match uploaded content (400)", failure.Message);
    }

    [Fact]
    public async Task Uploads_at_another_host_go_there_without_the_credential()
    {
        using var elsewhere = new UploadRegistry();
        using var registry = new UploadRegistry(spoil: (request, _, answer) =>
            request["Authorization"] is null ? ServerAnswer.Text(401, "", ("WWW-Authenticate", "Basic realm=\"x\"")) : answer) { UploadHost = elsewhere.Host };
        elsewhere.Answer(new ServerRequest("POST", "/v2/some/image/blobs/uploads/", new Dictionary<string, string>(), ""));
        await PushAsync(registry, credential: new RegistryCredential("user", "secret", null));
        Assert.Equal(Content, elsewhere.Blobs[$"{Blob.Digest}"]);
        Assert.NotEmpty(elsewhere.Requests);
        Assert.All(elsewhere.Requests, request => Assert.Null(request["Authorization"]));
    }

    [Fact]
    public async Task Uploads_are_not_sent_in_the_clear_unless_that_is_allowed()
    {
        using var registry = new UploadRegistry(spoil: (request, _, answer) => request.Method == "POST" ? ServerAnswer.Text(202, "", ("Location", "ftp://somewhere/x")) : answer);
        var failure = await Assert.ThrowsAsync<ImageException>(() => PushAsync(registry));
        Assert.Contains("wants uploads at ftp://somewhere, which is not https", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_for_pushing_is_asked_for_by_its_scope()
    {
        using var registry = new UploadRegistry(spoil: (request, _, answer) =>
            request.Path.StartsWith("/token", StringComparison.Ordinal) ? ServerAnswer.Text(200, """{"token":"t"}""")
            : request["Authorization"] == "Bearer t" || request.Path == "/v2/" ? answer
            : ServerAnswer.Text(401, "", ("WWW-Authenticate", $"Bearer realm=\"http://{request["Host"]}/token\",service=\"s\",scope=\"repository:some/image:pull\"")));
        await PushAsync(registry, others: ["some/other"]);
        Assert.Equal(
            ["/token?service=s&scope=repository%3Asome%2Fimage%3Apull%2Cpush", "/token?service=s&scope=repository%3Asome%2Fimage%3Apull%2Cpush&scope=repository%3Asome%2Fother%3Apull"],
            registry.Requests.Where(request => request.Path.StartsWith("/token", StringComparison.Ordinal)).Select(request => request.Path));
        Assert.Equal(Content, registry.Blobs[$"{Blob.Digest}"]);
    }

    [Fact]
    public async Task A_mount_that_is_denied_becomes_an_upload()
    {
        using var registry = new UploadRegistry(spoil: (request, _, answer) => request.Path.Contains("mount=", StringComparison.Ordinal) ? ServerAnswer.Text(403, "") : answer);
        await PushAsync(registry, others: ["some/other"]);
        Assert.Equal(Content, registry.Blobs[$"{Blob.Digest}"]);
    }

    [Fact]
    public void No_answer_makes_an_upload_hang_or_crash()
    {
        Gen.Select(Of(200, 201, 202, 204, 307, 400, 404, 416, 500), Of("", "/x", "http://[", "http://127.0.0.1:1/x", "//", "?", "javascript:1"), Of("", "0-", "0-5", "5-0", "-", "bytes=0-99999999999999999999", "0-699999", "x"), Of("", "-5", "99999999999", "x"))
            .Sample(
                (status, location, range, minimum) =>
                {
                    using var registry = new UploadRegistry(spoil: (request, _, answer) => request.Method is "HEAD" || request.Path == "/v2/" ? answer
                        : ServerAnswer.Text(status, "{", ("Location", location), ("Range", range), ("OCI-Chunk-Min-Length", minimum)));
                    using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
                    try
                    {
                        PushAsync(registry, new PushOptions { ChunkSize = 100_000 }, cancellation: limit.Token).GetAwaiter().GetResult();
                    }
                    catch (ImageException told)
                    {
                        Assert.DoesNotContain('\n', told.Message);
                    }
                },
                iter: 60, threads: 1);
    }

    static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    static RegistryOptions Options(RegistryCredential? credential) => new()
    {
        InsecureHttp = true, RetryDelay = TimeSpan.FromMilliseconds(1), StallTimeout = TimeSpan.FromSeconds(20), Credential = credential,
    };

    static async Task PushAsync(
        UploadRegistry registry, PushOptions? options = null, RegistryCredential? credential = null, string[]? others = null, CancellationToken cancellation = default)
    {
        using var repository = new RegistryRepository(registry.Host, "some/image", Options(credential));
        await repository.PutBlobAsync(
            Blob, (offset, _) => Task.FromResult<Stream>(new MemoryStream(Content, (int)offset, Content.Length - (int)offset)), options ?? new PushOptions(), others ?? [], null, null, cancellation);
    }

    static IEnumerable<string> Methods(UploadRegistry registry) => registry.Requests.Where(request => request.Path != "/v2/").Select(request => request.Method);
}
