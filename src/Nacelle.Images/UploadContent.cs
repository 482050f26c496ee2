using System.Buffers;
using System.Net;

namespace Nacelle.Images;

/// <summary>A body that is sent as it is read, and tells how far it has come.</summary>
/// <param name="source">Owned; positioned at the first byte to send.</param>
/// <param name="length">In bytes; the source has at least as many.</param>
sealed class UploadContent(Stream source, long length, Action<int>? sent) : HttpContent
{
    const int BufferSize = 128 * 1024;

    /// <summary>Called whenever bytes have gone out: the line is not dead.</summary>
    public Action? Advanced { get; set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (long left = length; left > 0;)
            {
                int count = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, BufferSize)), cancellationToken);
                if (count == 0)
                {
                    throw new IOException($"the content ended {left} bytes early");
                }

                await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                left -= count;
                sent?.Invoke(count);
                Advanced?.Invoke();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            source.Dispose();
        }

        base.Dispose(disposing);
    }
}
