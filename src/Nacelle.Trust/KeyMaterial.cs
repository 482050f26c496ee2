using System.Security.Cryptography;
using Nacelle.Specs;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Nacelle.Trust;

/// <summary>The numbers of a public key and what they can check.</summary>
/// <param name="Name">For people: <c>RSA 3072</c>, <c>Ed25519</c>.</param>
/// <param name="Algorithm">The number that signatures must carry too. RFC 9580, 9.1.</param>
abstract record KeyMaterial(string Name, int Algorithm)
{
    const int Rsa = 1, RsaSignOnly = 3, Dsa = 17, EcDsa = 19, EdDsaLegacy = 22, Ed25519Native = 27;

    // In DER, without tag and length. RFC 9580, 9.2.
    static readonly byte[] OidEd25519 = [0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x0F, 0x01];
    static readonly (byte[] Oid, string Name, ECCurve Curve, int Size)[] Curves =
    [
        ([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07], "P-256", ECCurve.NamedCurves.nistP256, 32),
        ([0x2B, 0x81, 0x04, 0x00, 0x22], "P-384", ECCurve.NamedCurves.nistP384, 48),
        ([0x2B, 0x81, 0x04, 0x00, 0x23], "P-521", ECCurve.NamedCurves.nistP521, 66),
    ];

    /// <summary>Why this key cannot check signatures; null when it can.</summary>
    public virtual string? Unusable => null;

    /// <param name="hash">Of the signed data.</param>
    /// <param name="signature">The numbers at the end of the signature's packet.</param>
    /// <exception cref="SpecException">They are not the numbers of such a signature.</exception>
    public abstract bool Verify(HashAlgorithmName algorithm, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature);

    public static KeyMaterial Parse(int algorithm, ref ByteReader reader)
    {
        switch (algorithm)
        {
            case Rsa or RsaSignOnly:
                return new RsaMaterial(algorithm, reader.Mpi().ToArray(), reader.Mpi().ToArray());
            case Dsa:
                return new DsaMaterial(reader.Mpi().ToArray(), reader.Mpi().ToArray(), reader.Mpi().ToArray(), reader.Mpi().ToArray());
            case EcDsa:
                var oid = reader.Bytes(reader.Byte());
                var point = reader.Mpi();
                foreach (var (known, name, curve, size) in Curves)
                {
                    if (oid.SequenceEqual(known))
                    {
                        return new EcDsaMaterial(name, curve, size, point.ToArray());
                    }
                }

                return new OtherMaterial("ECDSA on a curve that is not supported", algorithm);
            case EdDsaLegacy:
                bool isKnown = reader.Bytes(reader.Byte()).SequenceEqual(OidEd25519);
                var prefixed = reader.Mpi();
                return isKnown && prefixed.Length == 33 && prefixed[0] == 0x40 ? new EdDsaMaterial(algorithm, prefixed[1..].ToArray())
                    : new OtherMaterial("EdDSA on a curve that is not supported", algorithm);
            case Ed25519Native:
                return new EdDsaMaterial(algorithm, reader.Bytes(32).ToArray());
            default:
                return new OtherMaterial(algorithm switch { 2 => "RSA for encryption", 16 => "ElGamal", 18 => "ECDH", 25 => "X25519", _ => $"algorithm {algorithm}" }, algorithm);
        }
    }

    /// <summary>The two numbers of a signature in a fixed length each; null when one is longer.</summary>
    static byte[]? Both(ReadOnlySpan<byte> signature, int size)
    {
        var reader = new ByteReader(signature, "signature");
        var r = reader.Mpi();
        var s = reader.Mpi();
        return r.Length > size || s.Length > size ? null : [.. Padded(r, size), .. Padded(s, size)];
    }

    static byte[] Padded(ReadOnlySpan<byte> number, int size)
    {
        var padded = new byte[size];
        number.CopyTo(padded.AsSpan(size - number.Length));
        return padded;
    }

    sealed record RsaMaterial(int Algorithm, byte[] Modulus, byte[] Exponent) : KeyMaterial($"RSA {Modulus.Length * 8}", Algorithm)
    {
        const int FewestBytes = 256, MostBytes = 1024; // 2048 to 8192 bits

        public override string? Unusable => Modulus.Length < FewestBytes ? $"an RSA key of {Modulus.Length * 8} bits is too weak"
            : Modulus.Length > MostBytes || Exponent.Length is 0 or > 8 ? "an RSA key of that size is not supported" : null;

        public override bool Verify(HashAlgorithmName algorithm, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
        {
            var number = new ByteReader(signature, "signature").Mpi();
            if (number.Length > Modulus.Length)
            {
                return false;
            }

            using var rsa = RSA.Create(new RSAParameters { Modulus = Modulus, Exponent = Exponent });
            return rsa.VerifyHash(hash, Padded(number, Modulus.Length), algorithm, RSASignaturePadding.Pkcs1);
        }
    }

    sealed record DsaMaterial(byte[] P, byte[] Q, byte[] G, byte[] Y) : KeyMaterial($"DSA {P.Length * 8}", Dsa)
    {
        // FIPS 186-4, 4.2: the sizes that are not too weak.
        public override string? Unusable => (P.Length, Q.Length) is (256, 28 or 32) or (384, 32) && G.Length <= P.Length && Y.Length <= P.Length ? null
            : P.Length < 256 ? $"a DSA key of {P.Length * 8} bits is too weak" : "a DSA key of that size is not supported";

        public override bool Verify(HashAlgorithmName algorithm, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
        {
            if (Both(signature, Q.Length) is not { } both)
            {
                return false;
            }

            // FIPS 186-4, 4.7: of a longer hash the beginning counts.
            using var dsa = DSA.Create(new DSAParameters { P = P, Q = Q, G = Padded(G, P.Length), Y = Padded(Y, P.Length) });
            return dsa.VerifySignature(hash[..Math.Min(hash.Length, Q.Length)], both);
        }
    }

    sealed record EcDsaMaterial(string CurveName, ECCurve Curve, int Size, byte[] Point) : KeyMaterial($"ECDSA {CurveName}", EcDsa)
    {
        public override string? Unusable => Point.Length == 1 + (2 * Size) && Point[0] == 4 ? null : "the key's point is not in the form that is supported";

        public override bool Verify(HashAlgorithmName algorithm, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
        {
            if (Both(signature, Size) is not { } both)
            {
                return false;
            }

            using var ecdsa = ECDsa.Create(new ECParameters { Curve = Curve, Q = new ECPoint { X = Point[1..(1 + Size)], Y = Point[(1 + Size)..] } });
            return ecdsa.VerifyHash(hash, both);
        }
    }

    sealed record EdDsaMaterial(int Algorithm, byte[] Point) : KeyMaterial("Ed25519", Algorithm)
    {
        const int Half = 32;

        public override bool Verify(HashAlgorithmName algorithm, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
        {
            var both = Algorithm != Ed25519Native ? Both(signature, Half) : signature.Length == 2 * Half ? signature.ToArray() : null;
            return both is not null && Ed25519.Verify(both, 0, Point, 0, hash.ToArray(), 0, hash.Length);
        }
    }

    sealed record OtherMaterial(string Name, int Algorithm) : KeyMaterial(Name, Algorithm)
    {
        public override string Unusable => $"keys of the kind '{Name}' are not supported";

        public override bool Verify(HashAlgorithmName algorithm, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature) => false;
    }
}
