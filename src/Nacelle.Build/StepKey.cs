using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>All that a step depends on, hashed: steps of equal keys come to the same. Every part is preceded by its length, so no two lists of parts are alike.</summary>
sealed class StepKey : IDisposable
{
    readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public StepKey Add(ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
        return this;
    }

    /// <param name="part">null is another value than the empty text.</param>
    public StepKey Add(string? part) => part is null ? Add(-1) : Add(KernelString.Encode(part));

    public StepKey Add(long number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        return Add(bytes);
    }

    public StepKey Add(IEnumerable<string> parts)
    {
        var all = parts.ToList();
        Add(all.Count);
        all.ForEach(part => Add(part));
        return this;
    }

    /// <summary>A file's content, from its position on.</summary>
    public StepKey AddContent(FileDescriptor file, long size, CancellationToken cancellation)
    {
        Add(size);
        var buffer = new byte[(int)Math.Clamp(size, 1, 256 * 1024)];
        for (int count; (count = Files.Read(file, buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer.AsSpan(0, count));
        }

        return this;
    }

    public Digest Finish() => Digest.Sha256(hash.GetHashAndReset());

    public void Dispose() => hash.Dispose();
}
