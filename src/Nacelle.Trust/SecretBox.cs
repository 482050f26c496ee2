using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Macs;
using Org.BouncyCastle.Crypto.Parameters;

namespace Nacelle.Trust;

/// <summary>NaCl's secretbox: XSalsa20 and Poly1305. See https://nacl.cr.yp.to/secretbox.html.</summary>
static class SecretBox
{
    public const int KeySize = 32;

    const int NonceSize = 24, TagSize = 16;

    /// <returns>Null when the box was not made with that key.</returns>
    public static byte[]? Open(byte[] box, byte[] nonce, byte[] key)
    {
        if (box.Length < TagSize || nonce.Length != NonceSize)
        {
            return null;
        }

        var (cipher, mac) = Begin(nonce, key);
        var expected = new byte[TagSize];
        mac.BlockUpdate(box, TagSize, box.Length - TagSize);
        mac.DoFinal(expected, 0);
        if (!System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(expected, box.AsSpan(0, TagSize)))
        {
            return null;
        }

        var plain = new byte[box.Length - TagSize];
        cipher.ProcessBytes(box, TagSize, plain.Length, plain, 0);
        return plain;
    }

    public static byte[] Seal(byte[] plain, byte[] nonce, byte[] key)
    {
        var (cipher, mac) = Begin(nonce, key);
        var box = new byte[TagSize + plain.Length];
        cipher.ProcessBytes(plain, 0, plain.Length, box, TagSize);
        mac.BlockUpdate(box, TagSize, plain.Length);
        mac.DoFinal(box, 0);
        return box;
    }

    /// <summary>The first half block of the stream is the key of the authenticator.</summary>
    static (XSalsa20Engine Cipher, Poly1305 Mac) Begin(byte[] nonce, byte[] key)
    {
        var cipher = new XSalsa20Engine();
        cipher.Init(true, new ParametersWithIV(new KeyParameter(key), nonce));
        var first = new byte[KeySize];
        cipher.ProcessBytes(first, 0, first.Length, first, 0);
        var mac = new Poly1305();
        mac.Init(new KeyParameter(first));
        return (cipher, mac);
    }
}
