using System.Security.Cryptography;
using Nacelle.Specs;
using static Nacelle.Trust.Tests.KeyForge;

namespace Nacelle.Trust.Tests;

/// <summary>Keys and signatures that look right and are not.</summary>
public sealed class ForgedKeyTests : IDisposable
{
    static readonly byte[] Data = "some data"u8.ToArray();
    static readonly byte[] MaySign = Part(27, [2]), MayCertify = Part(27, [1]);

    readonly KeyForge forge = new(), other = new();

    public void Dispose()
    {
        forge.Dispose();
        other.Dispose();
    }

    static SignatureVerdict Check(byte[] key, byte[] signature)
    {
        var parsed = DetachedSignature.Parse(Packet(2, signature));
        using var data = new SignedData(parsed);
        data.Update(Data);
        return data.Judge(parsed, OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)key), DateTimeOffset.UtcNow);
    }

    void Refuses(byte[] key, byte[] signature, SignatureStatus status, string reason)
    {
        var verdict = Check(key, signature);
        Assert.Equal(status, verdict.Status);
        Assert.Contains(reason, verdict.Reason, StringComparison.Ordinal);
    }

    byte[] Subkey(int flags, byte[]? back, KeyForge? binder = null) =>
        [.. forge.Key(MayCertify), .. Packet(14, other.Body), .. Packet(2, (binder ?? forge).Sign(
            0x18, [.. forge.Hashed, .. other.Hashed], [Part(27, [(byte)flags]), .. back is null ? Array.Empty<byte[]>() : [Part(32, back)]]))];

    byte[] Back(KeyForge by) => by.Sign(0x19, [.. forge.Hashed, .. other.Hashed]);

    [Fact]
    public void An_honest_one_is_accepted()
    {
        Assert.Equal(SignatureStatus.Good, Check(forge.Key(MaySign), forge.Sign(0, Data)).Status);
        Assert.Equal(SignatureStatus.Good, Check(forge.Key(), forge.Sign(0, Data)).Status);
        Assert.Equal(SignatureStatus.Good, Check(Subkey(2, Back(other)), other.Sign(0, Data)).Status);
        Assert.Equal(SignatureStatus.Good, Check([.. Packet(6, forge.Body), .. Packet(2, forge.Sign(0x1F, forge.Hashed, MaySign))], forge.Sign(0, Data)).Status);
    }

    [Fact]
    public void A_key_without_a_self_signature_is_refused() =>
        Refuses([.. Packet(6, forge.Body), .. Packet(13, Name)], forge.Sign(0, Data), SignatureStatus.KeyNotForSigning, "no valid self-signature");

    [Fact]
    public void A_name_that_another_key_certifies_is_no_self_signature() => Refuses(
        [.. Packet(6, forge.Body), .. Packet(13, Name), .. Packet(2, other.Sign(0x13, forge.NameHashed))], forge.Sign(0, Data), SignatureStatus.KeyNotForSigning, "no valid self-signature");

    [Fact]
    public void A_key_that_is_not_meant_for_signing_is_refused() =>
        Refuses(forge.Key(MayCertify), forge.Sign(0, Data), SignatureStatus.KeyNotForSigning, "not meant for signing");

    [Fact]
    public void A_subkey_without_the_sign_flag_is_refused() =>
        Refuses(Subkey(4, Back(other)), other.Sign(0, Data), SignatureStatus.KeyNotForSigning, "whose subkey is not meant for signing");

    [Fact]
    public void A_subkey_that_does_not_confirm_its_primary_key_is_refused()
    {
        Refuses(Subkey(2, null), other.Sign(0, Data), SignatureStatus.KeyNotForSigning, "no valid back signature");
        Refuses(Subkey(2, Back(forge)), other.Sign(0, Data), SignatureStatus.KeyNotForSigning, "no valid back signature");
        Refuses(Subkey(2, other.Sign(0x18, [.. forge.Hashed, .. other.Hashed])), other.Sign(0, Data), SignatureStatus.KeyNotForSigning, "no valid back signature");
    }

    [Fact]
    public void A_subkey_that_the_primary_key_did_not_bind_is_refused() =>
        Refuses(Subkey(2, Back(other), binder: other), other.Sign(0, Data), SignatureStatus.KeyNotForSigning, "not bound");

    [Fact]
    public void A_revocation_by_another_key_does_not_revoke()
    {
        byte[] key = [.. Packet(6, forge.Body), .. Packet(2, other.Sign(0x20, forge.Hashed)), .. forge.Key()[Packet(6, forge.Body).Length..]];
        Assert.True(Check(key, forge.Sign(0, Data)).IsGood);
    }

    [Fact]
    public void A_revocation_counts_although_the_key_is_certified_anew()
    {
        byte[] key = [.. Packet(6, forge.Body), .. Packet(2, forge.Sign(0x20, forge.Hashed, Part(29, [2]))), .. forge.Key()[Packet(6, forge.Body).Length..]];
        Refuses(key, forge.Sign(0, Data), SignatureStatus.KeyRevoked, "it is compromised");
    }

    [Fact]
    public void Times_that_cannot_be_are_refused()
    {
        Refuses(forge.Key(), forge.Sign(0, Data, Epoch.AddDays(-1), 8, []), SignatureStatus.NotInTime, "older than its key");
        Refuses(forge.Key(), forge.Sign(0, Data, DateTimeOffset.UtcNow.AddHours(1), 8, []), SignatureStatus.NotInTime, "from the future");
        Refuses(forge.Key(), forge.Sign(0, Data, null, 8, []), SignatureStatus.Bad, "when it was made");
        using var unborn = new KeyForge(DateTimeOffset.UtcNow.AddYears(1));
        Refuses(unborn.Key(), unborn.Sign(0, Data, DateTimeOffset.UtcNow, 8, []), SignatureStatus.KeyNotForSigning, "from the future");
    }

    [Fact]
    public void A_time_that_is_not_signed_is_no_time() =>
        Refuses(forge.Key(), forge.Sign(0, Data, null, 8, [], [Part(2, Number(Epoch))]), SignatureStatus.Bad, "when it was made");

    [Theory]
    [InlineData(1, "MD5")]
    [InlineData(2, "SHA-1")]
    public void Weak_hashes_are_refused(int hash, string name) =>
        Refuses(forge.Key(), forge.Sign(0, Data, Epoch, hash, []), SignatureStatus.Weak, $"{name}, which is too weak");

    [Fact]
    public void A_self_signature_by_SHA_1_is_accepted_and_by_MD5_is_not()
    {
        byte[] Certified(int hash) => [.. Packet(6, forge.Body), .. Packet(13, Name), .. Packet(2, forge.Sign(0x13, forge.NameHashed, Epoch, hash, []))];
        Assert.True(Check(Certified(2), forge.Sign(0, Data)).IsGood);
        Refuses(Certified(1), forge.Sign(0, Data), SignatureStatus.KeyNotForSigning, "no valid self-signature");
    }

    [Theory]
    [InlineData(0x80 | 99)]
    [InlineData(0x80 | 20)]
    public void A_critical_part_that_is_not_known_spoils_a_signature(int kind) =>
        Refuses(forge.Key(), forge.Sign(0, Data, Part(kind, [1])), SignatureStatus.Bad, "critical part");

    [Fact]
    public void A_signature_over_text_and_one_over_a_key_are_not_over_data()
    {
        Refuses(forge.Key(), forge.Sign(1, Data), SignatureStatus.Bad, "over text");
        Refuses(forge.Key(), forge.Sign(0x10, Data), SignatureStatus.Bad, "kind 0x10");
    }

    [Fact]
    public void A_signature_that_names_another_key_in_the_unsigned_part_is_still_by_its_own()
    {
        var signature = forge.Sign(0, Data, Epoch, 8, [], [Part(33, [4, .. Convert.FromHexString(other.Fingerprint)])]);
        Assert.Equal(forge.Fingerprint, Check([.. other.Key(), .. forge.Key()], signature).Signer);
    }

    [Fact]
    public void Who_claims_a_name_of_a_trusted_key_has_a_bad_signature()
    {
        var signature = other.Sign(0, Data);
        var claim = Convert.ToHexStringLower(signature).Replace(other.Fingerprint, forge.Fingerprint, StringComparison.Ordinal);
        Refuses(forge.Key(), Convert.FromHexString(claim), SignatureStatus.Bad, "is bad");
    }

    [Fact]
    public void More_signatures_of_its_own_than_a_key_needs_are_refused()
    {
        var certification = Packet(2, forge.Sign(0x13, forge.NameHashed));
        byte[] key = [.. forge.Key(), .. Enumerable.Repeat(certification, 1001).SelectMany(packet => packet)];
        Assert.Contains("more than 1000", Assert.Throws<SpecException>(() => OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)key)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_that_unpacks_to_more_than_it_may_is_refused()
    {
        using var packed = new MemoryStream();
        packed.WriteByte(1);
        using (var deflate = new System.IO.Compression.DeflateStream(packed, System.IO.Compression.CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(new byte[64 << 20]);
        }

        var failure = Assert.Throws<SpecException>(() => SignedMessage.Parse(Packet(8, packed.ToArray())));
        Assert.Contains("holds more than", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_signatures_or_two_texts_in_a_message_are_refused()
    {
        byte[] literal = Packet(11, [(byte)'b', 0, 0, 0, 0, 0, .. Data]), signature = Packet(2, forge.Sign(0, Data)), onePass = Packet(4, new byte[13]);
        byte[] good = [.. onePass, .. literal, .. signature];
        Assert.True(SignedMessage.Parse(good).Verify(OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)forge.Key()), DateTimeOffset.UtcNow, out _).IsGood);
        byte[][] bad = [[.. onePass, .. onePass, .. literal, .. signature, .. signature], [.. onePass, .. literal, .. literal, .. signature], [.. onePass, .. literal, .. signature, .. literal], literal, signature, []];
        Assert.All(bad, message => Assert.Throws<SpecException>(() => SignedMessage.Parse(message)));
    }

    [Fact]
    public void Damaged_armor_is_refused_by_its_line()
    {
        string armor = System.Text.Encoding.ASCII.GetString(Armor("PUBLIC KEY BLOCK", forge.Key()));
        (string Text, string Complaint)[] cases =
        [
            (armor.Replace("-----END", "-----DEN", StringComparison.Ordinal), "the end of the block is missing"),
            (armor.Replace("\n-----END", "\n*\n-----END", StringComparison.Ordinal), "not base64"),
            (armor[..^30], "the end of the block is missing"),
            (armor.Replace("\n-----END", "\n=AAAA\n-----END", StringComparison.Ordinal), "the checksum does not fit"),
            (armor.Replace("-----\n\n", "-----\nnonsense\n\n", StringComparison.Ordinal), "line 2: is neither a header"),
            ("hello\n", "is no OpenPGP message"),
            ("", "is empty"),
            (new string('a', 2000), "line 1: is longer than"),
        ];
        Assert.All(cases, one => Assert.Contains(
            one.Complaint, Assert.Throws<SpecException>(() => OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)System.Text.Encoding.ASCII.GetBytes(one.Text))).Message, StringComparison.Ordinal));
        Assert.Equal(forge.Fingerprint, OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)System.Text.Encoding.ASCII.GetBytes(armor))[0].Fingerprint);
    }
}
