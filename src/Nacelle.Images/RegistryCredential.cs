using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Images;

/// <summary>What a person has deposited for a registry: user name and password, or an identity token that buys access tokens.</summary>
public sealed record RegistryCredential(string User, string Password, string? IdentityToken)
{
    /// <summary>The value of an Authorization header of the Basic scheme, RFC 7617.</summary>
    internal string BasicValue => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"));

    // Not to be printed by accident.
    public override string ToString() => $"credential of {User}";

    /// <summary>
    /// Looks up the credential for a repository in <c>$REGISTRY_AUTH_FILE</c>, the runtime directory's <c>containers/auth.json</c>, and
    /// <c>config.json</c> in <c>$DOCKER_CONFIG</c> or <c>~/.docker</c>; the first file that knows the host counts. Null for anonymous access.
    /// </summary>
    /// <remarks>containers-auth.json(5). Credential helpers are not run.</remarks>
    /// <exception cref="SpecException">A file is malformed.</exception>
    public static RegistryCredential? Find(string host, string repository)
    {
        foreach (string path in Paths())
        {
            var text = Files.TryReadText(FileDescriptor.WorkingDirectory, path);
            if (text is not null && Find(text, path, host, repository) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    internal static RegistryCredential? Find(string json, string path, string host, string repository)
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

        if (file?.Auths is not { } entries)
        {
            return null;
        }

        foreach (string key in Keys(host, repository))
        {
            if (entries.TryGetValue(key, out var entry) && entry is not null)
            {
                return Read(entry, key, path);
            }
        }

        return null;
    }

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
        for (string key = $"{host}/{repository}"; key.Length > host.Length; key = key[..key.LastIndexOf('/')])
        {
            yield return key;
        }

        string[] names = host == "docker.io" ? ["docker.io", "index.docker.io", "registry-1.docker.io"] : [host];
        foreach (string name in names)
        {
            yield return name;
            yield return $"https://{name}";
            yield return $"https://{name}/";
            yield return $"https://{name}/v1/";
            yield return $"https://{name}/v2/";
            yield return $"http://{name}";
        }
    }

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

sealed record DockerConfigFile
{
    [JsonPropertyName("auths")]
    public Dictionary<string, DockerAuthentication?>? Auths { get; init; }
}

sealed record DockerAuthentication
{
    [JsonPropertyName("auth")]
    public string? Auth { get; init; }

    [JsonPropertyName("username")]
    public string? Username { get; init; }

    [JsonPropertyName("password")]
    public string? Password { get; init; }

    [JsonPropertyName("identitytoken")]
    public string? IdentityToken { get; init; }
}

/// <summary>What a token service answers. Distribution specification of Docker, "Token Authentication"; either name may carry the token.</summary>
sealed record TokenAnswer
{
    [JsonPropertyName("token")]
    public string? Token { get; init; }

    [JsonPropertyName("access_token")]
    public string? AccessToken { get; init; }

    [JsonPropertyName("expires_in")]
    public int? ExpiresIn { get; init; }
}

/// <summary>What a registry says with an error. OCI distribution specification 1.1, "Error Codes".</summary>
sealed record RegistryErrors
{
    [JsonPropertyName("errors")]
    public RegistryError?[]? Errors { get; init; }
}

sealed record RegistryError
{
    [JsonPropertyName("code")]
    public string? Code { get; init; }

    [JsonPropertyName("message")]
    public string? Message { get; init; }
}

[JsonSerializable(typeof(DockerConfigFile))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(RegistryErrors))]
sealed partial class CredentialJson : JsonSerializerContext;
