using System.Security.Cryptography;
using System.Text;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>The public key of somebody who signs as cosign does.</summary>
/// <remarks>A SubjectPublicKeyInfo in PEM (RFC 7468, 13): ECDSA on P-256, P-384 or P-521, RSA, or Ed25519; hashed by SHA-256.</remarks>
public sealed class SigstorePublicKey
{
    const string Ed25519Header = "302a300506032b6570032100"; // RFC 8410, 4

    readonly byte[] info;

    SigstorePublicKey(byte[] info) => this.info = info;

    /// <exception cref="SpecException">Not such a key.</exception>
    public static SigstorePublicKey Parse(byte[] pem, string source)
    {
        string text = Encoding.Latin1.GetString(pem);
        if (!PemEncoding.TryFind(text, out var fields) || text[fields.Label] != "PUBLIC KEY")
        {
            throw new SpecException("", "holds no public key in PEM (-----BEGIN PUBLIC KEY-----)").In(source);
        }

        var key = new SigstorePublicKey(Convert.FromBase64String(text[fields.Base64Data]));
        try
        {
            if (!key.IsEd25519)
            {
                using var any = key.OpenRsa() ?? (AsymmetricAlgorithm)key.OpenEcdsa();
            }
        }
        catch (Exception failure) when (failure is CryptographicException or PlatformNotSupportedException)
        {
            throw new SpecException("", "is not a key of ECDSA, RSA or Ed25519").In(source);
        }

        return key;
    }

    public bool Verify(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> signature)
    {
        try
        {
            if (IsEd25519)
            {
                return signature.Length == 64 && Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.Verify(signature.ToArray(), 0, info, info.Length - 32, payload.ToArray(), 0, payload.Length);
            }

            using var rsa = OpenRsa();
            if (rsa is not null)
            {
                return rsa.VerifyData(payload, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            }

            using var ecdsa = OpenEcdsa();
            return ecdsa.VerifyData(payload, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    bool IsEd25519 => info.Length == 44 && Convert.ToHexStringLower(info.AsSpan(0, 12)) == Ed25519Header;

    RSA? OpenRsa()
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(info, out _);
            return rsa.KeySize >= 2048 ? rsa : throw new CryptographicException();
        }
        catch (CryptographicException) when (rsa.KeySize >= 2048)
        {
            rsa.Dispose();
            return null;
        }
    }

    ECDsa OpenEcdsa()
    {
        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportSubjectPublicKeyInfo(info, out _);
            return ecdsa;
        }
        catch
        {
            ecdsa.Dispose();
            throw;
        }
    }
}
