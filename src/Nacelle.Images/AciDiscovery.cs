using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Where an image and its signature may be.</summary>
public sealed record AciEndpoint(Uri Image, Uri Signature);

/// <summary>Where images of a name, and the keys that sign them, may be.</summary>
public sealed record DiscoveredEndpoints(IReadOnlyList<AciEndpoint> Images, IReadOnlyList<Uri> PublicKeys);

/// <summary>Reads what a page says of the images below its name.</summary>
/// <remarks>appc 0.8.11, spec/discovery.md, "Meta Discovery".</remarks>
static class AciDiscovery
{
    static readonly string[] HttpsOnly = ["https"], HttpsThenHttp = ["https", "http"];

    const string ImageTag = "ac-discovery", KeyTag = "ac-discovery-pubkeys";

    /// <summary>Asks the name's own page, and then those above it, until one says what is wanted.</summary>
    /// <param name="name">With all labels that templates may ask for.</param>
    /// <returns>Null when none does.</returns>
    /// <exception cref="ImageException">A server cannot be reached, or fails.</exception>
    public static async Task<DiscoveredEndpoints?> FindAsync(
        UrlDownload download, AppcImageName name, Func<DiscoveredEndpoints, bool> isWanted, FetchOptions options, FetchProgress progress, CancellationToken cancellation)
    {
        foreach (var place in Walk(name.Name))
        {
            foreach (var scheme in options.Registry.InsecureHttp ? HttpsThenHttp : HttpsOnly)
            {
                var address = new Uri($"{scheme}://{place}?ac-discovery=1");
                string? page;
                try
                {
                    progress.Note?.Invoke($"asking {address}");
                    page = await download.ReadPageAsync(address, cancellation);
                }
                catch (ImageException failure) when (scheme == "https" && options.Registry.InsecureHttp)
                {
                    progress.Note?.Invoke(failure.Message);
                    continue;
                }

                if (page is not null && Read(page, name) is var found && isWanted(found))
                {
                    return found;
                }
            }
        }

        return null;
    }

    /// <param name="name">With all labels that templates may ask for.</param>
    public static DiscoveredEndpoints Read(string page, AppcImageName name)
    {
        var images = new List<AciEndpoint>();
        var keys = new List<Uri>();
        foreach (var (tag, content) in HtmlMeta.Read(page))
        {
            var words = content.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != 2 || !IsBelow(name.Name, words[0]))
            {
                continue;
            }

            if (tag == ImageTag && Render(words[1], name, "aci") is { } image && Render(words[1], name, "aci.asc") is { } signature)
            {
                images.Add(new AciEndpoint(image, signature));
            }
            else if (tag == KeyTag && Address(words[1]) is { } key)
            {
                keys.Add(key);
            }
        }

        return new DiscoveredEndpoints(images, keys);
    }

    /// <summary>The names whose pages may tell of an image: its own, and then each above it.</summary>
    public static IEnumerable<string> Walk(string name)
    {
        for (; ; name = name[..name.LastIndexOf('/')])
        {
            yield return name;
            if (!name.Contains('/'))
            {
                yield break;
            }
        }
    }

    static bool IsBelow(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) && (name.Length == prefix.Length || prefix.EndsWith('/') || name[prefix.Length] == '/');

    /// <returns>Null when the template asks for a label that the name does not have, or is no address.</returns>
    static Uri? Render(string template, AppcImageName name, string extension)
    {
        var text = template.Replace("{name}", name.Name, StringComparison.Ordinal).Replace("{ext}", extension, StringComparison.Ordinal);
        foreach (var (label, value) in name.Labels)
        {
            text = text.Replace($"{{{label}}}", Uri.EscapeDataString(value), StringComparison.Ordinal);
        }

        return text.Contains('{') ? null : Address(text);
    }

    static Uri? Address(string text) => Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "https" or "http" ? address : null;
}
