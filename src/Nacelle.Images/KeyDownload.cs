using System.Text;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Images;

/// <summary>Fetches public keys: by address, or from where the pages of a prefix say.</summary>
public static class KeyDownload
{
    /// <summary>The keys that the pages of a prefix, or of names above it, offer.</summary>
    /// <exception cref="ImageException">None does, or a server cannot be reached.</exception>
    public static async Task<IReadOnlyList<OfferedKeys>> DiscoverAsync(ImageStore store, string prefix, FetchOptions options, FetchProgress progress, CancellationToken cancellation)
    {
        using var download = new UrlDownload(store.Content, options, progress);
        var name = AppcImageName.Of(prefix, []);
        var found = await AciDiscovery.FindAsync(download, name, found => found.PublicKeys.Count > 0, options, progress, cancellation)
            ?? throw new ImageException($"no page of {prefix} or above offers keys (meta elements 'ac-discovery-pubkeys')");
        var offers = new List<OfferedKeys>();
        foreach (var source in found.PublicKeys)
        {
            offers.Add(new OfferedKeys(prefix, source, await ReadAsync(download, source, cancellation)));
        }

        return offers;
    }

    /// <exception cref="ImageException">The server cannot be reached, or has no such file.</exception>
    /// <exception cref="SpecException">What it has is no key.</exception>
    public static async Task<IReadOnlyList<OpenPgpKey>> ReadAsync(ImageStore store, Uri source, FetchOptions options, FetchProgress progress, CancellationToken cancellation)
    {
        using var download = new UrlDownload(store.Content, options, progress);
        return await ReadAsync(download, source, cancellation);
    }

    internal static async Task<IReadOnlyList<OpenPgpKey>> ReadAsync(UrlDownload download, Uri source, CancellationToken cancellation) =>
        OpenPgpKey.ReadAll(await download.ReadBytesAsync(source, cancellation) ?? throw new ImageException($"{source}: not found"), source.AbsoluteUri);
}
