using System.Text;
using System.Text.Json;

namespace Nacelle.Build;

/// <summary>Splits an instruction's text into words, quotes and escapes still in them.</summary>
static class Words
{
    /// <summary>Words between blanks; what is quoted or escaped does not end one.</summary>
    public static List<string> Split(string text, char escape)
    {
        var words = new List<string>();
        for (int at = 0; (at = SkipBlanks(text, at)) < text.Length;)
        {
            int end = EndOfWord(text, at, escape);
            words.Add(text[at..end]);
            at = end;
        }

        return words;
    }

    public static int SkipBlanks(string text, int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }

        return at;
    }

    public static int EndOfWord(string text, int at, char escape)
    {
        char quote = '\0';
        for (; at < text.Length; at++)
        {
            char letter = text[at];
            if (letter == escape && quote != '\'')
            {
                at++;
            }
            else if (quote != '\0')
            {
                quote = letter == quote ? '\0' : quote;
            }
            else if (letter is '"' or '\'')
            {
                quote = letter;
            }
            else if (char.IsWhiteSpace(letter))
            {
                break;
            }
        }

        return Math.Min(at, text.Length);
    }

    /// <summary>The heredocs that a text announces: <c>&lt;&lt;NAME</c>, <c>&lt;&lt;-NAME</c>, with the name perhaps in quotes, and a descriptor's number before it.</summary>
    public static List<(string Name, bool Quoted, bool StripTabs)> Heredocs(string text, char escape)
    {
        var found = new List<(string, bool, bool)>();
        foreach (var word in Split(text, escape))
        {
            var rest = word.AsSpan().TrimStart("0123456789");
            if (!rest.StartsWith("<<") || rest.Length == 2)
            {
                continue;
            }

            rest = rest[2..];
            bool strip = rest[0] == '-';
            rest = strip ? rest[1..] : rest;
            bool quoted = rest.Length > 1 && rest[0] is '"' or '\'' && rest[^1] == rest[0];
            rest = quoted ? rest[1..^1] : rest;
            if (!rest.IsEmpty && !rest.ContainsAny("<>\"'$&|;()` "))
            {
                found.Add((rest.ToString(), quoted, strip));
            }
        }

        return found;
    }

    /// <summary>Whether a word announces a heredoc of that name.</summary>
    public static bool IsHeredoc(string word, char escape) => Heredocs(word, escape).Count == 1;

    /// <summary>A list of strings in JSON; null where the text is none.</summary>
    public static List<string>? TryJson(string text)
    {
        if (!text.StartsWith('['))
        {
            return null;
        }

        var words = new List<string>();
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), new JsonReaderOptions { MaxDepth = 2 });
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.String)
            {
                words.Add(reader.GetString()!);
            }

            return reader.TokenType == JsonTokenType.EndArray && !reader.Read() ? words : null;
        }
        catch (Exception other) when (other is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
