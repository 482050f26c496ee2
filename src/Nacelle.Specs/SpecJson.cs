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
            // The library's own messages are not in the executables (UseSystemResourceKeys); position and path say enough.
            var where = $"(line {problem.LineNumber + 1}, byte {problem.BytePositionInLine + 1})";
            throw new SpecException(
                PathOf(problem),
                problem.InnerException is SpecException rule ? rule.Message
                : problem.InnerException is JsonException || problem.Path is null ? $"is not JSON {where}"
                : $"is missing, of the wrong type, or given twice {where}").In(source);
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    static string PathOf(JsonException problem) =>
        problem.Path is { } path && path.StartsWith('$') ? path[1..].TrimStart('.') : "";
}
