using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Nacelle.Specs;

namespace Nacelle.Trust.Tests;

/// <summary>Keys as cosign has them, changed in a few places: read, or refused by one line that names the file.</summary>
public sealed class SigstoreMutationTests
{
    static readonly byte[] Passphrase = "secret"u8.ToArray(), Payload = "payload"u8.ToArray();

    public static TheoryData<string> PublicKeys()
    {
        using var rsa = RSA.Create(2048);
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return [rsa.ExportSubjectPublicKeyInfoPem(), ecdsa.ExportSubjectPublicKeyInfoPem(), PemEncoding.WriteString("PUBLIC KEY", [.. Convert.FromHexString("302a300506032b6570032100"), .. new byte[32]])];
    }

    /// <summary>Plain, in PKCS #8 with a passphrase, and in cosign's own box, whose content nobody can open.</summary>
    public static TheoryData<string> PrivateKeys()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var box = """{"kdf":{"name":"scrypt","params":{"N":1024,"r":8,"p":1},"salt":"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="},"cipher":{"name":"nacl/secretbox","nonce":"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0"},"ciphertext":"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="}""";
        return
        [
            ecdsa.ExportPkcs8PrivateKeyPem(), ecdsa.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 100)),
            PemEncoding.WriteString("ENCRYPTED SIGSTORE PRIVATE KEY", Encoding.UTF8.GetBytes(box)),
        ];
    }

    [Theory]
    [MemberData(nameof(PublicKeys))]
    public void Changed_public_keys_are_read_or_refused(string pem) => OpenPgpMutationTests.Mutate(Encoding.ASCII.GetBytes(pem)).Sample(
        bytes => OneLine(() => Assert.False(SigstorePublicKey.Parse(bytes, "key.pub").Verify(Payload, new byte[64]))), iter: 3000);

    [Theory]
    [MemberData(nameof(PrivateKeys))]
    public void Changed_private_keys_are_read_or_refused(string pem)
    {
        OpenPgpMutationTests.Mutate(Encoding.ASCII.GetBytes(pem)).Sample(bytes => OneLine(() => SigstorePrivateKey.Parse(bytes, Passphrase, "key.pub").Dispose()), iter: 500);
        OpenPgpMutationTests.Mutate(Inside(pem)).Sample(
            bytes => OneLine(() => SigstorePrivateKey.Parse(Encoding.ASCII.GetBytes(PemEncoding.WriteString(Label(pem), bytes)), Passphrase, "key.pub").Dispose()), iter: 500);
    }

    static byte[] Inside(string pem) => Convert.FromBase64String(pem[PemEncoding.Find(pem).Base64Data]);

    static string Label(string pem) => pem[PemEncoding.Find(pem).Label];

    static void OneLine(Action read)
    {
        try
        {
            read();
        }
        catch (SpecException problem)
        {
            Assert.StartsWith("key.pub: ", problem.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(problem.Message, char.IsControl);
        }
    }
}
