using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Brings one layer into the store, in one pass: its bytes are hashed, written as a blob, and unpacked at the same time.</summary>
/// <remarks>
/// The network side is asynchronous, unpacking has a thread of its own, and between them lies a pipe of bounded size: when unpacking is the slower, the
/// sender is made to wait. The order at the end makes every death harmless: digest checked, unpacked, diff-id checked, layer durable, blob durable.
/// </remarks>
sealed class LayerFetch(
    ImageStore store, ImageSource source, Descriptor blob, Digest diffId, FetchOptions options, LayerProgress bar, FetchProgress progress)
{
    const int ChunkSize = 256 * 1024;

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var ingest = await store.Content.BeginAsync(blob, () => bar.Phase = LayerPhase.Waiting, cancellation);
        bar.Phase = LayerPhase.Fetching;
        if (ingest is not null)
        {
            await FetchAsync(ingest, cancellation);
        }
        else
        {
            await UnpackStoredAsync(cancellation);
        }

        bar.Done = bar.Total;
        bar.Phase = LayerPhase.Done;
    }

    async Task FetchAsync(BlobIngest ingest, CancellationToken cancellation)
    {
        try
        {
            await TransferAsync(ingest, cancellation);
        }
        catch (DigestMismatchException mismatch)
        {
            // Perhaps what an earlier attempt left was bad, or a byte fell over on the way. Once more, from nothing.
            progress.Note?.Invoke($"{mismatch.Message}; fetching it again");
            try
            {
                await TransferAsync(ingest, cancellation);
            }
            catch (DigestMismatchException again)
            {
                ingest.Discard();
                throw new ImageException($"layer: {again.Message}", again);
            }
        }
    }

    async Task TransferAsync(BlobIngest ingest, CancellationToken cancellation)
    {
        await using var unpacking = LayerUnpacking.TryBegin(store.Layers, diffId, options.Unpack, cancellation);
        await DownloadAsync(ingest, unpacking, cancellation);
        bar.Phase = LayerPhase.Unpacking;
        if (unpacking is not null)
        {
            try
            {
                await unpacking.FinishAsync(cancellation);
            }
            catch (LayerException)
            {
                // The right bytes, and of no use: they would only be in the way.
                ingest.Discard();
                throw;
            }
        }

        await Task.Run(ingest.Commit, CancellationToken.None);
    }

    /// <summary>Gets all bytes of the blob, those first that an earlier attempt left, and checks their digest.</summary>
    async Task DownloadAsync(BlobIngest ingest, LayerUnpacking? unpacking, CancellationToken cancellation)
    {
        var buffer = new byte[ChunkSize];
        for (int count; (count = ingest.Replay(buffer)) > 0; bar.Done = ingest.Position)
        {
            if (unpacking is not null)
            {
                await unpacking.FeedAsync(buffer.AsMemory(0, count), cancellation);
            }
        }

        if (ingest.Position > 0)
        {
            progress.Note?.Invoke($"{blob.Digest}: {ingest.Position} bytes were here already");
        }

        for (int failures = 0; ingest.Position < blob.Size;)
        {
            long before = ingest.Position;
            string cause;
            try
            {
                await ReceiveAsync(ingest, unpacking, buffer, cancellation);
                cause = $"the content ended after {ingest.Position} bytes of {blob.Size}";
            }
            catch (Exception failure) when (RegistryTransport.IsTransient(failure))
            {
                cause = RegistryTransport.Describe(failure);
            }

            if (ingest.Position < blob.Size)
            {
                failures = ingest.Position > before ? 1 : failures + 1;
                if (failures >= options.Registry.Attempts)
                {
                    throw new ImageException($"blob {blob.Digest}: {cause} (tried {failures} times)");
                }

                progress.Note?.Invoke($"{blob.Digest}: {cause}; going on at {ingest.Position}");
                await Task.Delay(options.Registry.DelayAfter(failures), cancellation);
            }
        }

        ingest.Verify();
    }

    async Task ReceiveAsync(BlobIngest ingest, LayerUnpacking? unpacking, byte[] buffer, CancellationToken cancellation)
    {
        await using var body = await source.OpenAsync(blob, ingest.Position, cancellation);
        using var guard = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        long skip = ingest.Position - body.Offset;
        while (true)
        {
            int count;
            guard.CancelAfter(options.Registry.StallTimeout);
            try
            {
                count = await body.Stream.ReadAsync(buffer, guard.Token);
            }
            catch (OperationCanceledException stalled) when (!cancellation.IsCancellationRequested)
            {
                throw new TimeoutException($"no byte came for {options.Registry.StallTimeout.TotalSeconds:0} s", stalled);
            }

            if (count == 0)
            {
                return;
            }

            // A source that cannot start in the middle sends again what is here already.
            int start = (int)Math.Min(skip, count);
            skip -= start;
            if (start < count)
            {
                ingest.Append(buffer.AsSpan(start, count - start));
                bar.Done = ingest.Position;
                if (unpacking is not null)
                {
                    guard.CancelAfter(Timeout.InfiniteTimeSpan);
                    await unpacking.FeedAsync(buffer.AsMemory(start, count - start), cancellation);
                }
            }
        }
    }

    async Task UnpackStoredAsync(CancellationToken cancellation)
    {
        await using var unpacking = LayerUnpacking.TryBegin(store.Layers, diffId, options.Unpack, cancellation);
        if (unpacking is null)
        {
            return;
        }

        using var file = store.Content.TryOpen(blob.Digest) ?? throw new ImageException($"blob {blob.Digest} was removed from the store meanwhile");
        var buffer = new byte[ChunkSize];
        for (int count; (count = Files.Read(file, buffer)) > 0; bar.Done += count)
        {
            await unpacking.FeedAsync(buffer.AsMemory(0, count), cancellation);
        }

        bar.Phase = LayerPhase.Unpacking;
        await unpacking.FinishAsync(cancellation);
    }
}
