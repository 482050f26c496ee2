using Nacelle.Specs;

namespace Nacelle.Images.Tests;

/// <summary>Credentials for what is fetched by its address: who gets to see them, and Amazon's signatures.</summary>
public sealed class HostAuthorizationTests
{
    static readonly byte[] Archive = AciBuilder.Make("example.com/app", ("file", new string('x', 3_000)));

    /// <summary>The key of the examples in the API reference.</summary>
    static readonly HostCredential.Aws Key = new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", null);

    static readonly DateTimeOffset ExampleTime = new(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);

    static StoreScratch NewStore(params (string Host, HostCredential Credential)[] hosts)
    {
        var store = new StoreScratch();
        store.Options = store.Options with
        {
            InsecureImage = true,
            PullPolicy = PullPolicy.Update,
            Registry = store.Options.Registry with { Hosts = hosts.ToDictionary(host => host.Host, host => host.Credential, StringComparer.OrdinalIgnoreCase) },
        };
        return store;
    }

    static ImageName Address(FaultyServer server) => ImageName.Parse($"http://{server.Host}/app.aci");

    [Fact]
    public async Task The_host_of_the_configuration_gets_the_credential_and_no_other()
    {
        using var server = new FaultyServer(_ => new ServerAnswer(200, Archive));
        using var other = new FaultyServer(_ => new ServerAnswer(200, Archive));
        using var store = NewStore((server.Host, new HostCredential.Basic("foo", "bar")));
        await store.FetchAsync(Address(server));
        await store.FetchAsync(Address(other));
        Assert.Equal("Basic Zm9vOmJhcg==", Assert.Single(server.Requests)["Authorization"]);
        Assert.Null(Assert.Single(other.Requests)["Authorization"]);
    }

    [Fact]
    public async Task A_token_is_sent_as_a_bearers()
    {
        using var server = new FaultyServer(_ => new ServerAnswer(200, Archive));
        using var store = NewStore((server.Host, new HostCredential.Token("sometoken")));
        await store.FetchAsync(Address(server));
        Assert.Equal("Bearer sometoken", Assert.Single(server.Requests)["Authorization"]);
    }

    public static TheoryData<HostCredential> AllKinds => [new HostCredential.Basic("foo", "bar"), new HostCredential.Token("t"), Key];

    [Theory]
    [MemberData(nameof(AllKinds))]
    public async Task A_redirect_to_another_origin_loses_the_credential(HostCredential credential)
    {
        using var other = new FaultyServer(_ => new ServerAnswer(200, Archive));
        using var server = new FaultyServer(_ => new ServerAnswer(302, [], ("Location", $"http://{other.Host}/moved")));
        using var store = NewStore((server.Host, credential), (other.Host, new HostCredential.Token("of the other")));
        await store.FetchAsync(Address(server));
        Assert.NotNull(Assert.Single(server.Requests)["Authorization"]);
        var moved = Assert.Single(other.Requests);
        Assert.DoesNotContain(moved.Headers.Keys, name => name.StartsWith("x-amz", StringComparison.OrdinalIgnoreCase) || name.Equals("Authorization", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public async Task A_redirect_within_the_origin_keeps_it(HostCredential credential)
    {
        using var server = new FaultyServer(request => request.Path == "/moved" ? new ServerAnswer(200, Archive) : new ServerAnswer(302, [], ("Location", "/moved")));
        using var store = NewStore((server.Host, credential));
        await store.FetchAsync(Address(server));
        Assert.All(server.Requests, request => Assert.NotNull(request["Authorization"]));
        if (credential is HostCredential.Aws)
        {
            Assert.Equal(2, server.Requests.Select(request => request["Authorization"]).Distinct().Count()); // a signature is of one address
        }
    }

    [Theory]
    [InlineData("https://h.example/a", "h.example", true)]
    [InlineData("https://H.example/a", "h.EXAMPLE", true)]
    [InlineData("https://h.example/a", "h.example:443", true)]
    [InlineData("https://h.example:8443/a", "h.example:8443", true)]
    [InlineData("https://h.example:8443/a", "h.example", false)]
    [InlineData("https://evil-h.example/a", "h.example", false)]
    [InlineData("https://a.h.example/a", "h.example", false)]
    [InlineData("https://h.example@evil.example/a", "h.example", false)]
    public void A_host_is_meant_with_its_port(string address, string host, bool found) => Assert.Equal(
        found,
        HostAuthorization.Find(new Uri(address), new Dictionary<string, HostCredential>(StringComparer.OrdinalIgnoreCase) { [host] = Key }) is not null);

    [Theory]
    [InlineData("https://examplebucket.s3.amazonaws.com/test.txt", "bytes=0-9", "host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")]
    [InlineData("https://examplebucket.s3.amazonaws.com/?lifecycle", null, "host;x-amz-content-sha256;x-amz-date", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")]
    [InlineData("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J", null, "host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")]
    public void The_examples_of_Amazons_reference_come_out_as_printed(string address, string? range, string names, string signature)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Range = range is null ? null : System.Net.Http.Headers.RangeHeaderValue.Parse(range);
        AwsSignature.Sign(request, Key, ExampleTime);
        Assert.Equal(
            $"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders={names},Signature={signature}",
            request.Headers.Authorization?.ToString());
        Assert.Equal("20130524T000000Z", Assert.Single(request.Headers.GetValues("x-amz-date")));
    }

    [Theory]
    [InlineData("s3.amazonaws.com", "us-east-1")]
    [InlineData("s3-external-1.amazonaws.com", "us-east-1")]
    [InlineData("bucket.s3.amazonaws.com", "us-east-1")]
    [InlineData("s3-eu-west-1.amazonaws.com", "eu-west-1")]
    [InlineData("bucket.s3-ap-southeast-2.amazonaws.com", "ap-southeast-2")]
    [InlineData("s3.eu-central-1.amazonaws.com", "eu-central-1")]
    [InlineData("my.bucket.s3.eu-central-1.amazonaws.com", "eu-central-1")]
    [InlineData("bucket.s3.dualstack.us-west-2.amazonaws.com", "us-west-2")]
    [InlineData("s3.cn-north-1.amazonaws.com.cn", "cn-north-1")]
    [InlineData("minio.example", "us-east-1")]
    [InlineData("amazonaws.com", "us-east-1")]
    public void The_region_is_read_from_the_hosts_name(string host, string region) => Assert.Equal(region, AwsSignature.RegionOf(host));
}
