using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images;

/// <summary>How an image is fetched.</summary>
public sealed record FetchOptions
{
    public PullPolicy PullPolicy { get; init; } = PullPolicy.New;

    public Platform Platform { get; init; } = Platform.Current;

    /// <summary>Images are taken without anybody's signature.</summary>
    public bool InsecureImage { get; init; }

    /// <summary>Which OCI images are accepted; without a policy none is.</summary>
    public TrustPolicy? Policy { get; init; }

    /// <summary>Where the signatures lie that the policy asks for; null reads registries.d when it does.</summary>
    public LookasideConfiguration? Lookaside { get; init; }

    /// <summary>Whose signatures of appc images count.</summary>
    public KeyStore Keys { get; init; } = new([]);

    /// <summary>The file with the detached signature of the appc image that is asked for, where it does not lie beside the image; its dependencies' do.</summary>
    public string? Signature { get; init; }

    /// <summary>Asked when an image's signer is not known yet, with keys that the image's own pages offer: returns whether they are trusted from now on.</summary>
    public Func<OfferedKeys, bool>? AcceptKeys { get; init; }

    public RegistryOptions Registry { get; init; } = new();

    /// <summary>How those are spoken to that offer keys for <see cref="AcceptKeys"/>; null for as all others.</summary>
    public RegistryOptions? KeyRegistry { get; init; }

    public UnpackOptions Unpack { get; init; } = new();

    /// <summary>How many layers are fetched at once.</summary>
    public int Parallelism { get; init; } = 3;
}

/// <summary>Keys that are not trusted yet.</summary>
/// <param name="Prefix">The names for whose images they are offered.</param>
/// <param name="Source">Where they come from.</param>
public sealed record OfferedKeys(string Prefix, Uri Source, IReadOnlyList<OpenPgpKey> Keys);

/// <summary>When the registry is asked.</summary>
public enum PullPolicy
{
    /// <summary>Only when the store has no image of that name.</summary>
    New,

    /// <summary>Always; what is unchanged is not fetched again.</summary>
    Update,

    /// <summary>Never.</summary>
    Never,
}
