using System.Net;

namespace Nacelle.Images;

/// <summary>Finds the meta elements in the head of an HTML page, as browsers would, whatever else the page is.</summary>
/// <remarks>HTML Living Standard, 13.2, as far as names and attributes of tags go; no document is built.</remarks>
static class HtmlMeta
{
    // Real heads hold a few dozen.
    const int MostElements = 1000;

    /// <returns>The <c>name</c> and <c>content</c> of each element that has both, in order.</returns>
    public static IReadOnlyList<(string Name, string Content)> Read(string page)
    {
        var found = new List<(string, string)>();
        for (int at = 0; found.Count < MostElements && (at = page.IndexOf('<', at)) >= 0;)
        {
            if (Is(page, at, "<!--"))
            {
                at = After(page, "-->", at + 4);
                continue;
            }

            int start = at + 1;
            at = start;
            while (at < page.Length && (char.IsAsciiLetterOrDigit(page[at]) || page[at] == '/'))
            {
                at++;
            }

            var tag = page[start..at].ToLowerInvariant();
            if (tag is "/head" or "body")
            {
                break;
            }

            var attributes = ReadAttributes(page, ref at);
            if (tag == "meta" && attributes.GetValueOrDefault("name") is { } name && attributes.GetValueOrDefault("content") is { } content)
            {
                found.Add((name, content));
            }
            else if (tag is "script" or "style" or "title" or "noscript")
            {
                at = After(page, "</" + tag, at);
            }
        }

        return found;
    }

    static Dictionary<string, string> ReadAttributes(string page, ref int at)
    {
        var attributes = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (true)
        {
            while (at < page.Length && (char.IsWhiteSpace(page[at]) || page[at] == '/'))
            {
                at++;
            }

            if (at >= page.Length || page[at] == '>')
            {
                at = Math.Min(at + 1, page.Length);
                return attributes;
            }

            int start = at;
            at = EndOf(page, at + 1, "=>/");
            var name = page[start..at];
            int next = at;
            while (next < page.Length && char.IsWhiteSpace(page[next]))
            {
                next++;
            }

            var value = "";
            if (next < page.Length && page[next] == '=')
            {
                at = next + 1;
                value = ReadValue(page, ref at);
            }

            attributes.TryAdd(name, WebUtility.HtmlDecode(value));
        }
    }

    static string ReadValue(string page, ref int at)
    {
        while (at < page.Length && char.IsWhiteSpace(page[at]))
        {
            at++;
        }

        if (at < page.Length && page[at] is '"' or '\'')
        {
            int end = page.IndexOf(page[at], at + 1);
            end = end < 0 ? page.Length : end;
            var quoted = page[(at + 1)..end];
            at = Math.Min(end + 1, page.Length);
            return quoted;
        }

        int start = at;
        at = EndOf(page, at, ">");
        return page[start..at];
    }

    static int EndOf(string page, int at, string marks)
    {
        while (at < page.Length && !char.IsWhiteSpace(page[at]) && !marks.Contains(page[at]))
        {
            at++;
        }

        return Math.Min(at, page.Length);
    }

    static bool Is(string page, int at, string text) => string.CompareOrdinal(page, at, text, 0, text.Length) == 0;

    static int After(string page, string text, int from) =>
        from < page.Length && page.IndexOf(text, from, StringComparison.OrdinalIgnoreCase) is >= 0 and var at ? at + text.Length : page.Length;
}
