using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images;

/// <summary>Asks the machine's policy about an image that is fetched.</summary>
sealed class ImageTrust
{
    readonly TrustPolicy policy;
    readonly PolicySubject subject;
    readonly IReadOnlyList<PolicyRequirement> requirements;
    readonly ImageSource source;

    ImageTrust(TrustPolicy policy, PolicySubject subject, ImageSource source)
    {
        this.policy = policy;
        this.subject = subject;
        this.source = source;
        requirements = policy.For(subject);
    }

    /// <returns>Null where nobody is to be asked.</returns>
    /// <exception cref="ImageException">The policy refuses such an image, whoever signed it: nothing need be fetched.</exception>
    public static ImageTrust? Of(FetchOptions options, ImageSource source)
    {
        var subject = source.Name switch
        {
            ImageReference reference => PolicySubject.Of(reference),
            ImageFile file => PolicySubject.Of(file),
            _ => null,
        };
        if (options.InsecureImage || options.Policy is null || subject is null)
        {
            return null;
        }

        var trust = new ImageTrust(options.Policy, subject, source);
        return PolicyDecision.RefusalOf(trust.requirements) is { } refusal ? throw trust.Refuse(refusal) : trust;
    }

    /// <param name="manifest">The one that was chosen.</param>
    /// <exception cref="ImageException">The policy does not accept it; says why.</exception>
    public async Task RequireAsync(SourceDocument manifest, FetchProgress progress, CancellationToken cancellation)
    {
        var evidence = new PolicyEvidence(subject, manifest.Content)
        {
            SigstoreSignatures = () => source.ReadSigstoreSignaturesAsync(manifest.Descriptor.Digest, cancellation),
        };
        var decision = await PolicyDecision.AskAsync(requirements, evidence, DateTimeOffset.UtcNow);
        if (decision.Objection is { } objection)
        {
            throw Refuse(objection);
        }

        foreach (var signer in decision.Signers)
        {
            progress.Tell?.Invoke($"image: signature verified:\n  {signer}");
        }
    }

    ImageException Refuse(string objection) => new($"{source.Name} is not to be trusted: {policy.Source} {objection}; --insecure-options=image takes it all the same");
}
