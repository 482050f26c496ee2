using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.CommandLine;

/// <summary>What the configuration's directories say together: the stronger directory's word on a host, a path or stage1 replaces the weaker one's.</summary>
/// <remarks>rkt 1.30, Documentation/configuration.md.</remarks>
public sealed record Configuration
{
    static readonly (string Directory, string[] Kinds)[] Places = [("auth.d", ["auth", "dockerAuth"]), ("paths.d", ["paths"]), ("stage1.d", ["stage1"])];

    /// <summary>Credentials by host, for appc images, their signatures and keys.</summary>
    public IReadOnlyDictionary<string, HostCredential> Hosts { get; init; } = new Dictionary<string, HostCredential>();

    /// <summary>Credentials by registry.</summary>
    public IReadOnlyDictionary<string, HostCredential.Basic> Registries { get; init; } = new Dictionary<string, HostCredential.Basic>();

    public ConfigFile.Paths Paths { get; init; } = new(null, null);

    public ConfigFile.Stage1 Stage1 { get; init; } = new(null, null, null);

    /// <summary>Reads files that end in <c>.json</c>, of all kinds or some. A directory that does not exist says nothing.</summary>
    /// <param name="directories">The weakest first.</param>
    /// <param name="wanted">Names of sub-directories (<c>paths.d</c>); none for all. What is broken in others is not noticed.</param>
    /// <exception cref="SpecException">A file is malformed, or says again what another of the same directory has said; names the file.</exception>
    /// <exception cref="KernelException">A file cannot be read.</exception>
    public static Configuration Read(IReadOnlyList<string> directories, params IReadOnlyList<string> wanted)
    {
        var merged = new Configuration();
        foreach (var directory in directories)
        {
            var said = new Configuration();
            foreach (var (name, kinds) in Places.Where(place => wanted.Count == 0 || wanted.Contains(place.Directory)))
            {
                foreach (var path in FilesOf($"{directory}/{name}"))
                {
                    said = said.And(ConfigFile.Parse(Files.ReadAll(FileDescriptor.WorkingDirectory, path), path, kinds), path);
                }
            }

            merged = merged.Under(said);
        }

        return merged;
    }

    /// <summary>All that it says, one file's worth per host, registry, and so on, in the shape of rkt's <c>config</c>.</summary>
    public byte[] ToJson(bool indented) => SpecWriter.Write(
        this,
        (json, configuration) => json.List("stage0", [.. configuration.Entries()], (entry, file) => file.Write(entry), always: true),
        indented);

    IEnumerable<ConfigFile> Entries()
    {
        foreach (var (host, credential) in Hosts.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            yield return new ConfigFile.Auth([host], credential);
        }

        foreach (var (registry, credential) in Registries.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            yield return new ConfigFile.DockerAuth([registry], credential);
        }

        if (Paths != new ConfigFile.Paths(null, null))
        {
            yield return Paths;
        }

        if (Stage1 != new ConfigFile.Stage1(null, null, null))
        {
            yield return Stage1;
        }
    }

    static IEnumerable<string> FilesOf(string directory) => Directories.ListOrEmpty(FileDescriptor.WorkingDirectory, directory)
        .Where(entry => entry.Name.EndsWith(".json", StringComparison.Ordinal))
        .Select(entry => (Path: $"{directory}/{entry.Name}", entry.Kind))
        .Where(entry => (entry.Kind == 0 ? Files.Status(FileDescriptor.WorkingDirectory, entry.Path).Kind : entry.Kind) == FileKind.Regular)
        .Select(entry => entry.Path)
        .Order(StringComparer.Ordinal);

    /// <summary>With a further file of the same directory, which may not contradict.</summary>
    Configuration And(ConfigFile file, string path) => file switch
    {
        ConfigFile.Auth auth => this with { Hosts = Join(Hosts, auth.Domains, auth.Credential, path) },
        ConfigFile.DockerAuth auth => this with { Registries = Join(Registries, auth.Registries, auth.Credential, path) },
        ConfigFile.Paths paths => this with
        {
            Paths = new(Once(Paths.Data, paths.Data, "data", path), Once(Paths.Stage1Images, paths.Stage1Images, "stage1-images", path)),
        },
        ConfigFile.Stage1 stage1 => this with
        {
            Stage1 = new(
                Once(Stage1.Name, stage1.Name, "name", path), Once(Stage1.Version, stage1.Version, "version", path), Once(Stage1.Location, stage1.Location, "location", path)),
        },
        _ => this,
    };

    /// <summary>Overridden by what a stronger directory says.</summary>
    Configuration Under(Configuration stronger) => new()
    {
        Hosts = Override(Hosts, stronger.Hosts),
        Registries = Override(Registries, stronger.Registries),
        Paths = new(stronger.Paths.Data ?? Paths.Data, stronger.Paths.Stage1Images ?? Paths.Stage1Images),
        Stage1 = new(stronger.Stage1.Name ?? Stage1.Name, stronger.Stage1.Version ?? Stage1.Version, stronger.Stage1.Location ?? Stage1.Location),
    };

    static IReadOnlyDictionary<string, T> Join<T>(IReadOnlyDictionary<string, T> known, IEnumerable<string> hosts, T credential, string path)
    {
        var joined = new Dictionary<string, T>(known, StringComparer.OrdinalIgnoreCase);
        foreach (var host in hosts)
        {
            if (!joined.TryAdd(host, credential))
            {
                throw new SpecException("", $"has a credential for '{host}', for which there is one already in this directory").In(path);
            }
        }

        return joined;
    }

    static IReadOnlyDictionary<string, T> Override<T>(IReadOnlyDictionary<string, T> weaker, IReadOnlyDictionary<string, T> stronger)
    {
        var all = new Dictionary<string, T>(weaker, StringComparer.OrdinalIgnoreCase);
        foreach (var (host, credential) in stronger)
        {
            all[host] = credential;
        }

        return all;
    }

    static string? Once(string? known, string? said, string name, string path) =>
        known is null || said is null ? known ?? said : throw new SpecException(name, "has been said already in this directory").In(path);
}
