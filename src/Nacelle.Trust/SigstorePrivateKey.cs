using System.Security.Cryptography;
using System.Text;
using Nacelle.Specs;
using Org.BouncyCastle.Crypto.Generators;

namespace Nacelle.Trust;

/// <summary>A private key that signs as cosign does: ECDSA or RSA.</summary>
/// <remarks>
/// In PEM: cosign's and skopeo's own encrypted form (github.com/secure-systems-lab/go-securesystemslib, encrypted: scrypt and NaCl's secretbox around PKCS #8), or PKCS #8
/// itself, encrypted or not.
/// </remarks>
public sealed class SigstorePrivateKey : IDisposable
{
    const long MostMemory = 256 << 20;
    const int MostLanes = 16;

    readonly AsymmetricAlgorithm key;

    SigstorePrivateKey(AsymmetricAlgorithm key) => this.key = key;

    /// <param name="passphrase">Null when none is known: then the key must be a plain one.</param>
    /// <exception cref="SpecException">Not such a key, or the passphrase is wrong.</exception>
    public static SigstorePrivateKey Parse(byte[] pem, byte[]? passphrase, string source)
    {
        try
        {
            string text = Encoding.Latin1.GetString(pem);
            if (!PemEncoding.TryFind(text, out var fields))
            {
                throw new SpecException("", "holds no private key in PEM");
            }

            string label = text[fields.Label];
            if (label is "ENCRYPTED COSIGN PRIVATE KEY" or "ENCRYPTED SIGSTORE PRIVATE KEY")
            {
                var box = Convert.FromBase64String(text[fields.Base64Data]);
                return new SigstorePrivateKey(Open(Decrypt(box, passphrase ?? throw new SpecException("", "is encrypted: give its passphrase")), null));
            }

            return label == "ENCRYPTED PRIVATE KEY" && passphrase is null ? throw new SpecException("", "is encrypted: give its passphrase") : new SigstorePrivateKey(Open(pem, passphrase));
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    /// <summary>The public key in PEM, as a policy's <c>keyPath</c> wants it.</summary>
    public string PublicPem => key.ExportSubjectPublicKeyInfoPem() + "\n";

    /// <returns>The signature in base64, as it stands in the annotation.</returns>
    public string Sign(ReadOnlySpan<byte> payload) => Convert.ToBase64String(key is ECDsa ecdsa
        ? ecdsa.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)
        : ((RSA)key).SignData(payload, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    public void Dispose() => key.Dispose();

    static byte[] Decrypt(byte[] json, byte[] passphrase) => SpecNode.Parse(json, root =>
    {
        var kdf = root.Need("kdf");
        var parameters = kdf.Need("params");
        var cipher = root.Need("cipher");
        if (kdf.Need("name").Text() != "scrypt" || cipher.Need("name").Text() != "nacl/secretbox")
        {
            throw new SpecException("", "is encrypted in a way that is not known: only scrypt with nacl/secretbox is");
        }

        int n = parameters.Need("N").Int(), r = parameters.Need("r").Int(), p = parameters.Need("p").Int();
        if (n < 2 || (n & (n - 1)) != 0 || r is < 1 or > MostLanes || p is < 1 or > MostLanes || 128L * n * r > MostMemory)
        {
            throw new SpecException(parameters.Path, "asks for more work than is done for a key");
        }

        byte[] salt = PolicyText.Base64(kdf.Need("salt")), nonce = PolicyText.Base64(cipher.Need("nonce")), box = PolicyText.Base64(root.Need("ciphertext"));
        var secret = SCrypt.Generate(passphrase, salt, n, r, p, SecretBox.KeySize);
        return SecretBox.Open(box, nonce, secret) ?? throw new SpecException("", "the passphrase is wrong");
    });

    static AsymmetricAlgorithm Open(byte[] content, byte[]? passphrase)
    {
        foreach (AsymmetricAlgorithm candidate in new AsymmetricAlgorithm[] { ECDsa.Create(), RSA.Create() })
        {
            try
            {
                if (content is not [(byte)'-' or (byte)'\n', ..])
                {
                    candidate.ImportPkcs8PrivateKey(content, out _);
                }
                else if (passphrase is { Length: > 0 })
                {
                    candidate.ImportFromEncryptedPem(Encoding.Latin1.GetString(content), passphrase);
                }
                else
                {
                    candidate.ImportFromPem(Encoding.Latin1.GetString(content));
                }

                return candidate;
            }
            catch (Exception failure) when (failure is CryptographicException or ArgumentException or PlatformNotSupportedException)
            {
                candidate.Dispose();
            }
        }

        throw new SpecException("", passphrase is null ? "is no private key of ECDSA or RSA" : "the passphrase is wrong, or it is no private key of ECDSA or RSA");
    }
}
