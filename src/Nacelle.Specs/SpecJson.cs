using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Nacelle.Specs;

/// <summary>Reads a document from outside into its type; what is wrong is said with the path to it.</summary>
public static class SpecJson
{
    /// <param name="source">Where the text comes from, for messages.</param>
    /// <exception cref="SpecException">Not JSON, or not of the type's shape.</exception>
    public static T Parse<T>(ReadOnlySpan<byte> json, string source, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new SpecException("", "the document is null").In(source);
        }
        catch (JsonException problem)
        {
            throw new SpecException(PathOf(problem), Reason(problem)).In(source);
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    static string PathOf(JsonException problem) =>
        problem.Path is { } path && path.StartsWith('$') ? path[1..].TrimStart('.') : "";

    /// <summary>The first sentence of the serializer's message; the rest repeats path and line.</summary>
    static string Reason(JsonException problem)
    {
        var message = problem.InnerException is SpecException or FormatException ? problem.InnerException.Message : problem.Message;
        int end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        message = end >= 0 ? message[..end] : message;
        return problem.LineNumber is { } line ? $"{message.TrimEnd('.')} (line {line + 1})" : message.TrimEnd('.');
    }
}
