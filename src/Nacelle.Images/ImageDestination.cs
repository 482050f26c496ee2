using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Opens content from the given byte on; who asked disposes the stream.</summary>
delegate Task<Stream> ContentOpening(long offset, CancellationToken cancellation);

/// <summary>Where an image is copied to: a registry, a layout, an archive. Blobs come first, then the manifests, the one that carries the name last.</summary>
abstract class ImageDestination : IAsyncDisposable
{
    /// <summary>How many blobs may be put at the same time.</summary>
    public virtual int Parallelism => 1;

    /// <summary>Whether layers are wanted as they are, or as plain archives only.</summary>
    public virtual bool WantsPlainLayers => false;

    /// <summary>What manifests must be; null for either.</summary>
    public virtual ManifestFormat? Format => null;

    /// <summary>Puts a blob, unless it is there.</summary>
    public abstract Task PutBlobAsync(Descriptor blob, ContentOpening open, LayerProgress bar, CancellationToken cancellation);

    /// <param name="isNamed">Whether it is the one that the destination's name stands for; else it is found by digest alone.</param>
    public abstract Task PutManifestAsync(SourceDocument manifest, bool isNamed, CancellationToken cancellation);

    /// <summary>Makes all that was put visible under its name.</summary>
    public virtual Task FinishAsync(CancellationToken cancellation) => Task.CompletedTask;

    public abstract ValueTask DisposeAsync();
}
