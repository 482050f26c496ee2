using System.Text;
using System.Text.Json;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>Finds the credential that somebody has deposited for a registry: in our configuration, in the files that podman and docker keep, with a helper.</summary>
/// <remarks>containers-auth.json(5); docs.docker.com, "docker login", "Credential stores".</remarks>
static class RegistryCredentials
{
    const string Hub = "docker.io", HubAddress = "https://index.docker.io/v1/";

    /// <returns>Null for anonymous access.</returns>
    /// <exception cref="SpecException">A file is malformed.</exception>
    /// <exception cref="ImageException">A helper fails.</exception>
    public static RegistryCredential? Find(string host, string repository, RegistryOptions options, CancellationToken cancellation)
    {
        if (options.Credential is { } given)
        {
            return given;
        }

        if (NamesOf(host).Select(name => options.RegistryHosts.GetValueOrDefault(name)).FirstOrDefault(found => found is not null) is { } configured)
        {
            return new RegistryCredential(configured.User, configured.Password, null);
        }

        RegistryCredential? Ask(string helper, string server) => CredentialHelper.Ask(helper, server, options.HelperTimeout, cancellation);
        return options.Registries.CredentialHelpers
            .Select(helper => helper == RegistriesConfiguration.CredentialFiles ? FindInFiles(host, repository, Ask) : AskFor(host, helper, Ask))
            .FirstOrDefault(found => found is not null);
    }

    /// <summary>
    /// Looks into <c>$REGISTRY_AUTH_FILE</c>, the runtime directory's <c>containers/auth.json</c>, and <c>config.json</c> in <c>$DOCKER_CONFIG</c> or
    /// <c>~/.docker</c>; the first file that knows the host, or has a helper that does, counts.
    /// </summary>
    static RegistryCredential? FindInFiles(string host, string repository, Func<string, string, RegistryCredential?> ask)
    {
        foreach (string path in Paths())
        {
            var text = Files.TryReadText(FileDescriptor.WorkingDirectory, path);
            if (text is not null && FindIn(text, path, host, repository, ask) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    /// <param name="ask">Asks a helper, by the end of its name, about a server.</param>
    internal static RegistryCredential? FindIn(string json, string path, string host, string repository, Func<string, string, RegistryCredential?> ask)
    {
        DockerConfigFile? file;
        try
        {
            file = JsonSerializer.Deserialize(json, CredentialJson.Default.DockerConfigFile);
        }
        catch (JsonException failure)
        {
            throw new SpecException(failure.Path ?? "", $"is not JSON, or of the wrong type (line {failure.LineNumber + 1})").In(path);
        }

        if (HelperFor(file, host) is { } helper && AskFor(host, helper, ask) is { } kept)
        {
            return kept;
        }

        foreach (string key in Keys(host, repository))
        {
            if (file?.Auths?.GetValueOrDefault(key) is { } entry)
            {
                return Read(entry, key, path);
            }
        }

        return null;
    }

    /// <remarks>What docker login has deposited for its hub has an address for its name, what podman login has, a host.</remarks>
    static RegistryCredential? AskFor(string host, string helper, Func<string, string, RegistryCredential?> ask) =>
        host == Hub ? ask(helper, HubAddress) ?? ask(helper, Hub) : ask(helper, host);

    static string? HelperFor(DockerConfigFile? file, string host) =>
        Keys(host, "").Select(key => file?.CredentialHelpers?.GetValueOrDefault(key)).Append(file?.CredentialStore).FirstOrDefault(name => !string.IsNullOrEmpty(name));

    static RegistryCredential? Read(DockerAuthentication entry, string key, string path)
    {
        var (user, password) = (entry.Username ?? "", entry.Password ?? "");
        if (!string.IsNullOrEmpty(entry.Auth))
        {
            var decoded = new byte[entry.Auth.Length];
            int colon = -1;
            string pair = "";
            if (Convert.TryFromBase64String(entry.Auth, decoded, out int length))
            {
                pair = Encoding.UTF8.GetString(decoded, 0, length).TrimEnd('\0');
                colon = pair.IndexOf(':');
            }

            if (colon < 0)
            {
                throw new SpecException($"auths[\"{key}\"].auth", "is not base64 of 'user:password'").In(path);
            }

            (user, password) = (pair[..colon], pair[(colon + 1)..]);
        }

        return user.Length == 0 && string.IsNullOrEmpty(entry.IdentityToken) ? null
            : new RegistryCredential(user, password, string.IsNullOrEmpty(entry.IdentityToken) ? null : entry.IdentityToken);
    }

    static IEnumerable<string> Keys(string host, string repository)
    {
        for (string key = $"{host}/{repository}"; repository.Length > 0 && key.Length > host.Length; key = key[..key.LastIndexOf('/')])
        {
            yield return key;
        }

        foreach (string name in NamesOf(host))
        {
            yield return name;
            yield return $"https://{name}";
            yield return $"https://{name}/";
            yield return $"https://{name}/v1/";
            yield return $"https://{name}/v2/";
            yield return $"http://{name}";
        }
    }

    static string[] NamesOf(string host) => host == Hub ? [Hub, "index.docker.io", "registry-1.docker.io"] : [host];

    static IEnumerable<string> Paths()
    {
        if (Environment.GetEnvironmentVariable("REGISTRY_AUTH_FILE") is { Length: > 0 } chosen)
        {
            yield return chosen;
        }

        yield return Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime
            ? $"{runtime}/containers/auth.json" : $"/run/containers/{Files.Status(FileDescriptor.WorkingDirectory, "/proc/self/status").Owner}/auth.json";

        if (Environment.GetEnvironmentVariable("DOCKER_CONFIG") is { Length: > 0 } directory)
        {
            yield return $"{directory}/config.json";
        }
        else if (Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home)
        {
            yield return $"{home}/.docker/config.json";
        }
    }
}
