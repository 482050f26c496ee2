using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>Which names a signature may state for an image to be accepted.</summary>
/// <remarks>containers-policy.json(5), "signedBy", <c>signedIdentity</c>.</remarks>
public abstract record SignedIdentity
{
    /// <summary>What holds where the policy does not say.</summary>
    public static readonly SignedIdentity Default = new MatchRepoDigestOrExact();

    /// <param name="intended">The name by which the image is fetched; null for one without: a file.</param>
    /// <param name="signed">What the signature states.</param>
    public abstract bool Accepts(SignedReference? intended, SignedReference signed);

    internal static SignedIdentity Parse(SpecNode node)
    {
        string type = node.Need("type").Text();
        switch (type)
        {
            case "matchExact":
                PolicyText.RequireOnly(node, "type");
                return new MatchExact();
            case "matchRepoDigestOrExact":
                PolicyText.RequireOnly(node, "type");
                return Default;
            case "matchRepository":
                PolicyText.RequireOnly(node, "type");
                return new MatchRepository();
            case "exactReference":
                PolicyText.RequireOnly(node, "type", "dockerReference");
                var reference = PolicyText.Reference(node.Need("dockerReference"));
                return reference.IsRepositoryOnly ? throw new SpecException(node.Need("dockerReference").Path, $"'{reference}' needs a tag or a digest") : new ExactReference(reference);
            case "exactRepository":
                PolicyText.RequireOnly(node, "type", "dockerRepository");
                return new ExactRepository(PolicyText.Reference(node.Need("dockerRepository")).Repository);
            case "remapIdentity":
                PolicyText.RequireOnly(node, "type", "prefix", "signedPrefix");
                return new RemapIdentity(FullPrefix(node.Need("prefix")), FullPrefix(node.Need("signedPrefix")));
            default:
                throw new SpecException(node.Need("type").Path, $"there is no kind of identity '{type}'");
        }
    }

    /// <summary>A host, a namespace or a repository, in full.</summary>
    static string FullPrefix(SpecNode node)
    {
        string text = node.Text();
        var sample = SignedReference.TryParse(text + "/sample");
        return sample is { Repository: var repository } && repository == text + "/sample" && !text.Contains("://", StringComparison.Ordinal) ? text
            : throw new SpecException(node.Path, $"'{text}' is not a host, a namespace or a repository in full");
    }

    sealed record MatchExact : SignedIdentity
    {
        public override bool Accepts(SignedReference? intended, SignedReference signed) => intended is { IsRepositoryOnly: false } && signed == intended;
    }

    sealed record MatchRepoDigestOrExact : SignedIdentity
    {
        // That the signed digest is the image's is checked in any case, so a name by digest needs only the repository.
        public override bool Accepts(SignedReference? intended, SignedReference signed) =>
            intended is not null && !signed.IsRepositoryOnly && (intended.Digest is null ? signed == intended : signed.Repository == intended.Repository);
    }

    sealed record MatchRepository : SignedIdentity
    {
        public override bool Accepts(SignedReference? intended, SignedReference signed) => signed.Repository == intended?.Repository;
    }

    sealed record ExactReference(SignedReference Reference) : SignedIdentity
    {
        public override bool Accepts(SignedReference? intended, SignedReference signed) => signed == Reference;
    }

    sealed record ExactRepository(string Repository) : SignedIdentity
    {
        public override bool Accepts(SignedReference? intended, SignedReference signed) => signed.Repository == Repository;
    }

    sealed record RemapIdentity(string Prefix, string SignedPrefix) : SignedIdentity
    {
        public override bool Accepts(SignedReference? intended, SignedReference signed)
        {
            bool matches = intended is not null && intended.Repository.StartsWith(Prefix, StringComparison.Ordinal)
                && (intended.Repository.Length == Prefix.Length || intended.Repository[Prefix.Length] == '/');
            return Default.Accepts(matches ? intended! with { Repository = SignedPrefix + intended.Repository[Prefix.Length..] } : intended, signed);
        }
    }
}
