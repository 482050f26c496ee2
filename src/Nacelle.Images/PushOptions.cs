namespace Nacelle.Images;

/// <summary>How blobs are sent to a registry.</summary>
public sealed record PushOptions
{
    /// <summary>In bytes: blobs are sent in pieces of that size, or of the larger size that the registry wants at least; 0 sends each blob in one request.</summary>
    public long ChunkSize { get; init; }

    /// <summary>How many blobs are sent at once.</summary>
    public int Parallelism { get; init; } = 3;
}
