using Nacelle.Linux;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images;

/// <summary>The detached signature that an ACI must have: over the archive as it was fetched, by a key that is trusted for the image's name.</summary>
/// <param name="Text">Null when there is none.</param>
/// <param name="Source">Where it comes from, for messages.</param>
sealed record AciSignature(byte[]? Text, string Source)
{
    /// <summary>The keys that are trusted for images of that name.</summary>
    /// <exception cref="ImageException">There are none.</exception>
    public static IReadOnlyList<OpenPgpKey> KeysFor(string name, FetchOptions options) => options.Keys.KeysFor(name) is { Count: > 0 } keys ? keys
        : throw new ImageException($"no key is trusted for image {name}: see nacelle help trust; --insecure-options=image takes it all the same");

    /// <param name="file">The archive.</param>
    /// <param name="name">The image's.</param>
    /// <exception cref="ImageException">The image cannot be trusted; says why.</exception>
    public void Require(FileDescriptor file, string name, FetchOptions options, FetchProgress progress, CancellationToken cancellation)
    {
        if (Text is null)
        {
            throw new ImageException($"image {name} is not signed: there is no {Source}; --insecure-options=image takes it all the same");
        }

        var keys = KeysFor(name, options);
        using var content = new FileRangeStream(file, 0, Files.Status(file).Size, owned: false);
        var verdict = DetachedSignature.Verify(Text, Source, content, keys, DateTimeOffset.UtcNow, cancellation);
        if (!verdict.IsGood)
        {
            throw new ImageException($"image {name} is not to be trusted: its signature {verdict.Reason}");
        }

        progress.Tell?.Invoke($"image: signature verified:\n  {(verdict.Key!.UserIds.Count > 0 ? verdict.Key.UserIds[0] : verdict.Key.Fingerprint)}");
    }
}
