using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>A public key of OpenPGP, primary or subkey, as its packet says it; nothing about it is believed yet.</summary>
/// <remarks>RFC 9580, 5.5.2, version 4, which is what gnupg makes.</remarks>
sealed class PublicKey
{
    const int LongestBody = 8192;

    readonly ReadOnlyMemory<byte> body;

    PublicKey(ReadOnlyMemory<byte> body, DateTimeOffset created, KeyMaterial material)
    {
        this.body = body;
        Created = created;
        Material = material;
        Fingerprint = Convert.ToHexStringLower(SHA1.HashData(Hashed)); // RFC 9580, 5.5.4.2: what names a key of version 4
    }

    /// <summary>40 lower-case hexadecimal digits.</summary>
    public string Fingerprint { get; }

    public ulong KeyId => ulong.Parse(Fingerprint.AsSpan(24), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    public DateTimeOffset Created { get; }

    public KeyMaterial Material { get; }

    /// <summary>The form in which signatures about keys hash it. RFC 9580, 5.2.4.</summary>
    public byte[] Hashed
    {
        get
        {
            var bytes = new byte[3 + body.Length];
            bytes[0] = 0x99;
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(1), (ushort)body.Length);
            body.Span.CopyTo(bytes.AsSpan(3));
            return bytes;
        }
    }

    /// <exception cref="SpecException">Damaged, or of a version that is not read.</exception>
    public static PublicKey Parse(OpenPgpPacket packet)
    {
        if (packet.Body.Length > LongestBody)
        {
            throw new SpecException(packet.Place, $"a key of {packet.Body.Length} bytes; at most {LongestBody} are read");
        }

        var reader = new ByteReader(packet.Body.Span, packet.Place);
        int version = reader.Byte();
        if (version != 4)
        {
            throw new SpecException(packet.Place, $"a key of version {version}; only version 4 is supported");
        }

        var created = DateTimeOffset.FromUnixTimeSeconds(reader.UInt32());
        return new PublicKey(packet.Body, created, KeyMaterial.Parse(reader.Byte(), ref reader));
    }
}
