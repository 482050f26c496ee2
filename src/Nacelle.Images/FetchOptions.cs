using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>How an image is fetched.</summary>
public sealed record FetchOptions
{
    public PullPolicy PullPolicy { get; init; } = PullPolicy.New;

    public Platform Platform { get; init; } = Platform.Current;

    /// <summary>Images are taken without anybody's signature.</summary>
    public bool InsecureImage { get; init; }

    public RegistryOptions Registry { get; init; } = new();

    public UnpackOptions Unpack { get; init; } = new();

    /// <summary>How many layers are fetched at once.</summary>
    public int Parallelism { get; init; } = 3;
}

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
