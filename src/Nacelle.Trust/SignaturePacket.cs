using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>What a signature is about. RFC 9580, 5.2.1.</summary>
enum SignatureType
{
    Binary = 0x00,
    Text = 0x01,
    Certification = 0x10,
    PositiveCertification = 0x13,
    SubkeyBinding = 0x18,
    PrimaryKeyBinding = 0x19,
    DirectKey = 0x1F,
    KeyRevocation = 0x20,
    SubkeyRevocation = 0x28,
    CertificationRevocation = 0x30,
}

/// <summary>A signature of version 4, as its packet says it. What counts is taken from the signed part only.</summary>
/// <remarks>RFC 9580, 5.2.3.</remarks>
sealed record SignaturePacket
{
    const int MostSubpackets = 200, LongestBody = 65536;

    public required SignatureType Type { get; init; }

    public required int KeyAlgorithm { get; init; }

    public required int HashNumber { get; init; }

    /// <summary>The part of the packet that is signed along with the data.</summary>
    public required ReadOnlyMemory<byte> Signed { get; init; }

    public required ReadOnlyMemory<byte> Numbers { get; init; }

    public required string Place { get; init; }

    public DateTimeOffset? Created { get; private set; }

    /// <summary>How long the signature is good; null: for ever.</summary>
    public TimeSpan? Lifetime { get; private set; }

    /// <summary>How long after its creation the key is good that this signature is about; null: for ever.</summary>
    public TimeSpan? KeyLifetime { get; private set; }

    /// <summary>What the key may be used for; null where the signature does not say.</summary>
    public int? KeyFlags { get; private set; }

    public bool IsPrimaryUserId { get; private set; }

    public int? RevocationReason { get; private set; }

    /// <summary>Which key to look for, 16 hexadecimal digits; a hint, not signed by everybody.</summary>
    public ulong? IssuerKeyId { get; private set; }

    public string? IssuerFingerprint { get; private set; }

    /// <summary>The back signature of a subkey that signs.</summary>
    public SignaturePacket? Embedded { get; private set; }

    /// <summary>Why the signature must not be taken whatever its numbers say; null when nothing speaks against it.</summary>
    public string? Objection { get; private set; }

    public HashAlgorithmName? Hash => HashNumber switch
    {
        2 => HashAlgorithmName.SHA1,
        8 => HashAlgorithmName.SHA256,
        9 => HashAlgorithmName.SHA384,
        10 => HashAlgorithmName.SHA512,
        _ => null,
    };

    public string HashName => HashNumber switch
    {
        1 => "MD5", 2 => "SHA-1", 3 => "RIPEMD-160", 8 => "SHA-256", 9 => "SHA-384", 10 => "SHA-512", 11 => "SHA-224", 12 => "SHA3-256", 14 => "SHA3-512", _ => $"hash {HashNumber}",
    };

