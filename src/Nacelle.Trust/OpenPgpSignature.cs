using System.Globalization;
using Org.BouncyCastle.Bcpg;
using Org.BouncyCastle.Bcpg.OpenPgp;

namespace Nacelle.Trust;

/// <summary>One signature being checked: content goes in piece by piece, then it is judged.</summary>
sealed class OpenPgpSignature
{
    // Clocks differ.
    static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    const int ShortestRsa = 1024;

    static readonly HashSet<SignatureSubpacketTag> Known =
    [
        SignatureSubpacketTag.CreationTime, SignatureSubpacketTag.ExpireTime, SignatureSubpacketTag.Exportable, SignatureSubpacketTag.Revocable,
        SignatureSubpacketTag.KeyExpireTime, SignatureSubpacketTag.PreferredSymmetricAlgorithms, SignatureSubpacketTag.IssuerKeyId,
        SignatureSubpacketTag.PreferredHashAlgorithms, SignatureSubpacketTag.PreferredCompressionAlgorithms, SignatureSubpacketTag.KeyServerPreferences,
        SignatureSubpacketTag.PreferredKeyServer, SignatureSubpacketTag.PrimaryUserId, SignatureSubpacketTag.PolicyUrl, SignatureSubpacketTag.KeyFlags,
        SignatureSubpacketTag.SignerUserId, SignatureSubpacketTag.RevocationReason, SignatureSubpacketTag.Features, SignatureSubpacketTag.EmbeddedSignature,
        SignatureSubpacketTag.IssuerFingerprint,
    ];

    readonly PgpSignature signature;
    readonly OpenPgpKey? key;
    readonly SigningKey? signer;

    public OpenPgpSignature(PgpSignature signature, IReadOnlyList<OpenPgpKey> keys)
    {
        this.signature = signature;
        key = keys.FirstOrDefault(one => one.Find(signature.KeyId) is not null);
        signer = key?.Find(signature.KeyId);
        if (signer is not null)
        {
            signature.InitVerify(signer.Key);
        }
    }

    public void Update(byte[] buffer, int count)
    {
        if (signer is not null)
        {
            signature.Update(buffer, 0, count);
        }
    }

    public SignatureVerdict Judge(DateTimeOffset now)
    {
        SignatureVerdict Say(SignatureStatus status, string reason) => new(status, key, reason);
        if (signer is null)
        {
            return Say(SignatureStatus.UnknownKey, $"was made by the key {signature.KeyId.ToString("X16", CultureInfo.InvariantCulture)}, which is not trusted for it");
        }

        if (signature.SignatureType != PgpSignature.BinaryDocument)
        {
            return Say(SignatureStatus.Bad, $"is of type {signature.SignatureType:X2}, not one over a file");
        }

        if (UnknownCritical(signature) is { } unknown)
        {
            return Say(SignatureStatus.Bad, $"wants something to be understood that is not (subpacket {unknown})");
        }

        if (!signature.Verify())
        {
            return Say(SignatureStatus.Bad, $"is bad: what was signed by {key} is not this");
        }

        if (signature.HashAlgorithm is HashAlgorithmTag.MD5 or HashAlgorithmTag.MD2 or HashAlgorithmTag.Sha1 or HashAlgorithmTag.RipeMD160
            || (signer.Key.Algorithm is PublicKeyAlgorithmTag.RsaGeneral or PublicKeyAlgorithmTag.RsaSign or PublicKeyAlgorithmTag.Dsa && signer.Key.BitStrength < ShortestRsa))
        {
            return Say(SignatureStatus.Weak, $"was made with {signature.HashAlgorithm} and a key of {signer.Key.BitStrength} bits, which is too weak");
        }

        return JudgeKey(now, Say);
    }

    SignatureVerdict JudgeKey(DateTimeOffset now, Func<SignatureStatus, string, SignatureVerdict> say)
    {
        var made = new DateTimeOffset(signature.CreationTime, TimeSpan.Zero);
        var expiry = signature.GetHashedSubPackets()?.GetSignatureExpirationTime() is > 0 and var seconds ? made.AddSeconds(seconds) : (DateTimeOffset?)null;
        return key!.Primary.IsRevoked || signer!.IsRevoked ? say(SignatureStatus.KeyRevoked, $"was made by {key}, which is revoked")
            : !signer.MaySign ? say(SignatureStatus.KeyNotForSigning, $"was made by {key} with a key that is not meant for signing ({signer.Fingerprint})")
            : key.Primary.Expires <= now || signer.Expires <= now ? say(SignatureStatus.KeyExpired, $"was made by {key}, which expired {Day(key.Primary.Expires <= now ? key.Primary.Expires : signer.Expires)}")
            : expiry <= now ? say(SignatureStatus.NotInTime, $"was made by {key} and expired {Day(expiry)}")
            : made > now + Tolerance || made < signer.Created || made < key.Primary.Created ? say(SignatureStatus.NotInTime, $"of {key} says that it was made {Day(made)}, which is in the future or before its key")
            : say(SignatureStatus.Good, $"was made by {key}");
    }

    /// <summary>A part of a signature that its maker wants understood or the signature ignored, and that we do not know (RFC 9580, 5.2.3.7).</summary>
    public static SignatureSubpacketTag? UnknownCritical(PgpSignature signature) =>
        signature.GetHashedSubPackets()?.ToArray().Where(packet => packet.IsCritical() && !Known.Contains(packet.SubpacketType)).Select(packet => (SignatureSubpacketTag?)packet.SubpacketType).FirstOrDefault();

    static string Day(DateTimeOffset? time) => time?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "never";
}
