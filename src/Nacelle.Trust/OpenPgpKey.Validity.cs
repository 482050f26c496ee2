namespace Nacelle.Trust;

public sealed partial class OpenPgpKey
{
    const int SignFlag = 0x02;

    /// <summary>The key or subkey that a signature names, if it is one of these; not whether it may sign.</summary>
    internal PublicKey? Find(SignaturePacket signature) =>
        signature.Issuer == "nobody" ? null
            : signature.MayBeBy(primary) ? primary : subkeys.Find(subkey => signature.MayBeBy(subkey.Key)).Key;

    /// <summary>What speaks against believing a signature by that key or subkey; null when nothing does.</summary>
    internal (SignatureStatus Status, string Reason)? ObjectionTo(PublicKey signer, DateTimeOffset now)
    {
        if (primary.Material.Unusable is { } weakness)
        {
            return (SignatureStatus.Weak, $"but {weakness}");
        }

        if (direct.Find(signature => signature.Type == SignatureType.KeyRevocation && Holds(signature, primary, primary.Hashed)) is { } revocation)
        {
            return (SignatureStatus.KeyRevoked, Revoked("which", revocation));
        }

        var self = SelfSignature();
        if (self is null)
        {
            return (SignatureStatus.KeyNotForSigning, "which does not vouch for itself: it has no valid self-signature");
        }

        if (primary.Created > now + OpenPgpTime.Leeway)
        {
            return (SignatureStatus.KeyNotForSigning, $"which is from the future: {OpenPgpTime.Text(primary.Created)}");
        }

        if (KeyLifetime() is { } lifetime && primary.Created + lifetime <= now)
        {
            return (SignatureStatus.KeyExpired, $"which expired {OpenPgpTime.Text(primary.Created + lifetime)}");
        }

        return signer != primary ? ObjectionToSubkey(signer, now)
            : self.KeyFlags is { } flags && (flags & SignFlag) == 0 ? (SignatureStatus.KeyNotForSigning, "which is not meant for signing data")
            : null;
    }

    (SignatureStatus, string)? ObjectionToSubkey(PublicKey subkey, DateTimeOffset now)
    {
        var signatures = subkeys.Find(one => one.Key == subkey).Signatures;
        var prefix = SubkeyPrefix(subkey);
        if (signatures.Find(signature => signature.Type == SignatureType.SubkeyRevocation && Holds(signature, primary, prefix)) is { } revocation)
        {
            return (SignatureStatus.KeyRevoked, Revoked("whose subkey", revocation));
        }

        var binding = Newest(signatures, SignatureType.SubkeyBinding, primary, prefix);
        if (binding is null || subkey.Material.Unusable is not null)
        {
            return (SignatureStatus.KeyNotForSigning, subkey.Material.Unusable ?? "whose subkey is not bound to it by a valid signature");
        }

        if (((binding.KeyFlags ?? 0) & SignFlag) == 0)
        {
            return (SignatureStatus.KeyNotForSigning, "whose subkey is not meant for signing data");
        }

        // RFC 9580, 5.2.1.9: else anybody could adopt another's signing subkey.
        if (binding.Embedded is not { Type: SignatureType.PrimaryKeyBinding } back || !Holds(back, subkey, prefix))
        {
            return (SignatureStatus.KeyNotForSigning, "whose subkey does not confirm it: it has no valid back signature");
        }

        return binding.Lifetime is { } good && binding.Created + good <= now ? (SignatureStatus.KeyExpired, "whose subkey it no longer binds")
            : binding.KeyLifetime is { } lifetime && subkey.Created + lifetime <= now
                ? (SignatureStatus.KeyExpired, $"whose subkey expired {OpenPgpTime.Text(subkey.Created + lifetime)}")
            : null;
    }

    /// <summary>What the owner said last about the key as a whole: on the key itself, or else on one of its names.</summary>
    SignaturePacket? SelfSignature() => Newest(direct, SignatureType.DirectKey, primary, primary.Hashed) ?? NewestCertification();

    SignaturePacket? NewestCertification() => ValidNames().Select(name => name.Certification).MaxBy(certification => certification.Created);

    /// <summary>As gnupg has it: a direct signature that speaks of expiry counts; else what the newest name says.</summary>
    TimeSpan? KeyLifetime() => SelfSignature()?.KeyLifetime ?? NewestCertification()?.KeyLifetime;

    List<(byte[] Name, SignaturePacket Certification)> ValidNames()
    {
        if (validNames is not null)
        {
            return validNames;
        }

        var valid = new List<(byte[] Name, SignaturePacket Certification)>();
        foreach (var (name, signatures) in names)
        {
            var prefix = NamePrefix(name);
            SignaturePacket? newest = null;
            foreach (var signature in signatures.OrderByDescending(signature => signature.Created))
            {
                bool isCertification = signature.Type is >= SignatureType.Certification and <= SignatureType.PositiveCertification;
                if ((isCertification || signature.Type == SignatureType.CertificationRevocation) && Holds(signature, primary, prefix))
                {
                    newest = signature;
                    break;
                }
            }

            if (newest is not null && newest.Type != SignatureType.CertificationRevocation && !(newest.Created + newest.Lifetime <= DateTimeOffset.UtcNow))
            {
                valid.Add((name, newest));
            }
        }

        return validNames = [.. valid.OrderByDescending(name => name.Certification.IsPrimaryUserId)];
    }

    List<(byte[] Name, SignaturePacket Certification)>? validNames;

    static SignaturePacket? Newest(List<SignaturePacket> signatures, SignatureType type, PublicKey signer, byte[] prefix) =>
        signatures.Where(signature => signature.Type == type).OrderByDescending(signature => signature.Created).FirstOrDefault(signature => Holds(signature, signer, prefix));

    static string Revoked(string what, SignaturePacket revocation) => $"{what} is revoked since {OpenPgpTime.Text(revocation.Created!.Value)}" + revocation.RevocationReason switch
    {
        1 => ": it is superseded",
        2 => ": it is compromised",
        3 => ": it is no longer used",
        _ => "",
    };
}
