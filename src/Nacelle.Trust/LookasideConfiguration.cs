using System.Globalization;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Trust;

/// <summary>Where the signatures of simple signing lie, by registry, namespace and repository: beside the registry, which need not know of them.</summary>
/// <remarks>containers-registries.d(5). Sigstore's signatures are looked for in any registry, so <c>use-sigstore-attachments</c> is not asked.</remarks>
public sealed class LookasideConfiguration
{
    const string SystemDirectory = "/etc/containers/registries.d";

    readonly Dictionary<string, Place> namespaces = new(StringComparer.Ordinal);
    Place? byDefault;

    LookasideConfiguration()
    {
    }

    /// <summary>Reads the user's directory where there is one, else the machine's.</summary>
    /// <exception cref="SpecException">A file is not as it must be.</exception>
    public static LookasideConfiguration Load()
    {
        var own = Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? $"{home}/.config/containers/registries.d" : null;
        return Load(own is not null && Files.TryStatus(FileDescriptor.WorkingDirectory, own, out _) is not null ? own : SystemDirectory);
    }

    /// <summary>Reads all files <c>*.yaml</c> of a directory that may be missing.</summary>
    /// <exception cref="SpecException">A file is not as it must be, or two speak of the same.</exception>
    public static LookasideConfiguration Load(string directory)
    {
        var configuration = new LookasideConfiguration();
        foreach (var entry in Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, directory).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (entry.Name.EndsWith(".yaml", StringComparison.Ordinal))
            {
                string path = $"{directory}/{entry.Name}";
                configuration.Add(Files.ReadAll(FileDescriptor.WorkingDirectory, path), path);
            }
        }

        return configuration;
    }

    internal static LookasideConfiguration Parse(byte[] yaml, string source)
    {
        var configuration = new LookasideConfiguration();
        configuration.Add(yaml, source);
        return configuration;
    }

    /// <summary>The address that the names of an image's signatures begin with.</summary>
    /// <param name="toWrite">Where they are to be put, if that is another place.</param>
    /// <exception cref="SpecException">The configured address is none.</exception>
    public Uri AddressFor(ImageReference reference, bool toWrite)
    {
        var places = PolicySubject.Of(reference).Namespaces.Select(name => namespaces.GetValueOrDefault(name)).Append(byDefault);
        var text = places.Select(place => (toWrite ? place?.Staging : null) ?? place?.Reading).FirstOrDefault(address => address is not null) ?? BuiltIn;
        return Uri.TryCreate($"{text.TrimEnd('/')}/{reference.Repository}", UriKind.Absolute, out var address) && address.Scheme is "file" or "https" or "http" ? address
            : throw new SpecException("", $"'{text}' is no address of signatures: it must begin with file://, https:// or http://").In("registries.d");
    }

    /// <summary>Where one of the signatures of a manifest is.</summary>
    /// <param name="number">From 1 on.</param>
    public static Uri AddressOf(Uri repository, Digest manifest, int number) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{repository.AbsoluteUri}@{manifest.Algorithm}={manifest.Hex}/signature-{number}"));

    /// <summary>Where signatures lie that nobody has said anything about.</summary>
    static string BuiltIn => "file://" + (Processes.IsRoot ? "/var/lib/containers/sigstore" : $"{Environment.GetEnvironmentVariable("HOME")}/.local/share/containers/sigstore");

    void Add(byte[] yaml, string source)
    {
        var root = YamlNode.Parse(yaml, source);
        try
        {
            if (root.Members.TryGetValue("default-docker", out var general) && general.Text is null)
            {
                byDefault = byDefault is null ? Read(general) : throw new SpecException("default-docker", "is said in another file too");
            }

            foreach (var (name, node) in root.Members.TryGetValue("docker", out var docker) ? docker.Members : YamlNodeless)
            {
                if (!namespaces.TryAdd(name, Read(node)))
                {
                    throw new SpecException($"docker.{name}", "is said in another file too");
                }
            }
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    static readonly Dictionary<string, YamlNode> YamlNodeless = [];

    // The older names stand for the same.
    static Place Read(YamlNode node) => new(node.FindText("lookaside") ?? node.FindText("sigstore"), node.FindText("lookaside-staging") ?? node.FindText("sigstore-staging"));

    sealed record Place(string? Reading, string? Staging);
}
