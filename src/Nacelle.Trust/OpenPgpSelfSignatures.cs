using Org.BouncyCastle.Bcpg;
using Org.BouncyCastle.Bcpg.OpenPgp;

namespace Nacelle.Trust;

/// <summary>What a key says of itself and of its subkeys, by signatures that it made itself; the library leaves checking them to its users.</summary>
/// <remarks>RFC 9580, 5.2.1 (types), 5.2.3.10 (self-signatures), 5.2.3.29 (key flags), 5.2.3.34 (embedded signature).</remarks>
static class OpenPgpSelfSignatures
{
    const int SignData = 0x02; // of the key flags

    /// <param name="userIds">Those that the key vouches for, the newest primary one first.</param>
    public static SigningKey ReadPrimary(PgpPublicKey key, out IReadOnlyList<string> userIds)
    {
        var own = new List<(string UserId, PgpSignature Signature)>();
        foreach (var id in key.GetUserIds())
        {
            var signatures = key.GetSignaturesForId(id).Where(one => one.KeyId == key.KeyId && Verifies(one, key, signature => signature.VerifyCertification(id, key))).ToList();
            var revoked = Newest(signatures.Where(one => one.SignatureType == PgpSignature.CertificationRevocation));
            if (Newest(signatures.Where(one => one.IsCertification())) is { } certification && !(revoked?.CreationTime >= certification.CreationTime))
            {
                own.Add((id, certification));
            }
        }

        own = [.. own.OrderByDescending(one => one.Signature.GetHashedSubPackets()?.IsPrimaryUserId() ?? false).ThenByDescending(one => one.Signature.CreationTime)];
        userIds = [.. own.Select(one => one.UserId)];
        var direct = Newest(OfType(key, PgpSignature.DirectKey).Where(one => Verifies(one, key, signature => signature.VerifyCertification(key))));
        var says = direct ?? own.Select(one => one.Signature).FirstOrDefault();
        return new SigningKey(key)
        {
            // A key that does not even vouch for itself signs nothing.
            MaySign = says is not null && MaySign(says, key.Algorithm),
            Expires = Expiry(key, says),
            IsRevoked = OfType(key, PgpSignature.KeyRevocation).Any(one => Verifies(one, key, signature => signature.VerifyCertification(key))),
        };
    }

    /// <returns>Null when the primary key does not own the subkey.</returns>
    public static SigningKey? ReadSubkey(PgpPublicKey primary, PgpPublicKey subkey)
    {
        bool ByPrimary(PgpSignature one) => one.KeyId == primary.KeyId && Verifies(one, primary, signature => signature.VerifyCertification(primary, subkey));
        var binding = Newest(OfType(subkey, PgpSignature.SubkeyBinding).Where(ByPrimary));
        return binding is null ? null : new SigningKey(subkey)
        {
            // Without the subkey's own consent anybody could call another's subkey theirs.
            MaySign = binding.GetHashedSubPackets()?.HasSubpacket(SignatureSubpacketTag.KeyFlags) == true && MaySign(binding, subkey.Algorithm) && IsConsented(binding, primary, subkey),
            Expires = Expiry(subkey, binding),
            IsRevoked = OfType(subkey, PgpSignature.SubkeyRevocation).Any(ByPrimary),
        };
    }

    static bool IsConsented(PgpSignature binding, PgpPublicKey primary, PgpPublicKey subkey) =>
        new[] { binding.GetHashedSubPackets(), binding.GetUnhashedSubPackets() }
            .Where(packets => packets is not null)
            .SelectMany(packets => packets.GetEmbeddedSignatures().Each())
            .Any(back => back.SignatureType == PgpSignature.PrimaryKeyBinding && Verifies(back, subkey, signature => signature.VerifyCertification(primary, subkey)));

    static bool MaySign(PgpSignature says, PublicKeyAlgorithmTag algorithm) =>
        CanSign(algorithm) && (says.GetHashedSubPackets() is not { } packets || !packets.HasSubpacket(SignatureSubpacketTag.KeyFlags) || (packets.GetKeyFlags() & SignData) != 0);

    static bool CanSign(PublicKeyAlgorithmTag algorithm) => algorithm is PublicKeyAlgorithmTag.RsaGeneral or PublicKeyAlgorithmTag.RsaSign or PublicKeyAlgorithmTag.Dsa
        or PublicKeyAlgorithmTag.ECDsa or PublicKeyAlgorithmTag.EdDsa_Legacy or PublicKeyAlgorithmTag.Ed25519 or PublicKeyAlgorithmTag.Ed448;

    static DateTimeOffset? Expiry(PgpPublicKey key, PgpSignature? says) =>
        says?.GetHashedSubPackets()?.GetKeyExpirationTime() is > 0 and var seconds ? new DateTimeOffset(key.CreationTime, TimeSpan.Zero).AddSeconds(seconds) : null;

    static IEnumerable<PgpSignature> OfType(PgpPublicKey key, int type) => key.GetSignaturesOfType(type);

    static PgpSignature? Newest(IEnumerable<PgpSignature> signatures) => signatures.MaxBy(signature => signature.CreationTime);

    /// <remarks>SHA-1 is accepted here, as gpg does: old keys have no other self-signature, and to forge one takes a second preimage.</remarks>
    static bool Verifies(PgpSignature signature, PgpPublicKey by, Func<PgpSignature, bool> verify)
    {
        if (signature.HashAlgorithm is HashAlgorithmTag.MD5 or HashAlgorithmTag.MD2 || OpenPgpSignature.UnknownCritical(signature) is not null || IsExpired(signature))
        {
            return false;
        }

        try
        {
            signature.InitVerify(by);
            return verify(signature);
        }
        catch (Exception failure) when (failure is PgpException or IOException or ArgumentException or InvalidOperationException or Org.BouncyCastle.Crypto.CryptoException or ArithmeticException)
        {
            return false;
        }
    }

    static bool IsExpired(PgpSignature signature) =>
        signature.GetHashedSubPackets()?.GetSignatureExpirationTime() is > 0 and var seconds && new DateTimeOffset(signature.CreationTime, TimeSpan.Zero).AddSeconds(seconds) < DateTimeOffset.UtcNow;
}
