using System.Text.Json;
using System.Text.Unicode;

namespace Nacelle.Specs;

/// <summary>A value in a JSON document, and where it stands: whatever is wrong with it is said with that path.</summary>
/// <remarks>
/// The documents on the way of <c>run</c> are read by hand from this, and not by a serializer: setting one up for a document's types takes longer
/// (a millisecond) than all the rest of reading it. Names that are not asked for are passed over, as the specifications want of unknown ones.
/// </remarks>
public readonly struct SpecNode
{
    const int LargestDocument = 16 << 20;
    const int DeepestDocument = 64;

    readonly JsonElement value;
    readonly Place? place;

    SpecNode(JsonElement value, Place? place)
    {
        this.value = value;
        this.place = place;
    }

    /// <param name="source">Where the text comes from, for messages.</param>
    /// <param name="read">Makes the document of its root; what it throws is said of <paramref name="source"/>.</param>
    /// <exception cref="SpecException">Not JSON, or not as <paramref name="read"/> wants it.</exception>
    public static T Parse<T>(ReadOnlySpan<byte> json, string source, Func<SpecNode, T> read)
    {
        try
        {
            return Parse(json, read);
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    /// <summary>As the other, for who says the source himself.</summary>
    public static T Parse<T>(ReadOnlySpan<byte> json, Func<SpecNode, T> read)
    {
        if (json.Length > LargestDocument)
        {
            throw new SpecException("", $"is {json.Length} bytes long; at most {LargestDocument} are read");
        }

        if (!Utf8.IsValid(json))
        {
            throw new SpecException("", "is not JSON: its bytes are not UTF-8");
        }

        using var document = Open(json);
        return read(new SpecNode(document.RootElement, null));
    }

    /// <summary>A value of a document that was read before, for reading more of it; paths begin with it.</summary>
    public static SpecNode Of(JsonElement value) => new(value, null);

    /// <summary>The same document, written anew with or without indentation.</summary>
    /// <exception cref="SpecException">Not JSON.</exception>
    public static byte[] Reformat(ReadOnlySpan<byte> json, bool indented)
    {
        using var document = Open(json);
        return SpecWriter.Write(document.RootElement, static (writer, root) => writer.Members(root), indented);
    }

    static JsonDocument Open(ReadOnlySpan<byte> json)
    {
        try
        {
            var document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = DeepestDocument });
            Check(document.RootElement, null, json.IndexOf("\\u"u8) >= 0);
            return document;
        }
        catch (JsonException problem)
        {
            throw new SpecException("", $"is not JSON, is nested deeper than {DeepestDocument} (line {problem.LineNumber + 1}, byte {problem.BytePositionInLine + 1})");
        }
        catch (InvalidOperationException)
        {
            throw new SpecException("", "is not JSON: a member's name has half of a \\u pair");
        }
    }

    /// <remarks>
    /// Not by JsonDocumentOptions.AllowDuplicateProperties: for names with an escape that draws random numbers from OpenSSL, which a static executable cannot
    /// load: a second C library comes with it and overwrites what the first keeps for the thread, the allocator's place in memory included.
    /// </remarks>
    /// <param name="escapes">Whether a string may be none: what nobody here reads is passed on to others.</param>
    /// <exception cref="SpecException">A member of an object is there twice, or half a character is.</exception>
    static void Check(JsonElement value, Place? place, bool escapes)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Array:
                int index = 0;
                foreach (var item in value.EnumerateArray())
                {
                    if (escapes || item.ValueKind is JsonValueKind.Array or JsonValueKind.Object)
                    {
                        Check(item, new Place(place, index), escapes);
                    }

                    index++;
                }

                break;
            case JsonValueKind.Object:
                var names = new HashSet<string>(StringComparer.Ordinal);
                foreach (var member in value.EnumerateObject())
                {
                    if (!names.Add(member.Name))
                    {
                        throw new SpecException(new Place(place, member.Name).ToString()!, "is said twice");
                    }

                    if (escapes || member.Value.ValueKind is JsonValueKind.Array or JsonValueKind.Object)
                    {
                        Check(member.Value, new Place(place, member.Name), escapes);
                    }
                }

                break;
            case JsonValueKind.String:
                new SpecNode(value, place).Text();
                break;
        }
    }

    public string Path => place?.ToString() ?? "";

    public JsonValueKind Kind => value.ValueKind;

    /// <summary>The member of that name; null where it is missing or null.</summary>
    public SpecNode? Find(string name)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw Wrong("an object");
        }

        return value.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? new SpecNode(member, new Place(place, name)) : null;
    }

    public SpecNode Need(string name) => Find(name) ?? throw new SpecException(new Place(place, name).ToString(), "is missing");

    public T? Find<T>(string name, Func<SpecNode, T> read)
        where T : class => Find(name) is { } member ? read(member) : null;

    public string Text()
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw Wrong("a string");
        }

        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new SpecException(Path, "has half of a \\u pair");
        }
    }

    /// <summary>Bytes that were written as text. See RFC 4648, section 4.</summary>
    public byte[] Base64() => value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out var bytes) ? bytes : throw Wrong("base64");

    public bool Flag() => value.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => throw Wrong("true or false") };

    public int Int() => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : throw Wrong("a whole number of 32 bits");

    public uint UInt() => value.ValueKind == JsonValueKind.Number && value.TryGetUInt32(out uint number) ? number : throw Wrong("a whole number from 0 to 4294967295");

    public long Long() => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : throw Wrong("a whole number of 64 bits");

    public ulong ULong() => value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out ulong number) ? number : throw Wrong("a whole number of 64 bits, not negative");

    /// <summary>The value as it is, usable when the document is closed.</summary>
    public JsonElement Raw() => value.Clone();

    public string? FindText(string name) => Find(name)?.Text();

    public bool FindFlag(string name) => Find(name)?.Flag() ?? false;

    /// <summary>A string that is not empty; null where it is missing or empty.</summary>
    public string? FindFilled(string name) => FindText(name) is { Length: > 0 } text ? text : null;

    /// <summary>The members of an array; none where it is missing.</summary>
    public IReadOnlyList<T> List<T>(string name, Func<SpecNode, T> read) => Find(name) is { } list ? list.Items(read) : [];

    /// <summary>The members of an array.</summary>
    public IReadOnlyList<T> Items<T>(Func<SpecNode, T> read)
    {
        var items = new T[Length()];
        int index = 0;
        foreach (var item in value.EnumerateArray()) // and not by index, which walks from the first one every time
        {
            items[index] = read(new SpecNode(item, new Place(place, index)));
            index++;
        }

        return items;
    }

    public IReadOnlyList<string> Texts(string name) => List(name, one => one.Text());

    /// <summary>An object whose members are all strings; null where it is missing.</summary>
    public IReadOnlyDictionary<string, string>? Map(string name) => Map(name, one => one.Text());

    /// <summary>An object whose members are all alike, by their names; null where it is missing.</summary>
    public IReadOnlyDictionary<string, T>? Map<T>(string name, Func<SpecNode, T> read)
    {
        if (Find(name) is not { } map)
        {
            return null;
        }

        var pairs = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var member in map.Members())
        {
            pairs[member.Name] = read(new SpecNode(member.Value, new Place(map.place, member.Name)));
        }

        return pairs;
    }

    /// <summary>The names of an object's members.</summary>
    public IEnumerable<string> Names() => Members().Select(member => member.Name);

    JsonElement.ObjectEnumerator Members() => value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw Wrong("an object");

    int Length() => value.ValueKind == JsonValueKind.Array ? value.GetArrayLength() : throw Wrong("an array");

    SpecException Wrong(string wanted) => new(Path, $"{Shown()} is not {wanted}");

    string Shown()
    {
        const int Longest = 40;
        var text = value.GetRawText();
        return text.Length <= Longest ? text : text[..Longest] + "…";
    }

    /// <summary>Where a value stands; spelled out only when somebody is told.</summary>
    sealed class Place(Place? above, string? name, int index = -1)
    {
        public Place(Place? above, int index)
            : this(above, null, index)
        {
        }

        public override string ToString() => name is null ? $"{above}[{index}]" : above is null ? name : $"{above}.{name}";
    }
}
