using System.Text;
using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>The distribution specification's workflows (pull, push, discovery, management) against Debian's docker-registry.</summary>
public sealed class RegistryWorkflowTests : IDisposable
{
    static readonly TestImage Image = TestImage.OfNoise(71, 300_000, 20_000);
    static readonly byte[] Content = Image.Blobs[$"{Image.Layers[0].Digest}"];
    static readonly Descriptor Blob = Image.Layers[0];

    readonly LayerScratch scratch = new();
    readonly DockerRegistry registry;
    readonly RegistryRepository repository;

    public RegistryWorkflowTests()
    {
        registry = new DockerRegistry(scratch, storage: "delete: {enabled: true}");
        repository = Repository("some/image");
    }

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    public async Task A_blob_is_pushed_in_one_piece_or_several_and_pulled_from_anywhere_on(long chunkSize)
    {
        Assert.False(await repository.HasBlobAsync(Blob.Digest, Cancellation));
        Assert.Null(await repository.FindBlobAsync(Blob, Cancellation));
        await repository.PutBlobAsync(Blob, (offset, _) => Task.FromResult<Stream>(new MemoryStream(Content, (int)offset, Content.Length - (int)offset)), new PushOptions { ChunkSize = chunkSize }, [], null, null, Cancellation);
        Assert.True(await repository.HasBlobAsync(Blob.Digest, Cancellation));
        Assert.Equal(Content, await repository.FindBlobAsync(Blob, Cancellation));
        var (body, _) = await repository.OpenBlobAsync(Blob, 1000, null, Cancellation);
        await using (body)
        {
            var rest = new MemoryStream();
            await body.Stream.CopyToAsync(rest, Cancellation);
            Assert.Equal(Content[(int)body.Offset..], rest.ToArray());
        }
    }

    [Fact]
    public async Task A_blob_is_mounted_from_another_repository()
    {
        await repository.PutBlobAsync(Blob, Content, Cancellation);
        using var other = Repository("another/one");
        var told = new List<string>();
        await other.PutBlobAsync(Blob, (_, _) => throw new InvalidOperationException("it is not to be sent"), new PushOptions(), ["some/image"], null, told.Add, Cancellation);
        Assert.Equal([$"{Blob.Digest}: mounted from some/image"], told);
        Assert.True(await other.HasBlobAsync(Blob.Digest, Cancellation));
    }

    [Fact]
    public async Task A_manifest_is_pushed_by_tag_and_by_digest_and_pulled_by_both()
    {
        await PutImageAsync("1", "2");
        foreach (string selector in new[] { "1", "2", $"{Image.Manifest.Digest}" })
        {
            Assert.Equal(Image.Manifest.Digest, await repository.ResolveAsync(selector, Cancellation));
            Assert.Equal(Image.Blobs[$"{Image.Manifest.Digest}"], (await repository.FindManifestAsync(selector, Cancellation))?.Content);
        }

        Assert.Null(await repository.FindManifestAsync("3", Cancellation));
    }

