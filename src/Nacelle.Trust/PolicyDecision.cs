using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>What is known of an image when a policy is asked about it.</summary>
/// <param name="Manifest">The bytes of the manifest that was chosen, not of the index that it was chosen from: as podman has it.</param>
public sealed record PolicyEvidence(PolicySubject Subject, byte[] Manifest)
{
    /// <summary>Fetches the messages of simple signing that lie about the manifest; called only when they are asked for.</summary>
    public Func<Task<IReadOnlyList<byte[]>>> SimpleSignatures { get; init; } = () => Task.FromResult<IReadOnlyList<byte[]>>([]);

    /// <summary>Fetches the sigstore signatures of the manifest.</summary>
    public Func<Task<IReadOnlyList<SigstoreSignature>>> SigstoreSignatures { get; init; } = () => Task.FromResult<IReadOnlyList<SigstoreSignature>>([]);
}

/// <summary>Whether a policy accepts an image.</summary>
/// <param name="Objection">Why it does not, the rest of a sentence that begins with the policy; null where it accepts.</param>
/// <param name="Signers">Whose signatures it was accepted for.</param>
public sealed record PolicyDecision(string? Objection, IReadOnlyList<string> Signers)
{
    /// <summary>Whether requirements refuse every image, so that nothing need be fetched to know.</summary>
    /// <returns>The reason; null where it depends on the image.</returns>
    public static string? RefusalOf(IReadOnlyList<PolicyRequirement> requirements) => requirements.Select(requirement => requirement switch
    {
        Reject => "rejects it",
        SignedBy { Unsupported: { } what } => $"asks for a signature by {what}, which is not supported",
        SigstoreSigned { Unsupported: { } what } => $"asks for a sigstore signature with {what}, which is not supported (only those by keys are)",
        _ => null,
    }).FirstOrDefault(reason => reason is not null);

    /// <summary>Asks all requirements; every one must be content.</summary>
    /// <exception cref="SpecException">A key of the policy cannot be read.</exception>
    /// <exception cref="KernelException">A file of keys cannot be read.</exception>
    public static async Task<PolicyDecision> AskAsync(IReadOnlyList<PolicyRequirement> requirements, PolicyEvidence evidence, DateTimeOffset now)
    {
        if (RefusalOf(requirements) is { } refusal)
        {
            return new PolicyDecision(refusal, []);
        }

        var signers = new List<string>();
        foreach (var requirement in requirements)
        {
            var decision = requirement switch
            {
                SignedBy signed => Judge(await evidence.SimpleSignatures(), signed.Identity, evidence, "a signature", SimpleCheck(signed, now)),
                SigstoreSigned signed => Judge(await evidence.SigstoreSignatures(), signed.Identity, evidence, "a sigstore signature", SigstoreCheck(signed)),
                _ => new PolicyDecision(null, []),
            };
            if (decision.Objection is not null)
            {
                return decision;
            }

            signers.AddRange(decision.Signers);
        }

        return new PolicyDecision(null, signers);
    }

    /// <summary>One signature that holds, and states this image, is enough.</summary>
    static PolicyDecision Judge<T>(IReadOnlyList<T> signatures, SignedIdentity identity, PolicyEvidence evidence, string what, Func<T, string, (SignedClaim? Claim, string Text)> check)
    {
        var objections = new List<string>();
        for (int i = 0; i < signatures.Count; i++)
        {
            string source = $"signature {i + 1}";
            string objection;
            try
            {
                var (claim, text) = check(signatures[i], source);
                var stated = claim is null ? null : SignedReference.TryParse(claim.Reference);
                if (claim is null)
                {
                    objection = $"{source} {text}";
                }
                else if (DigestOf(evidence.Manifest, claim.Manifest.Algorithm) != claim.Manifest)
                {
                    objection = $"{source} is for another image: {claim.Manifest}";
                }
                else if (stated is null || !identity.Accepts(evidence.Subject.Reference, stated))
                {
                    objection = SpecException.OneLine($"{source} is for the name '{claim.Reference}'");
                }
                else
                {
                    return new PolicyDecision(null, [text]);
                }
            }
            catch (SpecException problem)
            {
                objection = problem.Message;
            }

            objections.Add(objection);
        }

        return new PolicyDecision(objections.Count == 0 ? $"asks for {what}, and there is none" : $"accepts none of its signatures: {string.Join("; ", objections.Take(5))}", []);
    }

    static Func<byte[], string, (SignedClaim?, string)> SimpleCheck(SignedBy requirement, DateTimeOffset now)
    {
        var keys = requirement.Keys.Read(OpenPgpKey.ReadAll).SelectMany(ring => ring).ToList();
        return (message, source) =>
        {
            var verdict = SignedMessage.Parse(message, source).Verify(keys, now, out var text);
            return verdict.IsGood ? (SignedClaim.Parse(text.Span, SignedClaim.Simple, source), verdict.Key!.ToString()) : (null, verdict.Reason);
        };
    }

    static Func<SigstoreSignature, string, (SignedClaim?, string)> SigstoreCheck(SigstoreSigned requirement)
    {
        var keys = requirement.Keys.Read((text, source) => (Key: SigstorePublicKey.Parse(text, source), Source: source));
        return (signature, source) =>
        {
            var numbers = new byte[(signature.Signature.Length / 4 * 3) + 3];
            if (!Convert.TryFromBase64String(signature.Signature, numbers, out int length))
            {
                return (null, "is not base64");
            }

            var signer = keys.Find(key => key.Key.Verify(signature.Payload, numbers.AsSpan(0, length)));
            return signer.Key is null ? (null, "is not by a key that the policy names") : (SignedClaim.Parse(signature.Payload, SignedClaim.Sigstore, source), signer.Source);
        };
    }

    static Digest DigestOf(byte[] content, string algorithm) => algorithm == "sha512" ? Digest.Sha512(SHA512.HashData(content)) : Digest.Sha256(SHA256.HashData(content));
}
