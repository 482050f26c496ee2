using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Where an image comes from: a registry, a layout, an archive.</summary>
public abstract class ImageSource : IAsyncDisposable
{
    /// <summary>The document that the image's name stands for: a manifest or an index, its bytes checked against the descriptor.</summary>
    public abstract Task<SourceDocument> ResolveAsync(CancellationToken cancellation);

    /// <summary>A manifest, index or config that another document points to, checked.</summary>
    public abstract Task<SourceDocument> ReadAsync(Descriptor descriptor, CancellationToken cancellation);

    /// <summary>Opens a blob for reading from <paramref name="offset"/> on, or from an earlier position where the source cannot do that.</summary>
    public abstract Task<BlobBody> OpenAsync(Descriptor descriptor, long offset, CancellationToken cancellation);

    /// <summary>The name under which the image is stored.</summary>
    public abstract ImageName Name { get; }

    public abstract ValueTask DisposeAsync();
}

public sealed record SourceDocument(Descriptor Descriptor, byte[] Content);

/// <summary>A blob's content from <paramref name="Offset"/> on.</summary>
public sealed record BlobBody(Stream Stream, long Offset) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
