using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>A primary key with what its owner says about it: names, subkeys, expiry, revocation. Signatures of others about it are passed over.</summary>
/// <remarks>RFC 9580, 10.1. A revocation by somebody whom the owner named for that (a "designated revoker") is not looked at.</remarks>
public sealed partial class OpenPgpKey
{
    const int LargestFile = 4 << 20, MostKeys = 1000, MostComponents = 1000, MostOwnSignatures = 1000;

    readonly PublicKey primary;
    readonly List<SignaturePacket> direct = [];
    readonly List<(byte[] Name, List<SignaturePacket> Signatures)> names = [];
    readonly List<(PublicKey Key, List<SignaturePacket> Signatures)> subkeys = [];
    readonly ReadOnlyMemory<byte> packets;

    OpenPgpKey(PublicKey primary, ReadOnlyMemory<byte> packets)
    {
        this.primary = primary;
        this.packets = packets;
    }

    /// <summary>40 lower-case hexadecimal digits: SHA-1 of the primary key's packet, as gnupg shows it.</summary>
    public string Fingerprint => primary.Fingerprint;

    /// <summary>The names that the owner gives to the key and has not taken back, the main one first.</summary>
    public IReadOnlyList<string> UserIds => field ??= [.. ValidNames().Select(name => Printable(name.Name))];

    /// <summary>The key that all others hang on.</summary>
    public SigningKey Primary => field ??= new SigningKey(primary.Fingerprint, primary.Material.Name, SelfSignature() is { } self && (self.KeyFlags ?? SignFlag) is var flags && (flags & SignFlag) != 0);

    /// <summary>The subkeys that the primary key binds.</summary>
    public IReadOnlyList<SigningKey> Subkeys =>
        field ??= [.. subkeys.Select(subkey => (subkey.Key, Binding: Newest(subkey.Signatures, SignatureType.SubkeyBinding, primary, SubkeyPrefix(subkey.Key))))
            .Where(subkey => subkey.Binding is not null)
            .Select(subkey => new SigningKey(subkey.Key.Fingerprint, subkey.Key.Material.Name, (subkey.Binding!.KeyFlags & SignFlag) > 0))];

    /// <summary>Reads one or more public keys, armored or binary.</summary>
    /// <param name="source">Where they come from, for messages.</param>
    /// <exception cref="SpecException">There is no key in it, or it is malformed; says where.</exception>
    public static IReadOnlyList<OpenPgpKey> ReadAll(byte[] text, string source)
    {
        try
        {
            return ReadAll(text);
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    internal static List<OpenPgpKey> ReadAll(ReadOnlyMemory<byte> file)
    {
        var binary = OpenPgpArmor.Decode(file, LargestFile);
        var packets = OpenPgpPacket.ReadAll(binary);
        packets.RemoveAll(packet => packet.Tag is PacketTag.Marker or PacketTag.Trust or PacketTag.Padding);
        if (packets.Count == 0 || packets[0].Tag != PacketTag.PublicKey)
        {
            throw new SpecException("", packets is [{ Tag: PacketTag.SecretKey }, ..] ? "is a secret key; give the public one (gpg --export)" : "holds no OpenPGP public key");
        }

        var keys = new List<OpenPgpKey>();
        for (int start = 0; start < packets.Count;)
        {
            int end = packets.FindIndex(start + 1, packet => packet.Tag == PacketTag.PublicKey);
            end = end < 0 ? packets.Count : end;
            int from = packets[start].Offset, to = end < packets.Count ? packets[end].Offset : binary.Length;
            keys.Add(keys.Count < MostKeys ? Parse(packets[start..end], binary[from..to])
                : throw new SpecException(packets[start].Place, $"there are more than {MostKeys} keys"));
            start = end;
        }

        return keys;
    }

    /// <summary>The key as an armored text that <see cref="ReadAll(byte[], string)"/> and gpg read.</summary>
    public byte[] ToArmor() => OpenPgpArmor.Encode("PUBLIC KEY BLOCK", packets.Span);

    public override string ToString() => $"{Fingerprint}{(UserIds.Count > 0 ? $" ({UserIds[0]})" : "")}";

    internal static OpenPgpKey Parse(IReadOnlyList<OpenPgpPacket> packets, ReadOnlyMemory<byte> binary)
    {
        var key = new OpenPgpKey(PublicKey.Parse(packets[0]), binary);
        List<SignaturePacket>? target = key.direct;
        int own = 0;
        foreach (var packet in packets.Skip(1))
        {
            switch (packet.Tag)
            {
                case PacketTag.UserId:
                    key.names.Add((packet.Body.ToArray(), target = []));
                    break;
                case PacketTag.PublicSubkey:
                    key.subkeys.Add((PublicKey.Parse(packet), target = []));
                    break;
                case PacketTag.UserAttribute:
                    target = null; // photographs
                    break;
                case PacketTag.Signature when target is not null && ParseOwn(packet) is { } signature && signature.MayBeBy(key.primary):
                    target.Add(signature);
                    own++;
                    break;
            }

            if (own > MostOwnSignatures || key.names.Count + key.subkeys.Count > MostComponents)
            {
                throw new SpecException(packet.Place, $"key {key.Fingerprint} has more than {MostOwnSignatures} names, subkeys or signatures of its own");
            }
        }

        return key;
    }

    /// <returns>Null for a signature of a version that only others make: it cannot be the key's own.</returns>
    static SignaturePacket? ParseOwn(OpenPgpPacket packet) => packet.Body.Length > 0 && packet.Body.Span[0] != 4 ? null : SignaturePacket.Parse(packet);

    static string Printable(byte[] name)
    {
        const int Longest = 256;
        return SpecException.OneLine(Encoding.UTF8.GetString(name.AsSpan(0, Math.Min(name.Length, Longest))));
    }

    byte[] NamePrefix(byte[] name)
    {
        var head = new byte[5];
        head[0] = 0xB4;
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(1), (uint)name.Length);
        return [.. primary.Hashed, .. head, .. name];
    }

    byte[] SubkeyPrefix(PublicKey subkey) => [.. primary.Hashed, .. subkey.Hashed];

    /// <summary>Whether a signature about keys was made by <paramref name="signer"/>. SHA-1 is allowed: the owner chose it for what he says of himself.</summary>
    static bool Holds(SignaturePacket signature, PublicKey signer, byte[] prefix)
    {
        if (signature.Objection is not null || signature.Hash is not { } algorithm || signature.KeyAlgorithm != signer.Material.Algorithm || signer.Material.Unusable is not null)
        {
            return false;
        }

        using var hash = IncrementalHash.CreateHash(algorithm);
        hash.AppendData(prefix);
        hash.AppendData(signature.Trailer);
        return SignatureCheck.Holds(signer.Material, algorithm, hash.GetHashAndReset(), signature.Numbers.Span);
    }
}

/// <summary>A key or subkey, for people.</summary>
/// <param name="Fingerprint">40 of 0-9a-f.</param>
/// <param name="Algorithm">As in <c>RSA 3072</c>.</param>
/// <param name="MaySign">Whether its owner means it for signatures of data.</param>
public sealed record SigningKey(string Fingerprint, string Algorithm, bool MaySign);
