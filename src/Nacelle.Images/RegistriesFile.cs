using System.Text.Json.Serialization;
using Nacelle.Specs;
using Tomlyn;
using Tomlyn.Serialization;

namespace Nacelle.Images;

/// <summary>One file of the registries' configuration, as it is written.</summary>
/// <remarks>containers-registries.conf(5), version 2.</remarks>
sealed class RegistriesFile
{
    const int Largest = 1 << 20;

    [JsonPropertyName("unqualified-search-registries")]
    public List<string>? SearchRegistries { get; set; }

    [JsonPropertyName("short-name-mode")]
    public string? ShortNameMode { get; set; }

    [JsonPropertyName("credential-helpers")]
    public List<string>? CredentialHelpers { get; set; }

    [JsonPropertyName("registry")]
    public List<RegistryEntry>? Registries { get; set; }

    [JsonPropertyName("aliases")]
    public Dictionary<string, string>? Aliases { get; set; }

    /// <summary>Version 1's table, which is not read.</summary>
    [JsonPropertyName("registries")]
    public Dictionary<string, Dictionary<string, List<string>>>? Old { get; set; }

    /// <exception cref="SpecException">Not TOML, of the wrong type somewhere, or of version 1; names the file.</exception>
    public static RegistriesFile Parse(string toml, string path)
    {
        try
        {
            var file = toml.Length > Largest ? throw new SpecException("", $"is longer than {Largest} characters")
                : TomlSerializer.Deserialize(toml, RegistriesToml.Default.RegistriesFile) ?? new RegistriesFile();
            return file.Old is null ? file : throw new SpecException("registries", "is of version 1 of the format, which is not read; see containers-registries.conf(5)");
        }
        catch (TomlException failure)
        {
            throw new SpecException("", $"is not TOML of the expected shape{(failure.Line is { } line ? $" (line {line}, column {failure.Column})" : "")}: {failure.Message}").In(path);
        }
        catch (Exception failure) when (failure is InvalidOperationException or FormatException or OverflowException or ArgumentException or InvalidCastException or NotSupportedException)
        {
            throw new SpecException("", "is not TOML of the expected shape").In(path);
        }
        catch (SpecException failure)
        {
            throw failure.In(path);
        }
    }
}

sealed class RegistryEntry
{
    [JsonPropertyName("prefix")]
    public string? Prefix { get; set; }

    [JsonPropertyName("location")]
    public string? Location { get; set; }

    [JsonPropertyName("insecure")]
    public bool Insecure { get; set; }

    [JsonPropertyName("blocked")]
    public bool Blocked { get; set; }

    [JsonPropertyName("mirror-by-digest-only")]
    public bool MirrorByDigestOnly { get; set; }

    [JsonPropertyName("mirror")]
    public List<MirrorEntry>? Mirrors { get; set; }
}

sealed class MirrorEntry
{
    [JsonPropertyName("location")]
    public string? Location { get; set; }

    [JsonPropertyName("insecure")]
    public bool Insecure { get; set; }

    [JsonPropertyName("pull-from-mirror")]
    public string? PullFromMirror { get; set; }
}

[TomlSerializable(typeof(RegistriesFile))]
sealed partial class RegistriesToml : TomlSerializerContext;
