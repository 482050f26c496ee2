using CsCheck;

namespace Nacelle.Specs.Tests;

public sealed class DigestTests
{
    const string Hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void A_digest_knows_its_parts()
    {
        var digest = Digest.Parse("sha256:" + Hex);
        Assert.Equal("sha256", digest.Algorithm);
        Assert.Equal(Hex, digest.Hex);
        Assert.Equal("sha256-" + Hex, digest.FileName);
        Assert.Equal("sha256:" + Hex, digest.ToString());
    }

    [Fact]
    public void Any_hash_makes_a_digest_that_parses_to_itself() =>
        Gen.Byte.Array[32].Sample(hash => Digest.Parse(Digest.Sha256(hash).ToString()) == Digest.Sha256(hash));

    [Fact]
    public void A_sha512_digest_has_128_digits() => Assert.Equal(128, Digest.Parse(Digest.Sha512(new byte[64]).ToString()).Hex.Length);

    [Theory]
    [InlineData("")]
    [InlineData("sha256:")]
    [InlineData("sha256:abc")]
    [InlineData("md5:0123456789abcdef0123456789abcdef")]
    [InlineData("sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../etc/passwd000")]
    [InlineData("sha512:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData(" sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    public void What_is_no_digest_is_refused(string text)
    {
        Assert.False(Digest.TryParse(text, out _));
        Assert.Contains(text, Assert.Throws<FormatException>(() => Digest.Parse(text)).Message, StringComparison.Ordinal);
    }
}
