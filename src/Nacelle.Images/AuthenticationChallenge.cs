using System.Net.Http.Headers;

namespace Nacelle.Images;

/// <summary>What a registry asks for when it answers 401: a scheme and its parameters.</summary>
/// <remarks>RFC 9110, 11.6.1; several challenges may share one header.</remarks>
sealed record AuthenticationChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    public string? this[string name] => Parameters.GetValueOrDefault(name);

    /// <summary>All challenges of an answer.</summary>
    public static List<AuthenticationChallenge> Of(HttpResponseHeaders headers) =>
        headers.TryGetValues("WWW-Authenticate", out var values) ? [.. values.SelectMany(Parse)] : [];

    public static List<AuthenticationChallenge> Parse(string header)
    {
        var challenges = new List<AuthenticationChallenge>();
        Dictionary<string, string>? parameters = null;
        var rest = header.AsSpan();
        while (true)
        {
            rest = rest.TrimStart(" \t,");
            int end = rest.IndexOfAny(" \t,=");
            var word = end < 0 ? rest : rest[..end];
            if (word.IsEmpty && rest.IsEmpty)
            {
                return challenges;
            }

            rest = end < 0 ? [] : rest[end..];
            var next = rest.TrimStart(" \t");
            if (next is ['=', ..] && parameters is not null && !word.IsEmpty)
            {
                parameters[word.ToString()] = ReadValue(next[1..].TrimStart(" \t"), out rest);
            }
            else if (!word.IsEmpty)
            {
                parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
                challenges.Add(new AuthenticationChallenge(word.ToString(), parameters));
            }
            else
            {
                rest = rest[1..]; // a '=' that belongs to nothing
            }
        }
    }

    static string ReadValue(ReadOnlySpan<char> text, out ReadOnlySpan<char> rest)
    {
        if (text is not ['"', ..])
        {
            int end = text.IndexOfAny(" \t,");
            rest = end < 0 ? [] : text[end..];
            return (end < 0 ? text : text[..end]).ToString();
        }

        var value = new System.Text.StringBuilder();
        int at = 1;
        for (; at < text.Length && text[at] != '"'; at++)
        {
            at += text[at] == '\\' && at + 1 < text.Length ? 1 : 0;
            value.Append(text[at]);
        }

        rest = at < text.Length ? text[(at + 1)..] : [];
        return value.ToString();
    }
}
