using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>A name as a signature states it: a repository, and the tag or digest that was given, without defaults.</summary>
/// <param name="Repository">In full: <c>docker.io/library/busybox</c>.</param>
/// <remarks>github.com/distribution/reference, "ParseNormalizedNamed".</remarks>
public sealed record SignedReference(string Repository, string? Tag, Digest? Digest)
{
    public bool IsRepositoryOnly => Tag is null && Digest is null;

    /// <returns>Null when the text is no reference.</returns>
    public static SignedReference? TryParse(string text)
    {
        try
        {
            // A repository may be called "docker", which ImageReference would take for the transport.
            var reference = ImageReference.Parse(text.StartsWith("docker:", StringComparison.Ordinal) ? "docker.io/library/" + text : text);
            var name = text.AsSpan(0, text.IndexOf('@') is >= 0 and var at ? at : text.Length);
            bool isTagged = name.LastIndexOf(':') > name.LastIndexOf('/');
            return new SignedReference($"{reference.Host}/{reference.Repository}", isTagged ? reference.Tag : null, reference.Digest);
        }
        catch (SpecException)
        {
            return null;
        }
    }

    /// <summary>The name under which an image is fetched; where it has a tag and a digest, the digest counts.</summary>
    public static SignedReference Of(ImageReference reference) => new($"{reference.Host}/{reference.Repository}", reference.Digest is null ? reference.Tag : null, reference.Digest);

    public override string ToString() => $"{Repository}{(Tag is null ? "" : ":" + Tag)}{(Digest is null ? "" : $"@{Digest}")}";
}
