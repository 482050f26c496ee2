using System.Globalization;
using System.Text;

namespace Nacelle.Systemd;

/// <summary>Reads a value in the text form of GLib's GVariant: <c>'text'</c>, <c>true</c>, <c>uint64 5</c>, <c>['a', 'b']</c>, <c>@as []</c>.</summary>
/// <remarks>See "GVariant Text Format" in GLib's documentation. Dictionaries and values that may be missing are not taken: systemd has none of either.</remarks>
sealed class GVariantText(string text)
{
    const int DeepestNesting = 32;

    int at;
    int depth;

    /// <exception cref="ArgumentException">The text is no value.</exception>
    public BusValue Read()
    {
        var value = ReadValue(expected: null);
        SkipSpace();
        return at == text.Length ? value : throw Wrong();
    }

    BusValue ReadValue(string? expected)
    {
        depth = depth < DeepestNesting ? depth + 1 : throw Wrong();
        var value = ReadNested(expected);
        depth--;
        return value;
    }

    BusValue ReadNested(string? expected)
    {
        SkipSpace();
        switch (at < text.Length ? text[at] : '\0')
        {
            case '@':
                return ReadValue(ReadSignature());
            case '\'' or '"':
                return expected is null or "s" or "o" or "g" ? new BusValue(expected ?? "s", ReadQuoted()) : throw Wrong();
            case '[':
                return ReadArray(expected);
            case '(':
                return ReadStructure(expected);
            case '<':
                at++;
                var inner = ReadValue(expected: null);
                Expect('>');
                return expected is null or "v" ? BusValue.Variant(inner) : throw Wrong();
            default:
                return ReadWord(expected);
        }
    }

    BusValue ReadWord(string? expected)
    {
        int start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '+' or '-' or '.'))
        {
            at++;
        }

        string word = text[start..at];
        return word switch
        {
            "true" or "false" when expected is null or "b" => BusValue.Boolean(word == "true"),
            "boolean" => ReadValue("b"),
            "byte" => ReadValue("y"),
            "int16" => ReadValue("n"),
            "uint16" => ReadValue("q"),
            "int32" => ReadValue("i"),
            "uint32" => ReadValue("u"),
            "int64" => ReadValue("x"),
            "uint64" => ReadValue("t"),
            "double" => ReadValue("d"),
            "string" => ReadValue("s"),
            "objectpath" => ReadValue("o"),
            "signature" => ReadValue("g"),
            _ => ParseNumber(word, expected),
        };
    }

    BusValue ParseNumber(string word, string? expected)
    {
        bool hexadecimal = word.TrimStart('+', '-').StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        string type = expected ?? (!hexadecimal && word.AsSpan().ContainsAny('.', 'e', 'E') ? "d" : "i");
        if (type == "d")
        {
            return double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) && double.IsFinite(real) ? new("d", real) : throw Wrong();
        }

        bool negative = word.StartsWith('-');
        string digits = word.TrimStart('+', '-');
        if (digits.Length < word.Length - 1 || !Int128.TryParse(
            hexadecimal ? "0" + digits[2..] : digits, hexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw Wrong();
        }

        number = negative ? -number : number;
        var (least, most) = type switch
        {
            "y" => (0, byte.MaxValue),
            "n" => (short.MinValue, short.MaxValue),
            "q" => (0, ushort.MaxValue),
            "i" => (int.MinValue, int.MaxValue),
            "u" => (0, uint.MaxValue),
            "x" => (long.MinValue, long.MaxValue),
            "t" => ((Int128)0, (Int128)ulong.MaxValue),
            _ => throw Wrong(),
        };
        return number >= least && number <= most ? new(type, unchecked((ulong)number)) : throw Wrong();
    }

    BusValue ReadArray(string? expected)
    {
        string? element = expected is null ? null : expected[0] == 'a' ? expected[1..] : throw Wrong();
        var items = ReadItems(']', _ => element);
        element ??= items.Count > 0 ? items[0].Signature : throw new ArgumentException($"{text}: an empty array needs its type, as in @as []");
        return items.TrueForAll(item => item.Signature == element) ? BusValue.Array(element, [.. items]) : throw Wrong();
    }

    BusValue ReadStructure(string? expected)
    {
        var fields = expected is null ? null : expected[0] == '(' ? BusSignature.Fields(expected) : throw Wrong();
        var items = ReadItems(')', index => fields is null ? null : index < fields.Count ? fields[index] : throw Wrong());
        return items.Count > 0 && (fields is null || items.Count == fields.Count) ? BusValue.Structure([.. items]) : throw Wrong();
    }

    List<BusValue> ReadItems(char close, Func<int, string?> expected)
    {
        var items = new List<BusValue>();
        at++;
        while (true)
        {
            SkipSpace();
            if (at < text.Length && text[at] == close)
            {
                at++;
                return items;
            }

            if (items.Count > 0)
            {
                Expect(',');
                SkipSpace();
                if (close == ')' && at < text.Length && text[at] == close)
                {
                    continue; // ('a',) is a structure of one.
                }
            }

            items.Add(ReadValue(expected(items.Count)));
        }
    }

    string ReadQuoted()
    {
        char quote = text[at++];
        var content = new StringBuilder();
        while (at < text.Length && text[at] != quote)
        {
            if (text[at] != '\\')
            {
                content.Append(text[at++]);
                continue;
            }

            at++;
            char escape = at < text.Length ? text[at++] : throw Wrong();
            if (escape is 'u' or 'U')
            {
                int digits = escape == 'u' ? 4 : 8;
                content.Append(at + digits <= text.Length && int.TryParse(text.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code)
                    && Rune.TryCreate(code, out var rune) ? rune.ToString() : throw Wrong());
                at += digits;
                continue;
            }

            content.Append(escape switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'a' => '\a', 'b' => '\b', 'f' => '\f', 'v' => '\v', _ => escape });
        }

        Expect(quote);
        return content.ToString();
    }

    string ReadSignature()
    {
        int start = ++at;
        while (at < text.Length && !char.IsWhiteSpace(text[at]))
        {
            at++;
        }

        string signature = text[start..at];
        try
        {
            return BusSignature.Split(signature) is [_] ? signature : throw Wrong();
        }
        catch (BusException)
        {
            throw Wrong();
        }
    }

    void SkipSpace()
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }
    }

    void Expect(char one)
    {
        SkipSpace();
        if (at >= text.Length || text[at] != one)
        {
            throw Wrong();
        }

        at++;
    }

    ArgumentException Wrong() => new($"{text} is not a value: write it like 'text', true, uint64 5 or ['a', 'b']");
}
