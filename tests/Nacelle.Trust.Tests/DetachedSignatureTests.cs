using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Trust.Tests;

/// <summary>Detached signatures as Debian's GnuPG makes them.</summary>
public sealed class DetachedSignatureTests : IDisposable
{
    static readonly byte[] Content = [.. "an image, let us say"u8];

    readonly Gnupg gpg = new();

    public void Dispose() => gpg.Dispose();

    static SignatureVerdict Verify(byte[] signature, byte[] keys, byte[]? content = null, DateTimeOffset? now = null) =>
        DetachedSignature.Verify(signature, "image.aci.asc", new MemoryStream(content ?? Content), OpenPgpKey.ReadAll(keys, "keys"), now ?? DateTimeOffset.UtcNow);

    [Theory]
    [InlineData("ed25519", true)]
    [InlineData("ed25519", false)]
    [InlineData("rsa2048", true)]
    [InlineData("rsa4096", false)]
    [InlineData("nistp256", true)]
    [InlineData("nistp384", false)]
    [InlineData("nistp521", true)]
    [InlineData("dsa2048", true)]
    public void A_good_signature_is_known_as_its_owners(string algorithm, bool armor)
    {
        var fingerprint = gpg.MakeKey("Example <example@example.com>", algorithm);
        var verdict = Verify(gpg.Sign(Content, fingerprint, armor), gpg.Export(fingerprint, armor));
        Assert.True(verdict.IsGood, verdict.Reason);
        Assert.Equal(fingerprint, verdict.Key!.Fingerprint);
        Assert.Equal("Example <example@example.com>", Assert.Single(verdict.Key.UserIds));
    }

    [Fact]
    public void A_large_content_is_read_piece_by_piece()
    {
        var fingerprint = gpg.MakeKey("a");
        var large = new byte[3_000_001];
        new Random(1).NextBytes(large);
        Assert.True(Verify(gpg.Sign(large, fingerprint), gpg.Export(fingerprint), large).IsGood);
    }

    [Fact]
    public void Changed_content_is_bad()
    {
        var fingerprint = gpg.MakeKey("a");
        var signature = gpg.Sign(Content, fingerprint);
        Assert.Equal(SignatureStatus.Bad, Verify(signature, gpg.Export(fingerprint), [.. Content, 1]).Status);
        Assert.Equal(SignatureStatus.Bad, Verify(signature, gpg.Export(fingerprint), Content[1..]).Status);
    }

