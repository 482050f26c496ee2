using System.Security.Cryptography;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>
/// A blob read from a source from a given byte to its end: skips what a source sends too much in front, goes on where the line breaks, and fails unless
/// all that comes is the size, and (read from the first byte on) has the digest, that the descriptor says.
/// </summary>
sealed class BlobStream : ReadOnlyStream
{
    readonly ImageSource source;
    readonly Descriptor blob;
    readonly RegistryOptions options;
    readonly CancellationToken cancellation;
    readonly IncrementalHash? hash;
    BlobBody? body;
    long position;
    int failures;

    public BlobStream(ImageSource source, Descriptor blob, long offset, RegistryOptions options, CancellationToken cancellation)
    {
        this.source = source;
        this.blob = blob;
        this.options = options;
        this.cancellation = cancellation;
        position = offset;
        hash = offset > 0 ? null : IncrementalHash.CreateHash(blob.Digest.Algorithm == "sha512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            string cause;
            try
            {
                int count = await ReceiveAsync(buffer, cancellationToken);
                if (count > 0 || position == blob.Size)
                {
                    failures = 0;
                    return count;
                }

                cause = $"the content ended after {position} bytes of {blob.Size}";
            }
            catch (Exception failure) when (RegistryTransport.IsTransient(failure))
            {
                cause = RegistryTransport.Describe(failure);
            }

            if (++failures >= options.Attempts)
            {
                throw new ImageException($"blob {blob.Digest}: {cause} (tried {failures} times)");
            }

            await CloseAsync();
            await Task.Delay(options.DelayAfter(failures), cancellationToken);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // For decompressors, which have a thread of their own.
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count), cancellation).AsTask().GetAwaiter().GetResult();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body?.Stream.Dispose();
            hash?.Dispose();
        }

        base.Dispose(disposing);
    }

    async Task<int> ReceiveAsync(Memory<byte> buffer, CancellationToken stop)
    {
        body ??= await SkipAsync(await source.OpenAsync(blob, position, stop), stop);
        int count = await ReadGuardedAsync(body.Stream, buffer, stop);
        position += count;
        if (position > blob.Size)
        {
            throw new ImageException($"blob {blob.Digest}: content goes on after the {blob.Size} bytes that the manifest names");
        }

        hash?.AppendData(buffer.Span[..count]);
        if (position == blob.Size && count > 0 && hash is not null && Convert.ToHexStringLower(hash.GetHashAndReset()) is var actual && actual != blob.Digest.Hex)
        {
            throw new ImageException($"blob: digest mismatch: expected {blob.Digest}, got {blob.Digest.Algorithm}:{actual}");
        }

        return count;
    }

    async Task<BlobBody> SkipAsync(BlobBody opened, CancellationToken stop)
    {
        var scrap = new byte[64 * 1024];
        for (long skip = position - opened.Offset; skip > 0;)
        {
            int count = await ReadGuardedAsync(opened.Stream, scrap.AsMemory(0, (int)Math.Min(skip, scrap.Length)), stop);
            skip -= count > 0 ? count : throw new IOException("the content ended early");
        }

        return opened;
    }

    async Task<int> ReadGuardedAsync(Stream stream, Memory<byte> buffer, CancellationToken stop)
    {
        using var guard = CancellationTokenSource.CreateLinkedTokenSource(stop);
        guard.CancelAfter(options.StallTimeout);
        try
        {
            return await stream.ReadAsync(buffer, guard.Token);
        }
        catch (OperationCanceledException stalled) when (!stop.IsCancellationRequested)
        {
            throw new TimeoutException($"no byte came for {options.StallTimeout.TotalSeconds:0} s", stalled);
        }
    }

    async Task CloseAsync()
    {
        if (body is not null)
        {
            await body.DisposeAsync();
            body = null;
        }
    }
}
