using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Nacelle.Trust.Tests;

/// <summary>Writes keys and signatures packet by packet, also such as gnupg would never make.</summary>
sealed class KeyForge : IDisposable
{
    public static readonly DateTimeOffset Epoch = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public KeyForge(DateTimeOffset? created = null)
    {
        var numbers = Rsa.ExportParameters(false);
        Body = [4, .. Number(created ?? Epoch), 1, .. Mpi(numbers.Modulus!), .. Mpi(numbers.Exponent!)];
    }

    public RSA Rsa { get; } = RSA.Create(2048);

    public byte[] Body { get; }

    public byte[] Hashed => [0x99, (byte)(Body.Length >> 8), (byte)Body.Length, .. Body];

    public string Fingerprint => Convert.ToHexStringLower(SHA1.HashData(Hashed));

    public static readonly byte[] Name = "Forged <forged@example.com>"u8.ToArray();

    public byte[] NameHashed => [.. Hashed, 0xB4, 0, 0, 0, (byte)Name.Length, .. Name];

    public void Dispose() => Rsa.Dispose();

    /// <summary>A primary key with one name, certified with the given parts.</summary>
    public byte[] Key(params byte[][] parts) => [.. Packet(6, Body), .. Packet(13, Name), .. Packet(2, Sign(0x13, NameHashed, parts))];

    /// <summary>A signature packet's body.</summary>
    public byte[] Sign(int type, byte[] data, params byte[][] parts) => Sign(type, data, Epoch, 8, parts);

    public byte[] Sign(int type, byte[] data, DateTimeOffset? created, int hash, byte[][] parts, byte[][]? unsigned = null)
    {
        byte[] time = created is { } at ? Part(2, Number(at)) : [];
        byte[] area = [.. time, .. Part(33, [4, .. Convert.FromHexString(Fingerprint)]), .. parts.SelectMany(part => part)];
        byte[] head = [4, (byte)type, 1, (byte)hash, (byte)(area.Length >> 8), (byte)area.Length, .. area];
        byte[] hashed = [.. data, .. head, 4, 0xFF, .. Number((uint)head.Length)];
        var name = hash switch { 1 => HashAlgorithmName.MD5, 2 => HashAlgorithmName.SHA1, _ => HashAlgorithmName.SHA256 };
        byte[] rest = [.. (unsigned ?? []).SelectMany(part => part)];
        return [.. head, (byte)(rest.Length >> 8), (byte)rest.Length, .. rest, 0, 0, .. Mpi(Rsa.SignData(hashed, name, RSASignaturePadding.Pkcs1))];
    }

    public static byte[] Part(int kind, byte[] content) => content.Length + 1 < 192 ? [(byte)(content.Length + 1), (byte)kind, .. content]
        : [255, .. Number((uint)content.Length + 1), (byte)kind, .. content];

    public static byte[] Packet(int tag, byte[] body) => [(byte)(0xC0 | tag), 255, .. Number((uint)body.Length), .. body];

    public static byte[] Number(uint number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return bytes;
    }

    public static byte[] Number(DateTimeOffset time) => Number((uint)time.ToUnixTimeSeconds());

    static byte[] Mpi(byte[] number) => [(byte)((number.Length * 8) >> 8), (byte)(number.Length * 8), .. number];

    /// <summary>Armors, as gnupg does but without a checksum.</summary>
    public static byte[] Armor(string label, byte[] binary) =>
        Encoding.ASCII.GetBytes($"-----BEGIN PGP {label}-----\n\n{Convert.ToBase64String(binary, Base64FormattingOptions.InsertLineBreaks)}\n-----END PGP {label}-----\n");
}
