using System.Security.Cryptography;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Fetches a single file by its address, for who wants nothing but the file.</summary>
public static class FileDownload
{
    /// <summary>In bytes.</summary>
    const long Largest = 16L << 30;

    /// <param name="expected">What the content has to be; null where nobody knows.</param>
    /// <param name="path">Of the file to write; there only when the content is whole and right.</param>
    /// <exception cref="ImageException">It cannot be had, or is another.</exception>
    public static async Task WriteAsync(
        ImageStore store, Uri address, Digest? expected, string path, FetchOptions options, FetchProgress progress, CancellationToken cancellation)
    {
        using var download = new UrlDownload(store.Content, options, progress);
        var answer = await download.GetAsync(address, Path.GetFileName(address.AbsolutePath), known: null, Largest, cancellation);
        using var fetched = answer.File ?? throw new ImageException($"{address}: the server has it not now ({(int)answer.Status})");
        using var hash = IncrementalHash.CreateHash(expected?.Algorithm == "sha512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
        using var parent = Files.Open(Path.GetDirectoryName(Path.GetFullPath(path))!, OpenFlags.ReadOnly | OpenFlags.Directory);
        using var file = Files.Open(parent, ".", OpenFlags.Unnamed | OpenFlags.ReadWrite, mode: 0x180);
        Files.Seek(fetched.File, 0, SeekOrigin.Begin);
        var buffer = new byte[256 * 1024];
        for (int count; (count = Files.Read(fetched.File, buffer)) > 0;)
        {
            hash.AppendData(buffer.AsSpan(0, count));
            Files.Write(file, buffer.AsSpan(0, count));
        }

        var actual = hash.GetHashAndReset();
        if (expected is { } digest && digest.Hex != Convert.ToHexStringLower(actual))
        {
            throw new ImageException($"{address}: the content is {digest.Algorithm}:{Convert.ToHexStringLower(actual)}, and {digest} was expected");
        }

        Files.LinkDescriptor(file, parent, Path.GetFileName(path));
    }
}
