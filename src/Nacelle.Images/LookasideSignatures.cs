using System.Globalization;
using Nacelle.Linux;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images;

/// <summary>The messages of simple signing that lie beside a registry.</summary>
/// <remarks>containers-signature(5); github.com/containers/image, docs/signature-protocols.md, "signature storage".</remarks>
static class LookasideSignatures
{
    const int MostSignatures = 128;

    /// <summary>Reads the signatures of a manifest one after the other, until one is missing.</summary>
    /// <exception cref="ImageException">The place cannot be reached, or has too many.</exception>
    public static async Task<IReadOnlyList<byte[]>> ReadAsync(ImageReference reference, Digest manifest, LookasideConfiguration places, UrlDownload download, CancellationToken cancellation)
    {
        var repository = places.AddressFor(reference, toWrite: false);
        var signatures = new List<byte[]>();
        while (true)
        {
            var address = LookasideConfiguration.AddressOf(repository, manifest, signatures.Count + 1);
            var message = address.IsFile ? ReadFile(address.LocalPath) : await download.ReadBytesAsync(address, cancellation);
            if (message is null)
            {
                return signatures;
            }

            signatures.Add(signatures.Count < MostSignatures ? message : throw new ImageException($"{repository} has more than {MostSignatures} signatures of {manifest}"));
        }
    }

    /// <summary>Puts a signature behind those that are there, durably.</summary>
    /// <param name="repository">A file: address.</param>
    /// <returns>Its path.</returns>
    public static string Add(Uri repository, Digest manifest, byte[] message)
    {
        string directory = Path.GetDirectoryName(LookasideConfiguration.AddressOf(repository, manifest, 1).LocalPath)!;
        using var path = Files.EnsureDirectories(directory);
        using var opened = Files.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory);
        for (int number = 1; ; number++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"signature-{number}");
            using var file = Files.Open(opened, ".", OpenFlags.Unnamed | OpenFlags.ReadWrite, mode: 0x1A4);
            Files.Write(file, message);
            Files.Synchronize(file);
            try
            {
                Files.LinkDescriptor(file, opened, name);
                Files.SynchronizeDirectory(opened);
                return $"{directory}/{name}";
            }
            catch (KernelException taken) when (taken.Errno == Errno.EEXIST && number < MostSignatures)
            {
                // The next number, then.
            }
        }
    }

    static byte[]? ReadFile(string path)
    {
        using var file = Files.TryOpen(FileDescriptor.WorkingDirectory, path, OpenFlags.ReadOnly, out var error);
        return file is null ? (error is Errno.ENOENT or Errno.ENOTDIR ? null : throw new KernelException($"open {path}", error))
            : Files.Status(file).Size <= SignedMessage.Largest ? Files.ReadToEnd(file) : throw new ImageException($"{path} is no signature: it has more than {SignedMessage.Largest} bytes");
    }
}
