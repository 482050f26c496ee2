namespace Nacelle.Trust;

/// <summary>A signature as cosign stores it beside an image: a claim, and the numbers over its bytes.</summary>
/// <param name="Payload">The claim's text.</param>
/// <param name="Signature">In base64.</param>
/// <remarks>github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md.</remarks>
public sealed record SigstoreSignature(byte[] Payload, string Signature)
{
    public const string MediaType = "application/vnd.dev.cosign.simplesigning.v1+json", Annotation = "dev.cosignproject.cosign/signature";

    /// <summary>The tag under which the signatures of a manifest lie in its repository.</summary>
    public static string TagOf(Specs.Digest manifest) => $"{manifest.FileName}.sig";
}
