using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>What a signature says of an image: that the manifest with this digest goes by this name.</summary>
/// <remarks>containers-signature(5), "JSON data format"; cosign has the same with another type.</remarks>
public sealed record SignedClaim(Digest Manifest, string Reference)
{
    /// <summary>The type of claims in simple signing.</summary>
    public const string Simple = "atomic container signature";

    /// <summary>The type of claims of sigstore.</summary>
    public const string Sigstore = "cosign container image signature";

    const string Creator = "nacelle";

    /// <param name="type">The one of the two that is expected.</param>
    /// <exception cref="SpecException">Not a claim of that type, or with more in it than it may have.</exception>
    public static SignedClaim Parse(ReadOnlySpan<byte> json, string type, string source) => SpecNode.Parse(json, source, root =>
    {
        PolicyText.RequireOnly(root, "critical", "optional");
        if (root.Find("optional") is { } optional)
        {
            optional.FindText("creator");
            optional.Find("timestamp")?.Long();
        }

        var critical = root.Need("critical");
        PolicyText.RequireOnly(critical, "type", "image", "identity");
        PolicyText.RequireOnly(critical.Need("image"), "docker-manifest-digest");
        PolicyText.RequireOnly(critical.Need("identity"), "docker-reference");
        var stated = critical.Need("type");
        var digest = critical.Need("image").Need("docker-manifest-digest");
        return stated.Text() != type ? throw new SpecException(stated.Path, $"'{stated.Text()}' is not '{type}'")
            : new SignedClaim(Digest.Parse(digest.Text(), digest.Path), critical.Need("identity").Need("docker-reference").Text());
    });

    public byte[] ToJson(string type, DateTimeOffset now) => SpecWriter.Write(this, (json, claim) =>
    {
        json.Group("critical", critical =>
        {
            critical.Group("identity", identity => identity.Text("docker-reference", claim.Reference));
            critical.Group("image", image => image.Text("docker-manifest-digest", claim.Manifest.ToString()));
            critical.Text("type", type);
        });
        json.Group("optional", optional =>
        {
            optional.Text("creator", Creator);
            optional.Number("timestamp", now.ToUnixTimeSeconds());
        });
    });
}
