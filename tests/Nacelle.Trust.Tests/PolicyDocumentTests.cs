using System.Text;
using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Trust.Tests;

/// <summary>containers-policy.json(5): what a policy says of an image, and what is no policy.</summary>
public sealed class PolicyDocumentTests
{
    const string Whole = """
        {"default":[{"type":"reject"}],
         "transports":{
          "docker":{
           "":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/none"}],
           "docker.io":[{"type":"insecureAcceptAnything"}],
           "docker.io/library/redis":[{"type":"reject"}],
           "docker.io/library/redis:7":[{"type":"insecureAcceptAnything"}],
           "*.example.com":[{"type":"insecureAcceptAnything"}],
           "registry.example.com":[{"type":"sigstoreSigned","keyData":"AAAA","signedIdentity":{"type":"remapIdentity","prefix":"registry.example.com","signedPrefix":"other.example"}}]},
          "oci":{"/srv":[{"type":"insecureAcceptAnything"}]}}}
        """;

    static TrustPolicy Parse(string json) => TrustPolicy.Parse(Encoding.UTF8.GetBytes(json), "policy.json");

    [Theory]
    [InlineData("docker://redis:7", "AcceptAnything")]
    [InlineData("docker://redis:6", "Reject")]
    [InlineData("docker://redis", "Reject")]
    [InlineData("docker://nginx", "AcceptAnything")]
    [InlineData("docker://registry.example.com/a", "SigstoreSigned")]
    [InlineData("docker://deep.registry.example.com/a", "AcceptAnything")]
    [InlineData("docker://example.com/a", "SignedBy")]
    [InlineData("docker://quay.io/a/b", "SignedBy")]
    public void The_most_precise_scope_of_a_name_decides(string image, string requirement) =>
        Assert.Equal(requirement, Assert.Single(Parse(Whole).For(PolicySubject.Of(ImageReference.Parse(image)))).GetType().Name);

    [Theory]
    [InlineData("oci:/srv/images/a:t", "AcceptAnything")]
    [InlineData("oci:/srvx:t", "Reject")]
    [InlineData("oci-archive:/srv/a.tar", "Reject")]
    public void A_path_lies_below_a_scope_by_whole_words(string image, string requirement) =>
        Assert.Equal(requirement, Assert.Single(Parse(Whole).For(PolicySubject.Of((ImageFile)ImageName.Parse(image)))).GetType().Name);

    [Theory]
    [InlineData("\"default\":[{\"type\":\"reject\"}]", "\"default\":[]", "default")]
    [InlineData("\"default\"", "\"defaults\"", "default")]
    [InlineData("\"type\":\"reject\"}],", "\"type\":\"rejects\"}],", "there is no requirement 'rejects'")]
    [InlineData("\"type\":\"reject\"}],", "\"type\":\"reject\",\"more\":1}],", "more")]
    [InlineData("GPGKeys", "PGP", "there is no kind of keys 'PGP'")]
    [InlineData("\"keyPath\":\"/none\"", "\"keyPath\":\"/none\",\"keyData\":\"AAAA\"", "exactly one of keyPath")]
    [InlineData("AAAA", "????", "keyData")]
    [InlineData("remapIdentity", "remap", "there is no kind of identity 'remap'")]
    [InlineData("\"/srv\"", "\"srv\"", "must be an absolute path")]
    [InlineData("\"transports\"", "\"transport\"", "transport")]
    public void What_is_no_policy_is_refused_with_the_place(string valid, string invalid, string complaint)
    {
        Assert.Contains(valid, Whole, StringComparison.Ordinal);
        int at = Whole.IndexOf(valid, StringComparison.Ordinal);
        var refused = Assert.Throws<SpecException>(() => Parse(Whole[..at] + invalid + Whole[(at + valid.Length)..]));
        Assert.StartsWith("policy.json: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(complaint, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_document_is_read_or_refused_with_one_line()
    {
        var seed = Encoding.UTF8.GetBytes(Whole);
        Gen.Select(Gen.Int[0, seed.Length - 1], Gen.Byte).Array[1, 6].Sample(
            changes =>
            {
                var damaged = (byte[])seed.Clone();
                foreach (var (at, value) in changes)
                {
                    damaged[at] = value;
                }

                try
                {
                    TrustPolicy.Parse(damaged, "policy.json").For(PolicySubject.Of(ImageReference.Parse("docker://redis")));
                }
                catch (SpecException refused)
                {
                    Assert.DoesNotContain('\n', refused.Message);
                }
            },
            iter: 5000);
    }
}
