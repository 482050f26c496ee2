using Nacelle.CommandLine;
using Nacelle.Images;

using Nacelle.Specs;

namespace Nacelle.Fetch;

/// <summary><c>download</c>: writes what a URL gives to a file; for builds, whose ADD names URLs.</summary>
static class DownloadCommand
{
    static readonly Option Checksum = new("checksum", "DIGEST", "sha256:… or sha512:…: what the content has to be");

    public static readonly Command Definition = new("download", "[FLAGS] URL FILE", "write what a URL gives to a file", [Checksum], Run) { IsHidden = true };

    static int Run(Invocation invocation)
    {
        if (invocation.Words is not [var url, var path] || !Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw new UserException("name a URL, http:// or https://, and a file");
        }

        var expected = invocation.Value(Checksum) is { } text ? ParseDigest(text) : default(Digest?);
        var options = new FetchOptions { Registry = RegistryFlags.Of(invocation) };
        if (address.Scheme == "http" && expected is null && !options.Registry.InsecureHttp)
        {
            throw new UserException($"{url} comes without protection: give its --checksum, or allow it by --insecure-options=http");
        }

        return Interruptible.Run("nothing was written", async cancellation =>
        {
            using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
            await FileDownload.WriteAsync(store, address, expected, path, options with { Registry = options.Registry with { InsecureHttp = true } }, new FetchProgress(), cancellation);
        });
    }

    static Digest ParseDigest(string text)
    {
        try
        {
            return Digest.Parse(text);
        }
        catch (FormatException problem)
        {
            throw new UserException($"--checksum: {problem.Message}");
        }
    }
}
