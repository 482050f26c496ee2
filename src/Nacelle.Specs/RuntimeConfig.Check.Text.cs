namespace Nacelle.Specs;

/// <summary>Rules that many members share. Where a value stands is given in two parts, which are put together only for a message.</summary>
static partial class RuntimeConfigCheck
{
    /// <summary>What the kernel takes as a string ends at its first NUL.</summary>
    static void Text(string at, string member, string? text)
    {
        if (text?.Contains('\0') == true)
        {
            throw new SpecException(at + member, "holds a NUL, where the kernel would cut it off");
        }
    }

    static void Texts(string at, string member, IReadOnlyList<string> texts)
    {
        for (int i = 0; i < texts.Count; i++)
        {
            if (texts[i].Contains('\0'))
            {
                Text(at + member, $"[{i}]", texts[i]);
            }
        }
    }

    static void NotEmpty(string at, string member, string text)
    {
        if (text.Length == 0)
        {
            throw new SpecException(at + member, "is empty");
        }
    }

    static void AbsolutePath(string at, string member, string path)
    {
        Text(at, member, path);
        if (!path.StartsWith('/'))
        {
            throw new SpecException(at + member, $"'{Short(path)}' is not an absolute path");
        }
    }

    static void AbsolutePaths(string at, IReadOnlyList<string> paths)
    {
        for (int i = 0; i < paths.Count; i++)
        {
            if (!paths[i].StartsWith('/') || paths[i].Contains('\0'))
            {
                AbsolutePath(at, $"[{i}]", paths[i]);
            }
        }
    }

    /// <param name="what">What kind of word it should be, with its article.</param>
    static void OneOf(string at, string member, string word, string what, IReadOnlyList<string> words)
    {
        if (!Contains(words, word))
        {
            throw new SpecException(at + member, $"'{Short(word)}' is not {what}: use {string.Join(", ", words)}");
        }
    }

    static void AllOf(string at, string member, IReadOnlyList<string> given, string what, IReadOnlyList<string> words)
    {
        for (int i = 0; i < given.Count; i++)
        {
            if (!Contains(words, given[i]))
            {
                OneOf(at + member, $"[{i}]", given[i], what, words);
            }
        }
    }

    static void Within(string at, string member, long? number, long lowest, long highest)
    {
        if (number < lowest || number > highest)
        {
            throw new SpecException(at + member, $"{number} is out of range: use {lowest} to {highest}");
        }
    }

    static bool Contains(IReadOnlyList<string> words, string word)
    {
        for (int i = 0; i < words.Count; i++)
        {
            if (words[i] == word)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Numbers of processors or memory nodes: <c>0-3,7</c>, spaces allowed around each.</summary>
    static void NumberList(string at, string member, string? list)
    {
        if (list is null)
        {
            return;
        }

        foreach (var range in list.AsSpan().Split(','))
        {
            if (!IsRange(list.AsSpan()[range]))
            {
                throw new SpecException(at + member, $"'{Short(list)}' is not a list of numbers and ranges such as 0-3,7");
            }
        }
    }

    static bool IsRange(ReadOnlySpan<char> text)
    {
        int dash = text.IndexOf('-');
        return dash < 0
            ? IsNumber(text, out _)
            : IsNumber(text[..dash], out int first) && IsNumber(text[(dash + 1)..], out int last) && first <= last;
    }

    static bool IsNumber(ReadOnlySpan<char> text, out int number)
    {
        const int Largest = 65535; // far more than a kernel is built for, and still few enough for a mask of bits
        number = 0;
        text = text.Trim(' ');
        return text is { Length: > 0 and <= 5 } && !text.ContainsAnyExceptInRange('0', '9') && (number = int.Parse(text)) <= Largest;
    }

    static string Short(string text)
    {
        const int Longest = 60;
        return text.Length <= Longest ? text : text[..Longest] + "…";
    }
}