    [Fact]
    public void A_key_that_is_not_trusted_is_named()
    {
        var signer = gpg.MakeKey("a");
        var verdict = Verify(gpg.Sign(Content, signer), gpg.Export(gpg.MakeKey("b")));
        Assert.Equal(SignatureStatus.UnknownKey, verdict.Status);
        Assert.Contains(signer[^16..].ToUpperInvariant(), verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_several_signatures_one_good_one_is_enough()
    {
        string first = gpg.MakeKey("a"), second = gpg.MakeKey("b");
        byte[] both = [.. gpg.Sign(Content, first, armor: false), .. gpg.Sign(Content, second, armor: false)];
        Assert.Equal(second, Verify(both, gpg.Export(second)).Key!.Fingerprint);
        Assert.Equal(first, Verify(both, gpg.Export(first)).Key!.Fingerprint);
    }

    [Fact]
    public void A_key_that_has_expired_signs_nothing()
    {
        var fingerprint = gpg.MakeKey("a", expires: "2021-01-01", when: "20200101T000000");
        var (signature, key) = (gpg.Sign(Content, fingerprint, when: "20200601T000000"), gpg.Export(fingerprint));
        var verdict = Verify(signature, key);
        Assert.Equal(SignatureStatus.KeyExpired, verdict.Status);
        Assert.Contains("2021-01-01", verdict.Reason, StringComparison.Ordinal);
        Assert.True(Verify(signature, key, now: new DateTimeOffset(2020, 12, 1, 0, 0, 0, TimeSpan.Zero)).IsGood);
    }

    [Fact]
    public void A_key_whose_expiry_was_put_off_is_good_again()
    {
        var fingerprint = gpg.MakeKey("a", expires: "2021-01-01", when: "20200101T000000");
        var signature = gpg.Sign(Content, fingerprint, when: "20200601T000000");
        gpg.Run(["--quick-set-expire", fingerprint, "0"]);
        Assert.True(Verify(signature, gpg.Export(fingerprint)).IsGood);
    }

    [Fact]
    public void A_revoked_key_signs_nothing()
    {
        var fingerprint = gpg.MakeKey("a");
        var signature = gpg.Sign(Content, fingerprint);
        gpg.Revoke(fingerprint);
        Assert.Equal(SignatureStatus.KeyRevoked, Verify(signature, gpg.Export(fingerprint)).Status);
    }

    [Fact]
    public void A_signing_subkey_counts_for_its_primary_key()
    {
        var fingerprint = gpg.MakeKey("Owner", usage: "cert");
        gpg.AddSubkey(fingerprint);
        var verdict = Verify(gpg.Sign(Content, fingerprint), gpg.Export(fingerprint));
        Assert.True(verdict.IsGood, verdict.Reason);
        Assert.Equal(fingerprint, verdict.Key!.Fingerprint);
        Assert.True(Assert.Single(verdict.Key.Subkeys).MaySign);
        Assert.False(verdict.Key.Primary.MaySign);
    }

    [Fact]
    public void A_subkey_that_has_expired_or_was_revoked_signs_nothing()
    {
        var fingerprint = gpg.MakeKey("Owner", usage: "cert", when: "20200101T000000");
        gpg.AddSubkey(fingerprint, expires: "2021-01-01", when: "20200101T000000");
        var signature = gpg.Sign(Content, fingerprint, when: "20200601T000000");
        Assert.Equal(SignatureStatus.KeyExpired, Verify(signature, gpg.Export(fingerprint)).Status);

        var other = gpg.MakeKey("Other", usage: "cert");
        gpg.AddSubkey(other);
        signature = gpg.Sign(Content, other);
        gpg.Run(["--command-fd", "0", "--no-batch", "--no-tty", "--edit-key", other], "key 1\nrevkey\ny\n0\n\ny\nsave\n");
        Assert.Equal(SignatureStatus.KeyRevoked, Verify(signature, gpg.Export(other)).Status);
    }

    [Fact]
    public void A_subkey_for_encryption_does_not_sign()
    {
        var fingerprint = gpg.MakeKey("Owner", "rsa2048");
        gpg.AddSubkey(fingerprint, "rsa2048", "encr");
        Assert.False(Assert.Single(OpenPgpKey.ReadAll(gpg.Export(fingerprint), "keys")[0].Subkeys).MaySign);
    }

    [Fact]
    public void A_signature_that_has_expired_or_comes_from_the_future_is_refused()
    {
        var fingerprint = gpg.MakeKey("a", when: "20200101T000000");
        var expired = gpg.Sign(Content, fingerprint, when: "20200201T000000", options: ["--default-sig-expire", "2020-03-01"]);
        Assert.Equal(SignatureStatus.NotInTime, Verify(expired, gpg.Export(fingerprint)).Status);
        var early = gpg.Sign(Content, fingerprint, when: "20200201T000000");
        Assert.Equal(SignatureStatus.NotInTime, Verify(early, gpg.Export(fingerprint), now: new DateTimeOffset(2020, 1, 15, 0, 0, 0, TimeSpan.Zero)).Status);
    }

    [Theory]
    [InlineData("SHA1")]
    [InlineData("RIPEMD160")]
    public void A_weak_hash_is_refused(string digest)
    {
        var fingerprint = gpg.MakeKey("a", "rsa2048");
        Assert.Equal(SignatureStatus.Weak, Verify(gpg.Sign(Content, fingerprint, options: ["--digest-algo", digest, "--allow-weak-digest-algos"]), gpg.Export(fingerprint)).Status);
    }

    [Fact]
    public void A_signature_over_text_is_none_over_a_file()
    {
        var fingerprint = gpg.MakeKey("a");
        Assert.Equal(SignatureStatus.Bad, Verify(gpg.Sign(Content, fingerprint, options: ["--textmode"]), gpg.Export(fingerprint)).Status);
    }

    [Fact]
    public void A_critical_notation_that_nobody_knows_is_refused()
    {
        var fingerprint = gpg.MakeKey("a");
        Assert.Equal(SignatureStatus.Bad, Verify(gpg.Sign(Content, fingerprint, options: ["--sig-notation", "!only@example.com=never"]), gpg.Export(fingerprint)).Status);
        Assert.True(Verify(gpg.Sign(Content, fingerprint, options: ["--sig-notation", "hint@example.com=x"]), gpg.Export(fingerprint)).IsGood);
    }

    [Fact]
    public void A_subkey_that_somebody_else_owns_is_not_taken_over()
    {
        // A foreign subkey's packets behind another primary key: its binding does not verify there.
        string owner = gpg.MakeKey("Owner", usage: "cert"), thief = gpg.MakeKey("Thief", usage: "cert");
        gpg.AddSubkey(owner);
        byte[] whole = gpg.Export(owner, armor: false), other = gpg.Export(thief, armor: false);
        int subkey = PacketOffsets(whole).First(packet => packet.Tag == 14).Offset;
        var forged = OpenPgpKey.ReadAll([.. other, .. whole[subkey..]], "keys");
        Assert.Empty(Assert.Single(forged).Subkeys);
    }

    [Fact]
    public void A_user_id_that_the_key_does_not_vouch_for_is_not_shown()
    {
        string a = gpg.MakeKey("A"), b = gpg.MakeKey("B");
        byte[] first = gpg.Export(a, armor: false), second = gpg.Export(b, armor: false);
        int userId = PacketOffsets(second).First(packet => packet.Tag == 13).Offset;
        Assert.Equal(["A"], OpenPgpKey.ReadAll([.. first, .. second[userId..]], "keys")[0].UserIds);
    }

    [Fact]
    public void Several_keys_in_one_text_are_all_read()
    {
        string a = gpg.MakeKey("A"), b = gpg.MakeKey("B");
        Assert.Equal(new[] { a, b }.Order(), OpenPgpKey.ReadAll([.. gpg.Export(a), .. "\n"u8, .. gpg.Export(b)], "keys").Select(key => key.Fingerprint).Order());
        Assert.Equal(2, OpenPgpKey.ReadAll(gpg.Export(a, b), "keys").Count);
    }

    [Fact]
    public void A_key_written_anew_is_the_same_to_gpg()
    {
        var fingerprint = gpg.MakeKey("A");
        using var other = new Gnupg();
        File.WriteAllBytes($"{other.Path}/key", OpenPgpKey.ReadAll(gpg.Export(fingerprint), "keys")[0].ToArmor());
        Assert.Contains(fingerprint.ToUpperInvariant(), other.Run(["--with-colons", "--show-keys", $"{other.Path}/key"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no key")]
    [InlineData("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n")]
    [InlineData("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n")]
    public void What_is_no_key_is_refused_by_its_source(string text) =>
        Assert.StartsWith("keys.asc: ", Assert.Throws<SpecException>(() => OpenPgpKey.ReadAll([.. System.Text.Encoding.UTF8.GetBytes(text)], "keys.asc")).Message, StringComparison.Ordinal);

    [Fact]
    public void Damaged_keys_and_signatures_are_read_or_refused_with_one_line()
    {
        var fingerprint = gpg.MakeKey("A", "rsa2048");
        gpg.AddSubkey(fingerprint);
        byte[][] seeds = [gpg.Export(fingerprint), gpg.Export(fingerprint, armor: false), gpg.Sign(Content, fingerprint), gpg.Sign(Content, fingerprint, armor: false)];
        var keys = OpenPgpKey.ReadAll(seeds[0], "keys");
        Gen.Select(Gen.Int[0, seeds.Length - 1], Gen.Select(Gen.Double[0, 1], Gen.Byte).Array[1, 6], Gen.Double[0.2, 1.3]).Sample(
            (which, changes, length) =>
            {
                var damaged = seeds[which].AsSpan(0, (int)Math.Min(seeds[which].Length, seeds[which].Length * length)).ToArray();
                foreach (var (at, value) in changes)
                {
                    damaged[(int)(at * (damaged.Length - 1))] = value;
                }

                long before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    _ = which < 2 ? (object)OpenPgpKey.ReadAll(damaged, "damaged") : DetachedSignature.Verify(damaged, "damaged", new MemoryStream(Content), keys, DateTimeOffset.UtcNow);
                }
                catch (SpecException refused)
                {
                    Assert.DoesNotContain('\n', refused.Message);
                    Assert.StartsWith("damaged: ", refused.Message, StringComparison.Ordinal);
                }

                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
            },
            iter: 3000, threads: 1);
    }

    /// <summary>Where each packet of a binary export begins (RFC 9580, 4.2).</summary>
    static IEnumerable<(int Tag, int Offset)> PacketOffsets(byte[] packets)
    {
        for (int at = 0; at < packets.Length;)
        {
            int head = packets[at], tag = (head & 0x40) != 0 ? head & 0x3F : (head >> 2) & 0xF;
            yield return (tag, at);
            int size = (head & 0x40) != 0
                ? packets[at + 1] < 192 ? 2 + packets[at + 1] : 3 + ((packets[at + 1] - 192) << 8) + packets[at + 2] + 192
                : (head & 3) switch { 0 => 2 + packets[at + 1], 1 => 3 + (packets[at + 1] << 8) + packets[at + 2], _ => throw new NotSupportedException() };
            at += size;
        }
    }
}
