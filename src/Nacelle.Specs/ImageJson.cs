using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Nacelle.Specs;

/// <summary>Reads and writes image documents, without reflection, and says by JSON path what is wrong with one.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    MaxDepth = 64,
    Converters = [typeof(DigestConverter)])]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(ImageLayoutFile))]
[JsonSerializable(typeof(DocumentHead))]
[JsonSerializable(typeof(DockerArchiveEntry[]))]
sealed partial class ImageJson : JsonSerializerContext
{
    public static T Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        if (json.Length > ImageDocuments.LargestDocument)
        {
            throw new SpecException("", $"is {json.Length} bytes long; at most {ImageDocuments.LargestDocument} are read");
        }

        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new SpecException("", "is null where an object must be");
        }
        catch (JsonException failure)
        {
            string path = failure.Path is null or "$" ? "" : failure.Path.TrimStart('$').TrimStart('.');

            // The library's own messages are not in the executable (UseSystemResourceKeys); position and path are enough.
            throw failure.InnerException is SpecException ours ? new SpecException(path, ours.Message)
                : failure.InnerException is JsonException || failure.Path is null
                    ? new SpecException(path, $"is not JSON (line {failure.LineNumber + 1}, byte {failure.BytePositionInLine + 1})")
                : new SpecException(path, $"is of the wrong type or given twice (line {failure.LineNumber + 1}, byte {failure.BytePositionInLine + 1})");
        }
    }

    public static byte[] Write<T>(T document, JsonTypeInfo<T> type)
    {
        // "+" is common in media types, and these documents are never part of a web page.
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            JsonSerializer.Serialize(writer, document, type);
        }

        return buffer.WrittenSpan.ToArray();
    }
}

/// <summary>What holds for every image document.</summary>
public static class ImageDocuments
{
    /// <summary>In bytes. What registries keep to for manifests (OCI distribution specification 1.1, "Pushing Manifests"), used for configs too.</summary>
    public const int LargestDocument = 4 << 20;

    /// <summary>Whether a document is a manifest or an index: by what came with it, and what it says of itself.</summary>
    /// <param name="given">The media type that the descriptor or the Content-Type header names; may be empty or general.</param>
    /// <exception cref="SpecException">It is neither, or the two differ.</exception>
    public static string MediaTypeOf(ReadOnlySpan<byte> content, string given, string document)
    {
        try
        {
            var head = ImageJson.Parse(content, ImageJson.Default.DocumentHead);
            string said = head.MediaType ?? "";
            string mediaType = MediaTypes.IsIndex(given) || MediaTypes.IsManifest(given) ? given
                : said.Length > 0 ? said
                : head.SchemaVersion == 1 ? "application/vnd.docker.distribution.manifest.v1+json" : given;
            return !MediaTypes.IsIndex(mediaType) && !MediaTypes.IsManifest(mediaType) ? throw MediaTypes.NotAnImage("mediaType", mediaType)
                : said.Length > 0 && said != mediaType ? throw new SpecException("mediaType", $"is '{said}', but '{mediaType}' was announced")
                : mediaType;
        }
        catch (SpecException failure)
        {
            throw failure.In(document);
        }
    }
}

/// <summary>What every kind of manifest begins with.</summary>
sealed record DocumentHead
{
    [JsonPropertyName("schemaVersion")]
    public int SchemaVersion { get; init; }

    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }
}

sealed class DigestConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : throw new JsonException();
        try
        {
            return text is "" ? default : Digest.Parse(text, "");
        }
        catch (SpecException failure)
        {
            throw new JsonException(failure.Message, failure);
        }
    }

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
