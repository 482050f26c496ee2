using Nacelle.Specs;
using Org.BouncyCastle.Bcpg.OpenPgp;

namespace Nacelle.Trust;

/// <summary>Somebody's public key with its subkeys, as far as the key itself vouches for them.</summary>
/// <remarks>RFC 9580, 10.1, "Transferable Public Keys". Whatever has no valid signature of the key's own is left out.</remarks>
public sealed class OpenPgpKey
{
    // Real keys have a few kilobytes; some hundred certifications of others make a few hundred.
    const int LargestText = 4 << 20, MostKeys = 256;

    readonly byte[] encoded;

    internal OpenPgpKey(PgpPublicKeyRing ring)
    {
        encoded = ring.GetEncoded();
        Primary = OpenPgpSelfSignatures.ReadPrimary(ring.GetPublicKey(), out var userIds);
        UserIds = [.. userIds.Select(SpecException.OneLine)];
        var subkeys = new List<SigningKey>();
        foreach (var subkey in ring.GetPublicKeys())
        {
            if (!subkey.IsMasterKey && OpenPgpSelfSignatures.ReadSubkey(ring.GetPublicKey(), subkey) is { } bound)
            {
                subkeys.Add(bound);
            }
        }

        Subkeys = subkeys;
    }

    /// <summary>The key that all others hang on.</summary>
    public SigningKey Primary { get; }

    public IReadOnlyList<SigningKey> Subkeys { get; }

    /// <summary>Whose key it says it is: <c>Name &lt;address&gt;</c>, the main one first; without control characters.</summary>
    public IReadOnlyList<string> UserIds { get; }

    /// <summary>Of the primary key: 40 (or, of newer keys, 64) of 0-9a-f.</summary>
    public string Fingerprint => Primary.Fingerprint;

    /// <summary>Reads keys, armored or binary, several in one text.</summary>
    /// <param name="source">Where they come from, for messages.</param>
    /// <exception cref="SpecException">There is no key in it, or it is malformed.</exception>
    public static IReadOnlyList<OpenPgpKey> ReadAll(byte[] text, string source)
    {
        if (text.Length > LargestText)
        {
            throw new SpecException("", $"has {text.Length} bytes; keys of at most {LargestText} are read").In(source);
        }

        var rings = OpenPgpPackets.Read(text, source).OfType<PgpPublicKeyRing>().Take(MostKeys).ToList();
        return rings.Count == 0 ? throw new SpecException("", "holds no OpenPGP public key").In(source)
            : OpenPgpPackets.Guard(source, () => rings.ConvertAll(ring => new OpenPgpKey(ring)));
    }

    /// <summary>The key as an armored text that <see cref="ReadAll"/> and gpg read.</summary>
    public byte[] ToArmor()
    {
        using var text = new MemoryStream();
        using (var armor = new Org.BouncyCastle.Bcpg.ArmoredOutputStream(text, new Dictionary<string, string>()))
        {
            armor.Write(encoded, 0, encoded.Length);
        }

        return text.ToArray();
    }

    internal SigningKey? Find(long keyId) => Primary.KeyId == keyId ? Primary : Subkeys.FirstOrDefault(subkey => subkey.KeyId == keyId);

    public override string ToString() => $"{Fingerprint}{(UserIds.Count > 0 ? $" ({UserIds[0]})" : "")}";
}

/// <summary>A key that may make signatures, and from when to when.</summary>
public sealed class SigningKey
{
    internal SigningKey(PgpPublicKey key) => Key = key;

    internal PgpPublicKey Key { get; }

    internal long KeyId => Key.KeyId;

    public string Fingerprint => Convert.ToHexStringLower(Key.GetFingerprint());

    /// <summary>Whether its owner means it for signatures of data.</summary>
    public bool MaySign { get; internal init; }

    public bool IsRevoked { get; internal init; }

    public DateTimeOffset Created => new(Key.CreationTime, TimeSpan.Zero);

    /// <summary>Null when it never expires.</summary>
    public DateTimeOffset? Expires { get; internal init; }
}
