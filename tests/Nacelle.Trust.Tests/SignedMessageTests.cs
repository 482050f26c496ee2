using System.Text;

namespace Nacelle.Trust.Tests;

/// <summary>Messages that carry their own signature, as Debian's GnuPG makes them.</summary>
public sealed class SignedMessageTests : IDisposable
{
    readonly Gnupg gpg = new();

    public void Dispose() => gpg.Dispose();

    [Theory]
    [InlineData()]
    [InlineData("--compress-algo", "zlib")]
    [InlineData("--compress-algo", "none")]
    [InlineData("--armor")]
    public void A_message_that_carries_its_signature_is_verified(params string[] options)
    {
        string key = gpg.MakeKey("a");
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("""{"critical":{}}""", 3000)));
        var message = SignedMessage.Parse(gpg.SignInline(text, key, options), "message");
        var verdict = message.Verify(OpenPgpKey.ReadAll(gpg.Export(key), "key"), DateTimeOffset.UtcNow, out var content);
        Assert.True(verdict.IsGood, verdict.Reason);
        Assert.Equal(text, content.ToArray());

        string other = gpg.MakeKey("other");
        Assert.Equal(SignatureStatus.UnknownKey, message.Verify(OpenPgpKey.ReadAll(gpg.Export(other), "key"), DateTimeOffset.UtcNow, out content).Status);
        Assert.True(content.IsEmpty);
    }

    [Fact]
    public void A_signature_may_be_known_before_the_data_or_after()
    {
        string key = gpg.MakeKey("a", "rsa2048");
        var data = new byte[100_000];
        new Random(1).NextBytes(data);
        var signature = DetachedSignature.Parse(gpg.Sign(data, key, options: ["--digest-algo", "SHA384"]), "signature");
        var keys = OpenPgpKey.ReadAll(gpg.Export(key), "key");
        using var early = new SignedData(signature);
        using var late = new SignedData();
        foreach (var part in data.Chunk(7_777))
        {
            early.Update(part);
            late.Update(part);
        }

        Assert.True(early.Judge(signature, keys, DateTimeOffset.UtcNow).IsGood);
        Assert.True(late.Judge(signature, keys, DateTimeOffset.UtcNow).IsGood);
        late.Update([1]);
        Assert.Equal(SignatureStatus.Bad, late.Judge(signature, keys, DateTimeOffset.UtcNow).Status);
    }
}
