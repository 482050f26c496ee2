using System.Text;
using System.Text.Json.Serialization;

namespace Nacelle.Images;

/// <summary>What a person has deposited for a registry: user name and password, or an identity token that buys access tokens.</summary>
public sealed record RegistryCredential(string User, string Password, string? IdentityToken)
{
    /// <summary>The value of an Authorization header of the Basic scheme, RFC 7617.</summary>
    internal string BasicValue => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"));

    // Not to be printed by accident.
    public override string ToString() => $"credential of {User}";
}

sealed record DockerConfigFile
{
    [JsonPropertyName("auths")]
    public Dictionary<string, DockerAuthentication?>? Auths { get; init; }

    /// <summary>By host, the end of a helper's name.</summary>
    [JsonPropertyName("credHelpers")]
    public Dictionary<string, string?>? CredentialHelpers { get; init; }

    /// <summary>The helper for all other hosts.</summary>
    [JsonPropertyName("credsStore")]
    public string? CredentialStore { get; init; }
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
