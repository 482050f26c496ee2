using System.Buffers;
using System.Text.Json;

namespace Nacelle.Specs;

/// <summary>Writes a document; members without a value are left out.</summary>
public readonly struct SpecWriter(Utf8JsonWriter json)
{
    /// <param name="indented">By tabulators, for people.</param>
    public static byte[] Write<T>(T document, Action<SpecWriter, T> write, bool indented = false) => Write(indented, json =>
    {
        json.WriteStartObject();
        write(new SpecWriter(json), document);
        json.WriteEndObject();
    });

    /// <summary>A document that is a list of objects.</summary>
    public static byte[] WriteList<T>(IReadOnlyList<T> documents, Action<SpecWriter, T> write, bool indented = false) => Write(indented, json =>
    {
        json.WriteStartArray();
        foreach (var document in documents)
        {
            json.WriteStartObject();
            write(new SpecWriter(json), document);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    static byte[] Write(bool indented, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions
        {
            Indented = indented,
            IndentCharacter = '\t',
            IndentSize = 1,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // for files and terminals, not for pages
            SkipValidation = true,
        }))
        {
            write(json);
        }

        return buffer.WrittenSpan.ToArray();
    }

    public void Text(string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    public void Flag(string name, bool? value)
    {
        if (value is { } flag)
        {
            json.WriteBoolean(name, flag);
        }
    }

    public void Number(string name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }

    public void Unsigned(string name, ulong? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }

    /// <summary>A list of strings; where it is empty, left out unless it must be there.</summary>
    public void Texts(string name, IReadOnlyList<string> values, bool always = false)
    {
        if (values.Count > 0 || always)
        {
            json.WriteStartArray(name);
            foreach (var value in values)
            {
                json.WriteStringValue(value);
            }

            json.WriteEndArray();
        }
    }

    /// <summary>A list of objects; where it is empty, left out unless it must be there.</summary>
    public void List<T>(string name, IReadOnlyList<T> values, Action<SpecWriter, T> write, bool always = false)
    {
        if (values.Count > 0 || always)
        {
            json.WriteStartArray(name);
            foreach (var value in values)
            {
                json.WriteStartObject();
                write(this, value);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }

    public void Unsigneds(string name, IReadOnlyList<uint> values)
    {
        if (values.Count > 0)
        {
            json.WriteStartArray(name);
            foreach (uint value in values)
            {
                json.WriteNumberValue(value);
            }

            json.WriteEndArray();
        }
    }

    public void Object<T>(string name, T? value, Action<SpecWriter, T> write)
        where T : class
    {
        if (value is not null)
        {
            json.WriteStartObject(name);
            write(this, value);
            json.WriteEndObject();
        }
    }

    public void Object<T>(string name, T? value, Action<SpecWriter, T> write)
        where T : struct
    {
        if (value is { } some)
        {
            json.WriteStartObject(name);
            write(this, some);
            json.WriteEndObject();
        }
    }

    /// <summary>An object that is there in any case.</summary>
    public void Group(string name, Action<SpecWriter> write)
    {
        json.WriteStartObject(name);
        write(this);
        json.WriteEndObject();
    }

    public void Real(string name, double value) => json.WriteNumber(name, value);

    public void Unsigneds(string name, IReadOnlyList<ulong> values)
    {
        if (values.Count > 0)
        {
            json.WriteStartArray(name);
            foreach (ulong value in values)
            {
                json.WriteNumberValue(value);
            }

            json.WriteEndArray();
        }
    }

    public void Map(string name, IReadOnlyDictionary<string, string>? pairs)
    {
        if (pairs is not null)
        {
            json.WriteStartObject(name);
            foreach (var (key, value) in pairs)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }
    }

    /// <summary>An object whose members are objects.</summary>
    public void Map<T>(string name, IReadOnlyDictionary<string, T>? pairs, Action<SpecWriter, T> write)
        where T : class
    {
        if (pairs is not null)
        {
            json.WriteStartObject(name);
            foreach (var (key, value) in pairs)
            {
                Object(key, value, write);
            }

            json.WriteEndObject();
        }
    }

    /// <summary>A list of lists of two strings each; left out where it is empty.</summary>
    public void Pairs(string name, IReadOnlyList<KeyValuePair<string, string>> pairs)
    {
        if (pairs.Count > 0)
        {
            json.WriteStartArray(name);
            foreach (var (key, value) in pairs)
            {
                json.WriteStartArray();
                json.WriteStringValue(key);
                json.WriteStringValue(value);
                json.WriteEndArray();
            }

            json.WriteEndArray();
        }
    }

    public void Base64(string name, ReadOnlySpan<byte> bytes) => json.WriteBase64String(name, bytes);

    /// <summary>All members of an object, as they are.</summary>
    public void Members(JsonElement value)
    {
        foreach (var member in value.EnumerateObject())
        {
            member.WriteTo(json);
        }
    }

    public void Raw(string name, JsonElement value)
    {
        json.WritePropertyName(name);
        value.WriteTo(json);
    }
}