    /// <summary>What is hashed behind the data. RFC 9580, 5.2.4.</summary>
    public byte[] Trailer
    {
        get
        {
            var bytes = new byte[Signed.Length + 6];
            Signed.Span.CopyTo(bytes);
            bytes[Signed.Length] = 4;
            bytes[Signed.Length + 1] = 0xFF;
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(Signed.Length + 2), (uint)Signed.Length);
            return bytes;
        }
    }

    /// <summary>Whether the signature's hints name that key, or none at all.</summary>
    public bool MayBeBy(PublicKey key) =>
        IssuerFingerprint is { } fingerprint ? fingerprint == key.Fingerprint : IssuerKeyId is not { } id || id == 0 || id == key.KeyId;

    /// <summary>The signer as the signature names it: a fingerprint or 16 digits of it.</summary>
    public string Issuer => IssuerFingerprint ?? (IssuerKeyId is { } id ? id.ToString("x16", CultureInfo.InvariantCulture) : "nobody");

    /// <exception cref="SpecException">Damaged, or of a version that is not read.</exception>
    public static SignaturePacket Parse(OpenPgpPacket packet) => Parse(packet.Body, packet.Place, isEmbedded: false);

    static SignaturePacket Parse(ReadOnlyMemory<byte> body, string place, bool isEmbedded)
    {
        if (body.Length > LongestBody)
        {
            throw new SpecException(place, $"a signature of {body.Length} bytes; at most {LongestBody} are read");
        }

        var reader = new ByteReader(body.Span, place);
        int version = reader.Byte();
        if (version != 4)
        {
            throw new SpecException(place, $"a signature of version {version}; only version 4 is supported");
        }

        int type = reader.Byte(), algorithm = reader.Byte(), hash = reader.Byte();
        var hashed = reader.Bytes(reader.UInt16());
        int signedLength = reader.Position;
        var unhashed = reader.Bytes(reader.UInt16());
        reader.UInt16(); // the first bytes of the hash: tells nothing that the check does not
        var signature = new SignaturePacket
        {
            Type = (SignatureType)type,
            KeyAlgorithm = algorithm,
            HashNumber = hash,
            Signed = body[..signedLength],
            Numbers = body[reader.Position..],
            Place = place,
        };
        signature.ReadSubpackets(hashed, isSigned: true, isEmbedded);
        signature.ReadSubpackets(unhashed, isSigned: false, isEmbedded);
        if (signature.Created is null)
        {
            signature.Objection ??= "does not say when it was made";
        }

        return signature;
    }

    void ReadSubpackets(ReadOnlySpan<byte> area, bool isSigned, bool isEmbedded)
    {
        var reader = new ByteReader(area, Place);
        for (int count = 0; !reader.AtEnd; count++)
        {
            if (count == MostSubpackets)
            {
                throw new SpecException(Place, $"the signature has more than {MostSubpackets} parts");
            }

            uint length = reader.Byte();
            length = length < 192 ? length : length < 255 ? ((length - 192) << 8) + reader.Byte() + 192 : reader.UInt32();
            if (length is 0 or > LongestBody)
            {
                throw new SpecException(Place, $"a part of the signature has {length} bytes");
            }

            int kind = reader.Byte();
            Read(kind & 0x7F, (kind & 0x80) != 0, reader.Bytes((int)length - 1), isSigned, isEmbedded);
        }
    }

    void Read(int kind, bool isCritical, ReadOnlySpan<byte> content, bool isSigned, bool isEmbedded)
    {
        var reader = new ByteReader(content, Place);
        switch (kind)
        {
            case 16: IssuerKeyId ??= ((ulong)reader.UInt32() << 32) | reader.UInt32(); break;
            case 33 when content.Length == 21 && content[0] == 4: IssuerFingerprint ??= Convert.ToHexStringLower(content[1..]); break;
            case 32 when !isEmbedded: Embedded ??= Parse(content.ToArray(), Place, isEmbedded: true); break;
            case 2 when isSigned: Created = DateTimeOffset.FromUnixTimeSeconds(reader.UInt32()); break;
            case 3 when isSigned: Lifetime = reader.UInt32() is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : null; break;
            case 9 when isSigned: KeyLifetime = reader.UInt32() is > 0 and var life ? TimeSpan.FromSeconds(life) : null; break;
            case 25 when isSigned: IsPrimaryUserId = reader.Byte() != 0; break;
            case 27 when isSigned: KeyFlags = content.IsEmpty ? 0 : content[0]; break;
            case 29 when isSigned: RevocationReason = reader.Byte(); break;
            case 2 or 3 or 4 or 5 or 6 or 7 or 9 or 10 or 11 or 12 or 21 or 22 or 23 or 24 or 25 or 26 or 27 or 28 or 29 or 30 or 31 or 32 or 33 or 34 or 35 or 39: break;
            default:
                // RFC 9580, 5.2.3.7: who does not know a critical part must take the signature for invalid; a notation (20) is such a part too.
                if (isCritical && isSigned)
                {
                    Objection ??= $"has a critical part of a kind ({kind}) that is not known";
                }

                break;
        }
    }
}
