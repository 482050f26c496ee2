using System.Text;
using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Trust.Tests;

/// <summary>Policies, registries.d, claims and keys, changed in a few places: read, or refused by one line that names the source.</summary>
public sealed class PolicyMutationTests
{
    const string Policy = """
        {"default":[{"type":"reject"}],"transports":{"docker":{"registry.example/a":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k","signedIdentity":{"type":"remapIdentity",
        "prefix":"registry.example/a","signedPrefix":"docker.io/b"}}],"*.example.com":[{"type":"sigstoreSigned","keyDatas":["AAAA"],"signedIdentity":{"type":"exactReference","dockerReference":"a/b:1"}}]},
        "oci":{"/srv":[{"type":"insecureAcceptAnything"}]}}}
        """;

    const string Registries = """
        default-docker:
          lookaside-staging: file:///var/lib/staging # of this machine
        docker:
          "registry.example":
            lookaside: https://signatures.example/a
          registry.example/b: { sigstore: 'http://old.example', use-sigstore-attachments: true }
        """;

    const string Claim = """{"critical":{"identity":{"docker-reference":"a/b:1"},"image":{"docker-manifest-digest":"sha256:DIGEST"},"type":"atomic container signature"},"optional":{"timestamp":1}}""";

    static readonly ImageReference Image = ImageReference.Parse("docker://registry.example/b/c:1");

    static void OneLine(Action read)
    {
        try
        {
            read();
        }
        catch (SpecException problem)
        {
            Assert.DoesNotContain(problem.Message, char.IsControl);
        }
    }

    [Fact]
    public void Changed_policies_are_read_or_refused() => OpenPgpMutationTests.Mutate(Encoding.UTF8.GetBytes(Policy)).Sample(
        bytes => OneLine(() => TrustPolicy.Parse(bytes, "policy.json").For(PolicySubject.Of(Image))), iter: 20_000);

    [Fact]
    public void Changed_registries_are_read_or_refused() => OpenPgpMutationTests.Mutate(Encoding.UTF8.GetBytes(Registries)).Sample(
        bytes => OneLine(() => LookasideConfiguration.Parse(bytes, "a.yaml").AddressFor(Image, toWrite: true)), iter: 20_000);

    [Fact]
    public void Changed_claims_are_read_or_refused() => OpenPgpMutationTests.Mutate(Encoding.UTF8.GetBytes(Claim.Replace("DIGEST", new string('a', 64), StringComparison.Ordinal))).Sample(
        bytes => OneLine(() => SignedReference.TryParse(SignedClaim.Parse(bytes, SignedClaim.Simple, "claim").Reference)), iter: 20_000);

    [Theory]
    [InlineData("a: &x 1\nb: *x\n", "refers to another part")]
    [InlineData("docker: {a: 1, a: 2}", "said twice")]
    [InlineData("docker: {registry.example/b: {lookaside: [a]}}", "lookaside is not a text")]
    [InlineData("docker: {registry.example/b: {lookaside: 'ftp://x'}}", "is no address of signatures")]
    [InlineData("\t- a: [", "is not YAML")]
    public void What_is_wrong_in_registries_d_is_said(string yaml, string complaint) => Assert.Contains(
        complaint, Assert.Throws<SpecException>(() => LookasideConfiguration.Parse(Encoding.UTF8.GetBytes(yaml), "a.yaml").AddressFor(Image, toWrite: false)).Message, StringComparison.Ordinal);

    [Fact]
    public void Nesting_without_end_is_refused() => Assert.Throws<SpecException>(() => LookasideConfiguration.Parse(Encoding.UTF8.GetBytes(new string('[', 100_000)), "a.yaml"));

    [Fact]
    public void The_most_precise_place_of_signatures_counts_and_another_may_be_written_to()
    {
        var places = LookasideConfiguration.Parse(Encoding.UTF8.GetBytes(Registries), "a.yaml");
        Assert.Equal("http://old.example/b/c", places.AddressFor(Image, toWrite: false).AbsoluteUri);
        Assert.Equal("https://signatures.example/a/x", places.AddressFor(ImageReference.Parse("docker://registry.example/x"), toWrite: false).AbsoluteUri);
        Assert.Equal("file:///var/lib/staging/x", places.AddressFor(ImageReference.Parse("docker://other.example/x"), toWrite: true).AbsoluteUri);
        Assert.Equal(
            $"http://old.example/b/c@sha256={new string('a', 64)}/signature-2",
            LookasideConfiguration.AddressOf(places.AddressFor(Image, toWrite: false), Digest.Parse("sha256:" + new string('a', 64)), 2).AbsoluteUri);
    }

    [Theory]
    [InlineData("""{"default":[]}""", "at least one requirement")]
    [InlineData("""{"transports":{}}""", "default: is missing")]
    [InlineData("""{"default":[{"type":"reject"}],"more":1}""", "more: is not known here")]
    [InlineData("""{"default":[{"type":"reject","keyPath":"/k"}]}""", "default[0].keyPath: is not known here")]
    [InlineData("""{"default":[{"type":"signedBy","keyType":"GPGKeys"}]}""", "exactly one of keyPath, keyPaths, keyData")]
    [InlineData("""{"default":[{"type":"reject"}],"transports":{"oci":{"srv":[{"type":"reject"}]}}}""", "must be an absolute path")]
    [InlineData("""{"default":[{"type":"reject"}],"transports":{"docker-archive":{"x":[{"type":"reject"}]}}}""", "no scopes")]
    public void What_is_wrong_in_a_policy_is_said(string json, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<SpecException>(() => TrustPolicy.Parse(Encoding.UTF8.GetBytes(json), "policy.json")).Message, StringComparison.Ordinal);
}
