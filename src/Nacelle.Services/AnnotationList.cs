using System.Buffers;
using System.Text.Json;
using Nacelle.Specs;

namespace Nacelle.Services;

/// <summary>Annotations by themselves: a JSON array of names and values.</summary>
static class AnnotationList
{
    /// <summary>Each name once, in the order in which they first come; the stronger list's value counts.</summary>
    public static IReadOnlyList<Annotation> Merge(IReadOnlyList<Annotation> weaker, IReadOnlyList<Annotation> stronger) =>
        [.. weaker.Concat(stronger).GroupBy(annotation => annotation.Name, StringComparer.Ordinal).Select(same => same.Last())];

    public static byte[] Write(IReadOnlyList<Annotation> annotations)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var (name, value) in annotations)
            {
                json.WriteStartObject();
                json.WriteString("name", name);
                json.WriteString("value", value);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