    [Fact]
    public async Task A_manifest_whose_blobs_are_missing_is_refused_with_the_registrys_reason()
    {
        var document = new SourceDocument(Image.Manifest, Image.Blobs[$"{Image.Manifest.Digest}"]);
        var failure = await Assert.ThrowsAsync<ImageException>(() => repository.PutManifestAsync("1", document, Cancellation));
        Assert.StartsWith($"registry {registry.Host} does not take manifest {Image.Manifest.Digest} for some/image: ", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Tags_are_listed_whatever_the_size_of_the_pages(int pageSize)
    {
        string[] tags = ["a", "b", "c", "d", "e", "v1.0"];
        await PutImageAsync(tags);
        
        // This registry neither sorts nor pages.
        Assert.Equal(tags, (await repository.ListTagsAsync(pageSize, Cancellation)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("</v2/some/image/tags/list?n=2&last=b>; rel=\"next\"", "a b c")]
    [InlineData("<?n=2&last=b>; rel=next", "a b c")]
    [InlineData("</v2/some/image/tags/list?n=2&last=b>; rel=\"prev\"", "a b")]
    [InlineData("<http://127.0.0.1:1/v2/>; rel=\"next\"", null)]
    [InlineData("</v2/some/image/tags/list?n=2>; rel=\"next\"", null)]
    public async Task Pages_are_followed_to_the_end_and_not_elsewhere_nor_for_ever(string link, string? expected)
    {
        using var pages = new FaultyServer(request => request.Path.EndsWith("last=b", StringComparison.Ordinal)
            ? ServerAnswer.Text(200, """{"name":"some/image","tags":["c"]}""")
            : ServerAnswer.Text(200, """{"name":"some/image","tags":["a","b"]}""", ("Link", link)));
        using var paged = new RegistryRepository(pages.Host, "some/image", new RegistryOptions { InsecureHttp = true });
        if (expected is null)
        {
            await Assert.ThrowsAsync<ImageException>(() => paged.ListTagsAsync(2, Cancellation));
        }
        else
        {
            Assert.Equal(expected.Split(' '), await paged.ListTagsAsync(2, Cancellation));
        }
    }

    [Fact]
    public async Task The_registrys_own_list_of_referrers_is_used_where_there_is_one()
    {
        var entry = Image.Manifest with { ArtifactType = "application/x.signature" };
        using var server = new FaultyServer(request => request.Path.Contains("/referrers/", StringComparison.Ordinal)
            ? new ServerAnswer(200, new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = [entry] }.ToJson(), ("Content-Type", MediaTypes.OciIndex)) : ServerAnswer.Text(404, ""));
        using var own = new RegistryRepository(server.Host, "some/image", new RegistryOptions { InsecureHttp = true });
        server.Requests.Clear();
        Assert.Equal(entry.Digest, Assert.Single(await own.ListReferrersAsync(Image.Config.Digest, "application/x.signature", Cancellation)).Digest);
        Assert.DoesNotContain(server.Requests, request => request.Path.Contains("/manifests/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_tags_of_no_repository_are_an_error()
    {
        using var nothing = Repository("no/thing");
        var failure = await Assert.ThrowsAsync<ImageException>(() => nothing.ListTagsAsync(0, Cancellation));
        Assert.Contains("(404)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Referrers_are_listed_under_the_tag_that_stands_in_for_the_registrys_own_list()
    {
        await PutImageAsync("1");
        Assert.Empty(await repository.ListReferrersAsync(Image.Manifest.Digest, null, Cancellation));
        var first = await PutReferrerAsync("application/x.signature", "one");
        var second = await PutReferrerAsync("application/x.bill", "two");
        await PutReferrerAsync("application/x.signature", "one"); // once more: listed once
        Assert.Equal([first.Digest, second.Digest], (await repository.ListReferrersAsync(Image.Manifest.Digest, null, Cancellation)).Select(one => one.Digest));
        var found = Assert.Single(await repository.ListReferrersAsync(Image.Manifest.Digest, "application/x.bill", Cancellation));
        Assert.Equal((second.Digest, "two"), (found.Digest, found.Annotations?["note"]));
        Assert.NotNull(await repository.ResolveAsync(Image.Manifest.Digest.FileName, Cancellation));
    }

    [Fact]
    public async Task Manifests_and_blobs_are_deleted()
    {
        await PutImageAsync("1");
        Assert.True(await repository.DeleteManifestAsync($"{Image.Manifest.Digest}", Cancellation));
        Assert.Null(await repository.FindManifestAsync("1", Cancellation));
        Assert.False(await repository.DeleteManifestAsync($"{Image.Manifest.Digest}", Cancellation));
        Assert.True(await repository.DeleteBlobAsync(Blob.Digest, Cancellation));
        Assert.False(await repository.HasBlobAsync(Blob.Digest, Cancellation));
        Assert.False(await repository.DeleteBlobAsync(Blob.Digest, Cancellation));
    }

    [Fact]
    public async Task A_registry_that_deletes_no_tags_says_so()
    {
        await PutImageAsync("1");
        var failure = await Assert.ThrowsAsync<ImageException>(() => repository.DeleteManifestAsync("1", Cancellation));
        Assert.StartsWith($"registry {registry.Host} does not delete manifests/1 of some/image: ", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        repository.Dispose();
        registry.Dispose();
        scratch.Dispose();
    }

    RegistryRepository Repository(string name) => new(registry.Host, name, new RegistryOptions { InsecureHttp = true, RetryDelay = TimeSpan.FromMilliseconds(1) });

    async Task PutImageAsync(params string[] tags)
    {
        foreach (var blob in Image.Layers.Append(Image.Config))
        {
            await repository.PutBlobAsync(blob, Image.Blobs[$"{blob.Digest}"], Cancellation);
        }

        foreach (string tag in tags)
        {
            await repository.PutManifestAsync(tag, new SourceDocument(Image.Manifest, Image.Blobs[$"{Image.Manifest.Digest}"]), Cancellation);
        }
    }

    async Task<Descriptor> PutReferrerAsync(string artifactType, string note)
    {
        var empty = "{}"u8.ToArray();
        var config = new Descriptor { MediaType = "application/vnd.oci.empty.v1+json", Digest = ContentStore.DigestOf(empty), Size = empty.Length };
        await repository.PutBlobAsync(config, empty, Cancellation);
        var content = Encoding.UTF8.GetBytes($$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","artifactType":"{{artifactType}}","annotations":{"note":"{{note}}"},
             "config":{"mediaType":"{{config.MediaType}}","digest":"{{config.Digest}}","size":{{config.Size}} },"layers":[],
             "subject":{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{Image.Manifest.Digest}}","size":{{Image.Manifest.Size}} } }
            """);
        var descriptor = new Descriptor { MediaType = MediaTypes.OciManifest, Digest = ContentStore.DigestOf(content), Size = content.Length };
        await repository.PutManifestAsync($"{descriptor.Digest}", new SourceDocument(descriptor, content), Cancellation);
        return descriptor;
    }
}
