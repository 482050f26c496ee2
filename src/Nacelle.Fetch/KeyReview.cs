using System.Text;
using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Trust;

namespace Nacelle.Fetch;

/// <summary>Has a person look at keys before they are trusted.</summary>
static class KeyReview
{
    /// <summary>For keys that an image's own pages offer while it is fetched: trusted by flag, or by a person at the terminal.</summary>
    public static bool Accept(Invocation invocation, OfferedKeys offer, Action<string> tell)
    {
        bool byFlag = invocation.Is(GlobalFlags.TrustKeys) && offer.Source.Scheme == Uri.UriSchemeHttps;
        if (!byFlag && Console.IsInputRedirected)
        {
            return false;
        }

        tell(Describe(offer.Prefix, offer.Source.AbsoluteUri, offer.Keys));
        return (byFlag || Ask(offer.Keys, tell)) && Add(GlobalFlags.LocalConfigDirectory(invocation), offer.Prefix, offer.Keys, tell);
    }

    /// <param name="prefix">Null for keys of all images.</param>
    public static bool Add(string directory, string? prefix, IReadOnlyList<OpenPgpKey> keys, Action<string> tell)
    {
        foreach (var key in keys)
        {
            tell($"Added {(prefix is null ? "root key" : $"key for prefix \"{prefix}\"")} at \"{KeyStore.Add(directory, prefix, key)}\"");
        }

        return true;
    }

    public static string Describe(string? prefix, string source, IReadOnlyList<OpenPgpKey> keys)
    {
        var text = new StringBuilder($"prefix: \"{prefix}\"\nkey: \"{source}\"\n");
        foreach (var key in keys)
        {
            text.Append($"key fingerprint is: {Grouped(key.Fingerprint)}\n");
            foreach (var subkey in key.Subkeys)
            {
                text.Append($"\tsubkey fingerprint: {Grouped(subkey.Fingerprint)}\n");
            }

            foreach (var user in key.UserIds)
            {
                text.Append($"\t{user}\n");
            }
        }

        return text.ToString().TrimEnd('\n');
    }

    /// <summary>Asks until the answer is yes or no; no answer is no.</summary>
    public static bool Ask(IReadOnlyList<OpenPgpKey> keys, Action<string> tell)
    {
        while (true)
        {
            tell($"Are you sure you want to trust {(keys.Count == 1 ? "this key" : $"these {keys.Count} keys")} (yes/no)?");
            switch (Console.In.ReadLine()?.Trim())
            {
                case "yes": return true;
                case "no" or null: return false;
            }

            tell("Please write 'yes' or 'no'.");
        }
    }

    static string Grouped(string fingerprint) => string.Join(' ', fingerprint.ToUpperInvariant().Chunk(4).Select(four => new string(four)));
}
