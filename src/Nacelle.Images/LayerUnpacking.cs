using System.IO.Pipelines;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>A layer being unpacked on a thread of its own while its compressed bytes are fed in; nothing of it is visible until <see cref="FinishAsync"/>.</summary>
sealed class LayerUnpacking : IAsyncDisposable
{
    // How far the network may be ahead, in bytes.
    const int PauseAt = 4 << 20, ResumeAt = 2 << 20;

    readonly Pipe pipe = new(new PipeOptions(
        pauseWriterThreshold: PauseAt, resumeWriterThreshold: ResumeAt, minimumSegmentSize: 128 * 1024, useSynchronizationContext: false));

    readonly LayerStore layers;
    readonly PendingLayer layer;
    readonly Task unpacking;
    readonly CancellationTokenSource stopping;
    bool fed;

    LayerUnpacking(LayerStore layers, PendingLayer layer, UnpackOptions options, CancellationToken cancellation)
    {
        this.layers = layers;
        this.layer = layer;
        stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        unpacking = Task.Factory.StartNew(() => Unpack(options), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <returns>Null when the layer is in the store already.</returns>
    public static LayerUnpacking? TryBegin(LayerStore layers, Digest diffId, UnpackOptions options, CancellationToken cancellation) =>
        layers.TryBegin(diffId, out var layer) ? new LayerUnpacking(layers, layer, options, cancellation) : null;

    /// <summary>Takes the next bytes, and waits while unpacking is far behind.</summary>
    /// <exception cref="KernelException">Unpacking failed by the machine's fault, so there is no point in fetching more.</exception>
    public async ValueTask FeedAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        if (unpacking.IsFaulted && unpacking.Exception.InnerException is not LayerException)
        {
            await unpacking;
        }

        // After a LayerException the rest is fetched all the same: only the digest tells whether the archive is bad or the transfer was.
        if (!unpacking.IsCompleted)
        {
            await pipe.Writer.WriteAsync(bytes, cancellation);
        }
    }

    /// <summary>To be called once all bytes are fed and are known to be the right ones: waits for the end, checks the diff-id, and commits the layer.</summary>
    /// <exception cref="LayerException">The layer is refused, or does not unpack to what the image's config says.</exception>
    public async Task FinishAsync(CancellationToken cancellation)
    {
        fed = true;
        await pipe.Writer.CompleteAsync();
        await unpacking;
        await Task.Run(() => layers.Commit(layer), cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (!fed)
        {
            await stopping.CancelAsync();
            await pipe.Writer.CompleteAsync(new OperationCanceledException());
        }

        try
        {
            await unpacking;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Told already by FeedAsync or FinishAsync, or of no interest because something else failed first.
        }

        layer.Dispose();
        stopping.Dispose();
    }

    void Unpack(UnpackOptions options)
    {
        try
        {
            using var compressed = pipe.Reader.AsStream(leaveOpen: true);
            layer.Unpack(compressed, LayerCompression.Detect, options, stopping.Token);
        }
        finally
        {
            pipe.Reader.Complete();
        }
    }
}
