using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>An ACI in the store: its archive as a blob under its id, its manifest as another, its root file system as a layer.</summary>
/// <param name="Id">The SHA-512 of the uncompressed archive.</param>
/// <param name="Size">Of the uncompressed archive, in bytes.</param>
/// <param name="Config">The manifest's text.</param>
sealed record ImportedAci(Digest Id, long Size, AppImageManifest Manifest, Digest Config);

/// <summary>Takes an ACI's file into the store.</summary>
/// <remarks>
/// The id is known only when the whole archive has been read, so it is decompressed first, into a file without a name; who dies on the way leaves nothing.
/// </remarks>
static class AciImport
{
    const int BufferSize = 256 * 1024;

    /// <param name="file">The archive as it came; read from its start.</param>
    /// <param name="source">Where it came from, for messages.</param>
    /// <param name="accept">Throws when the image is not the one that is wanted; nothing is in the store then.</param>
    /// <exception cref="LayerException">The archive is damaged or refused.</exception>
    /// <exception cref="SpecException">The manifest is refused.</exception>
    public static async Task<ImportedAci> RunAsync(
        ImageStore store, FileDescriptor file, string source, UnpackOptions options, Action<AppImageManifest> accept, CancellationToken cancellation)
    {
        using var plain = store.Content.CreateUnnamed();
        var (id, size) = await Task.Run(() => Decompress(file, plain, options.Limits, cancellation), cancellation);
        using var archive = new FileRangeStream(plain, 0, size, owned: false);
        var (manifest, text) = AciArchive.ReadManifest(archive, source);
        accept(manifest);
        await Task.Run(() => Unpack(store, archive, id, options, cancellation), cancellation);
        store.Content.Enter(plain, id);
        var config = ContentStore.DigestOf(text);
        await store.Content.PutAsync(new Descriptor { MediaType = "application/json", Digest = config, Size = text.Length }, text, cancellation);
        return new ImportedAci(id, size, manifest, config);
    }

    static (Digest Id, long Size) Decompress(FileDescriptor file, FileDescriptor plain, UnpackLimits limits, CancellationToken cancellation)
    {
        using var source = new FileRangeStream(file, 0, Files.Status(file).Size, owned: false);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        var buffer = new byte[BufferSize];
        long size = 0;
        try
        {
            using var archive = AciDecompression.Open(source);
            for (int count; (count = archive.Read(buffer)) > 0; size += count)
            {
                cancellation.ThrowIfCancellationRequested();
                if (size + count > limits.TarBytes)
                {
                    throw new LayerException("", $"the archive has more than {limits.TarBytes} bytes");
                }

                hash.AppendData(buffer, 0, count);
                Files.Write(plain, buffer.AsSpan(0, count));
            }
        }
        catch (Exception failure) when (AciDecompression.IsDamage(failure))
        {
            throw new LayerException("", $"the archive is damaged after {size} uncompressed bytes", failure);
        }

        return (Digest.Sha512(hash.GetHashAndReset()), size);
    }

    static void Unpack(ImageStore store, FileRangeStream archive, Digest id, UnpackOptions options, CancellationToken cancellation)
    {
        if (!store.Layers.TryBegin(id, out var layer))
        {
            return;
        }

        using (layer)
        {
            archive.Position = 0;
            layer.Unpack(archive, LayerCompression.None, options with { Content = ArchiveContent.Aci }, cancellation);
            store.Layers.Commit(layer);
        }
    }
}
