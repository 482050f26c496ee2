using System.Security.Cryptography;
using Nacelle.Specs;
using Org.BouncyCastle.Math.EC.Rfc8032;
using static Nacelle.Trust.Tests.KeyForge;

namespace Nacelle.Trust.Tests;

/// <summary>Ed25519 as algorithm 27 of RFC 9580, which Debian's gnupg does not write.</summary>
public sealed class NativeEd25519Tests
{
    const int Native = 27, Sha512 = 10;

    static readonly byte[] Data = "some data"u8.ToArray(), Name = "Native <native@example.com>"u8.ToArray();

    // RFC 9580, appendix A.3, "Sample Version 6 Certificate": the secret and the public number of its Ed25519 primary key (A.4).
    static readonly byte[] Secret = Convert.FromHexString("1972817b12be707e8d5f586ce61361201d344eb266a2c82fde6835762b65b0b7");
    static readonly byte[] Public = Convert.FromHexString("f94da7bb48d60a61e567706a6587d0331999bb9d891a08242ead84543df895a3");

    static readonly byte[] Body = [4, .. Number(Epoch), Native, .. Public];
    static readonly byte[] Hashed = [0x99, 0, (byte)Body.Length, .. Body];
    static readonly string Fingerprint = Convert.ToHexStringLower(SHA1.HashData(Hashed));
    static readonly byte[] Key = [.. Packet(6, Body), .. Packet(13, Name), .. Packet(2, Sign(0x13, [.. Hashed, 0xB4, 0, 0, 0, (byte)Name.Length, .. Name], Part(27, [3])))];

    /// <summary>A signature packet's body; RFC 9580, 5.2.3.3: the signature is 64 bytes, no multiprecision integers.</summary>
    static byte[] Sign(int type, byte[] data, params byte[][] parts)
    {
        byte[] area = [.. Part(2, Number(Epoch)), .. Part(33, [4, .. Convert.FromHexString(Fingerprint)]), .. parts.SelectMany(part => part)];
        byte[] head = [4, (byte)type, Native, Sha512, 0, (byte)area.Length, .. area];
        var hash = SHA512.HashData([.. data, .. head, 4, 0xFF, .. Number((uint)head.Length)]);
        var signature = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(Secret, 0, Public, 0, null, hash, 0, hash.Length, signature, 0);
        return [.. head, 0, 0, hash[0], hash[1], .. signature];
    }

    static SignatureVerdict Check(byte[] signature, byte[] data)
    {
        var parsed = DetachedSignature.Parse(Packet(2, signature));
        using var signed = new SignedData(parsed);
        signed.Update(data);
        return signed.Judge(parsed, OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)Key), DateTimeOffset.UtcNow);
    }

    [Fact]
    public void The_numbers_of_the_specifications_key_belong_together()
    {
        var derived = new byte[Ed25519.PublicKeySize];
        Ed25519.GeneratePublicKey(Secret, 0, derived, 0);
        Assert.Equal(Public, derived);
    }

    [Fact]
    public void A_signature_by_such_a_key_holds_for_its_data_alone()
    {
        var key = Assert.Single(OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)Key));
        Assert.Equal((Fingerprint, "Native <native@example.com>"), (key.Fingerprint, Assert.Single(key.UserIds)));
        var signature = Sign(0, Data);
        Assert.Equal(SignatureStatus.Good, Check(signature, Data).Status);
        Assert.Equal(SignatureStatus.Bad, Check(signature, "other data"u8.ToArray()).Status);
        for (int at = signature.Length - Ed25519.SignatureSize; at < signature.Length; at++)
        {
            byte[] changed = [.. signature];
            changed[at] ^= 1;
            Assert.Equal(SignatureStatus.Bad, Check(changed, Data).Status);
        }
    }

    [Fact]
    public void A_signature_that_is_cut_off_or_too_long_is_bad()
    {
        var signature = Sign(0, Data);
        foreach (var wrong in (byte[][])[signature[..^1], [.. signature, 0], signature[..^Ed25519.SignatureSize]])
        {
            Assert.Equal(SignatureStatus.Bad, Check(wrong, Data).Status);
        }
    }

    [Fact]
    public void A_key_that_is_cut_off_is_refused() =>
        Assert.Throws<SpecException>(() => OpenPgpKey.ReadAll((ReadOnlyMemory<byte>)Packet(6, Body[..^1])));
}
