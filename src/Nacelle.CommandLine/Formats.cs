using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Nacelle.CommandLine;

public enum Format
{
    Table,
    Json,
    JsonPretty,
}

/// <summary>The --format flag.</summary>
public static class Formats
{
    public static readonly Option Option = new("format", "json|json-pretty", "print JSON instead of a table");

    public static Format Of(Invocation invocation) => invocation.Value(Option) switch
    {
        null or "" => Format.Table,
        "json" => Format.Json,
        "json-pretty" => Format.JsonPretty,
        var other => throw new UserException($"--format={other}: use json or json-pretty"),
    };

    /// <param name="compact">The serialization's own options.</param>
    /// <returns>The same, indented by tabulators for <see cref="Format.JsonPretty"/>.</returns>
    public static JsonSerializerOptions Options(Format format, JsonSerializerOptions compact) =>
        format == Format.JsonPretty ? new(compact) { WriteIndented = true, IndentCharacter = '\t', IndentSize = 1 } : new(compact);

    public static string Write<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.Serialize(value, type);
}
