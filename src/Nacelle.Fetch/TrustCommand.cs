using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;
using Nacelle.Trust;

namespace Nacelle.Fetch;

/// <summary><c>trust</c>: trusts keys for the images of a prefix, or for all.</summary>
static class TrustCommand
{
    static readonly Option Prefix = new("prefix", "NAME", "trust the keys for images whose names begin so, as in example.com/redis");
    static readonly Option Root = new("root", null, "trust the keys for all images");
    static readonly Option SkipReview = new("skip-fingerprint-review", null, "do not ask");
    static readonly Option AllowHttp = new("insecure-allow-http", null, "allow keys to come by plain http");

    public static readonly Command Definition = new("trust", "[FLAGS] [PUBKEY…]", "trust keys that sign images", [Prefix, Root, SkipReview, AllowHttp], Run)
    {
        Description = "PUBKEY is a file or an https URL. Without one, the pages of the prefix say where its keys are.\nFingerprints are shown, and to be confirmed, unless --skip-fingerprint-review is given.",
    };

    static int Run(Invocation invocation)
    {
        var prefix = invocation.Value(Prefix);
        if ((prefix is null) == !invocation.Is(Root))
        {
            throw new UserException("trust: give one of --prefix=NAME and --root");
        }

        if (prefix is not null)
        {
            KeyStore.CheckPrefix(prefix);
        }

        if (invocation.Words.Count == 0 && prefix is null)
        {
            throw new UserException("trust: --root needs a key; only a prefix has pages that offer some");
        }

        bool debug = invocation.Is(GlobalFlags.Debug), refused = false;
        var options = new FetchOptions { Registry = Registry(invocation) };
        var progress = new FetchProgress { Note = debug ? Output.Error : null };
        int exit = Interruptible.Run("no key was added", async cancellation =>
        {
            using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
            IReadOnlyList<(string Source, IReadOnlyList<OpenPgpKey> Keys)> offers = invocation.Words.Count == 0
                ? [.. (await KeyDownload.DiscoverAsync(store, prefix!, options, progress, cancellation)).Select(offer => (offer.Source.AbsoluteUri, offer.Keys))]
                : await ReadAllAsync(invocation.Words, store, options, progress, cancellation);
            foreach (var (source, keys) in offers)
            {
                Output.Line(KeyReview.Describe(prefix, source, keys));
                bool trusted = invocation.Is(SkipReview) || KeyReview.Ask(keys, Output.Line);
                refused |= !trusted || !KeyReview.Add(GlobalFlags.LocalConfigDirectory(invocation), prefix, keys, Output.Line);
            }
        });
        return exit != 0 ? exit : refused ? CommandProgram.OwnError : 0;
    }

    static RegistryOptions Registry(Invocation invocation)
    {
        var registry = RegistryFlags.ForKeys(invocation);
        return registry with { InsecureHttp = registry.InsecureHttp || invocation.Is(AllowHttp) };
    }

    static async Task<IReadOnlyList<(string, IReadOnlyList<OpenPgpKey>)>> ReadAllAsync(
        IReadOnlyList<string> places, ImageStore store, FetchOptions options, FetchProgress progress, CancellationToken cancellation)
    {
        var found = new List<(string, IReadOnlyList<OpenPgpKey>)>();
        foreach (var place in places)
        {
            found.Add((place, ImageUrl.TryParse(place) is { } url
                ? await KeyDownload.ReadAsync(store, url.Address, options, progress, cancellation)
                : OpenPgpKey.ReadAll(Files.ReadAll(FileDescriptor.WorkingDirectory, place), place)));
        }

        return found;
    }
}
