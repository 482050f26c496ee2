using System.IO.Compression;
using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Writes ACIs: a directory with a manifest and a rootfs, as a compressed archive.</summary>
/// <remarks>appc 0.8.11, spec/aci.md, "Image Archives".</remarks>
public static class AciArchiveWriter
{
    /// <param name="layout">Has <c>manifest</c> and <c>rootfs</c> and nothing else; not changed.</param>
    /// <param name="path">Of the new file; there only once it is whole.</param>
    /// <param name="keep">See <see cref="TreeArchiveOptions.Keep"/>; null keeps all.</param>
    /// <returns>The image's id: the hash of the archive before compression.</returns>
    public static Digest Write(FileDescriptor layout, string path, LayerTime? time, CancellationToken cancellation, Func<string, FileStatus, bool>? keep = null)
    {
        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        using var parent = Files.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory);
        using var file = Files.Open(parent, ".", OpenFlags.Unnamed | OpenFlags.ReadWrite, mode: 0x1A4);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        using (var compressed = new BufferedStream(new GZipStream(new DescriptorStream(file), CompressionLevel.Optimal), 65536))
        {
            // Whole seconds, as image tools keep them.
            var options = new TreeArchiveOptions { Time = time ?? new LayerTime(long.MaxValue, All: false), Keep = keep ?? ((_, _) => true) };
            TreeArchive.WriteContent(new HashingStream(compressed, hash), layout, options, cancellation);
        }

        var name = Path.GetFileName(path);
        Files.TryUnlink(parent, name);
        Files.LinkDescriptor(file, parent, name);
        return Digest.Sha512(hash.GetHashAndReset());
    }

    sealed class HashingStream(Stream inner, IncrementalHash hash) : WriteOnlyStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            hash.AppendData(buffer);
            inner.Write(buffer);
        }
    }
}
