namespace Nacelle.Build;

/// <summary>A shell's patterns on values: <c>*</c> and <c>?</c>, and <c>\</c> before either for itself.</summary>
static class ValuePattern
{
    // Every stretch of the value may have to be tried, and each in time that grows with its length.
    const int LongestTrimmed = 8192, LongestReplaced = 512;

    /// <exception cref="ExpansionException">The value is too long to try a pattern on.</exception>
    public static string TrimStart(string value, string pattern, bool longest)
    {
        RequireAtMost(value, LongestTrimmed);
        for (int i = 0; i <= value.Length; i++)
        {
            int length = longest ? value.Length - i : i;
            if (Matches(value.AsSpan(0, length), pattern))
            {
                return value[length..];
            }
        }

        return value;
    }

    /// <inheritdoc cref="TrimStart"/>
    public static string TrimEnd(string value, string pattern, bool longest)
    {
        RequireAtMost(value, LongestTrimmed);
        for (int i = 0; i <= value.Length; i++)
        {
            int length = longest ? value.Length - i : i;
            if (Matches(value.AsSpan(value.Length - length), pattern))
            {
                return value[..^length];
            }
        }

        return value;
    }

    /// <summary>Replaces the first match, or all, each as long as possible.</summary>
    /// <inheritdoc cref="TrimStart"/>
    public static string Replace(string value, string pattern, string by, bool all)
    {
        RequireAtMost(value, LongestReplaced);
        var result = new System.Text.StringBuilder();
        int at = 0;
        while (at < value.Length)
        {
            int length = value.Length - at;
            while (length > 0 && !Matches(value.AsSpan(at, length), pattern))
            {
                length--;
            }

            if (length == 0)
            {
                result.Append(value[at++]);
                continue;
            }

            result.Append(by);
            at += length;
            if (!all)
            {
                break;
            }
        }

        return result.Append(value.AsSpan(at)).ToString();
    }

    static void RequireAtMost(string value, int length)
    {
        if (value.Length > length)
        {
            throw new ExpansionException($"tries a pattern on a value of {value.Length} characters; at most {length} are possible");
        }
    }

    /// <summary>In time proportional to the product of both lengths: only the last star is ever tried anew.</summary>
    static bool Matches(ReadOnlySpan<char> value, ReadOnlySpan<char> pattern)
    {
        int at = 0, next = 0, star = -1, mark = 0;
        while (at < value.Length)
        {
            bool escaped = next + 1 < pattern.Length && pattern[next] == '\\';
            if (next < pattern.Length && pattern[next] == '*')
            {
                star = next++;
                mark = at;
            }
            else if (next < pattern.Length && (escaped ? pattern[next + 1] == value[at] : pattern[next] == '?' || pattern[next] == value[at]))
            {
                next += escaped ? 2 : 1;
                at++;
            }
            else if (star >= 0)
            {
                next = star + 1;
                at = ++mark;
            }
            else
            {
                return false;
            }
        }

        return pattern[next..].IndexOfAnyExcept('*') < 0;
    }
}
