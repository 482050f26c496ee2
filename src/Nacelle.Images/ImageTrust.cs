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
    readonly LookasideConfiguration? lookaside;

    ImageTrust(TrustPolicy policy, PolicySubject subject, ImageSource source, LookasideConfiguration? lookaside)
    {
        this.policy = policy;
        this.lookaside = lookaside;
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
        if (options.InsecureImage || subject is null)
        {
            return null;
        }

        var trust = options.Policy is { } policy ? new ImageTrust(policy, subject, source, options.Lookaside)
            : throw new ImageException($"{source.Name} is not to be trusted: there is no policy that says so; write {TrustPolicy.SystemPath}, or take the image unsigned by --insecure-options=image");
        return PolicyDecision.RefusalOf(trust.requirements) is { } refusal ? throw trust.Refuse(refusal) : trust;
    }

    /// <param name="manifest">The one that was chosen.</param>
    /// <param name="download">For signatures that lie elsewhere than in the registry.</param>
    /// <exception cref="ImageException">The policy does not accept it; says why.</exception>
    public async Task RequireAsync(SourceDocument manifest, UrlDownload download, FetchProgress progress, CancellationToken cancellation)
    {
        var evidence = new PolicyEvidence(subject, manifest.Content)
        {
            SimpleSignatures = () => source.Name is ImageReference reference
                ? LookasideSignatures.ReadAsync(reference, manifest.Descriptor.Digest, lookaside ?? LookasideConfiguration.Load(), download, cancellation)
                : Task.FromResult<IReadOnlyList<byte[]>>([]),
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
