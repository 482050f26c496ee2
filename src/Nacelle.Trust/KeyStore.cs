using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>The keys that are trusted for images: for all, or for those whose names begin in a certain way.</summary>
/// <remarks>
/// rkt's layout, in each directory of the configuration:
/// <code>
/// trustedkeys/root.d/FINGERPRINT                  trusted for every image
///             prefix.d/example.com/redis/FINGERPRINT   trusted for example.com/redis and all below it
/// </code>
/// An empty file takes away what a weaker directory has under the same name.
/// </remarks>
/// <param name="directories">The configuration's, the weakest first: the distribution's, the machine's, the user's.</param>
public sealed class KeyStore(IReadOnlyList<string> directories)
{
    const string RootPlace = "root.d", PrefixPlace = "prefix.d";

    /// <summary>The keys that may sign an image of that name.</summary>
    /// <exception cref="SpecException">A file is no key, or not the one that its name says.</exception>
    public IReadOnlyList<OpenPgpKey> KeysFor(string name) => [.. new[] { RootPlace }.Concat(PlacesFor(name)).SelectMany(Read).DistinctBy(key => key.Fingerprint)];

    /// <summary>Whether somebody has said which keys sign images of that name, or of those above it; keys for all images do not count.</summary>
    public bool KnowsPrefixOf(string name) => PlacesFor(name).Any(place => Read(place).Any());

    /// <summary>Trusts a key, durably, in the strongest but one of the directories: the machine's.</summary>
    /// <param name="directory">One of the configuration's.</param>
    /// <param name="prefix">Null to trust it for all images.</param>
    /// <returns>The file's path.</returns>
    public static string Add(string directory, string? prefix, OpenPgpKey key)
    {
        var path = $"{directory}/trustedkeys/{(prefix is null ? RootPlace : $"{PrefixPlace}/{CheckPrefix(prefix)}")}";
        using var opened = Files.EnsureDirectories(path);
        Files.Replace(opened, key.Fingerprint, key.ToArmor());
        return $"{path}/{key.Fingerprint}";
    }

    /// <exception cref="SpecException">Not the beginning of a name.</exception>
    public static string CheckPrefix(string prefix) =>
        AcIdentifier.IsValid(prefix) ? prefix : throw new SpecException("", $"'{prefix}' is not the beginning of images' names: write example.com or example.com/redis");

    /// <summary>The name's own place and those of all above it.</summary>
    static IEnumerable<string> PlacesFor(string name)
    {
        for (int at = 0; at >= 0;)
        {
            at = name.IndexOf('/', at + 1);
            yield return $"{PrefixPlace}/{(at < 0 ? name : name[..at])}";
        }
    }

    IEnumerable<OpenPgpKey> Read(string place)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var directory in directories.Reverse())
        {
            var path = $"{directory}/trustedkeys/{place}";
            foreach (var entry in Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, path).OrderBy(entry => entry.Name, StringComparer.Ordinal))
            {
                // Directories are the places of longer prefixes.
                if (!IsFingerprint(entry.Name) || !seen.Add(entry.Name))
                {
                    continue;
                }

                var file = $"{path}/{entry.Name}";
                var text = Files.ReadAll(FileDescriptor.WorkingDirectory, file);
                if (text.Length == 0)
                {
                    continue;
                }

                var key = OpenPgpKey.ReadAll(text, file)[0];
                yield return key.Fingerprint == entry.Name ? key : throw new SpecException("", $"holds the key {key.Fingerprint}, not the one that its name says").In(file);
            }
        }
    }

    static bool IsFingerprint(string name) => name.Length is 40 or 64 && !name.AsSpan().ContainsAnyExcept("0123456789abcdef");
}
