namespace Nacelle.Images;

/// <summary>What one layer may ask of the machine; whoever asks for more is refused by name.</summary>
public sealed record UnpackLimits
{
    public static readonly UnpackLimits Default = new();

    /// <summary>Files, directories and everything else that is made, parents without an entry of their own included.</summary>
    public long Entries { get; init; } = 1_000_000;

    /// <summary>The sum of all files' lengths, holes included.</summary>
    public long UnpackedBytes { get; init; } = 128L << 30;

    /// <summary>The length of the uncompressed archive, headers and padding included.</summary>
    public long TarBytes { get; init; } = 130L << 30;

    /// <summary>How many directories lie between the root and a file.</summary>
    public int Depth { get; init; } = 256;

    /// <summary>The length of a PAX header, a long name or a map of holes, in bytes: what is held in memory for one entry.</summary>
    public int HeaderBytes { get; init; } = 1 << 20;

    /// <summary>How many extended attributes one entry may have.</summary>
    public int Attributes { get; init; } = 256;
}
