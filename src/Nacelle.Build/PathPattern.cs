namespace Nacelle.Build;

/// <summary>A pattern for paths: <c>*</c>, <c>?</c>, <c>[a-z]</c>, <c>\</c> before a letter for itself, and where wanted <c>**</c> for any number of directories.</summary>
/// <remarks>Go's filepath.Match, and moby's patternmatcher for <c>**</c>: what COPY and .dockerignore are written for. Time grows with the product of both lengths.</remarks>
sealed class PathPattern
{
    readonly List<Token> tokens = [];

    /// <exception cref="FormatException">A bracket is left open, or nothing is in it.</exception>
    public PathPattern(string text, bool directories)
    {
        for (int at = 0; at < text.Length;)
        {
            switch (text[at])
            {
                case '*' when directories && text.AsSpan(at).StartsWith("**"):
                    at += 2;
                    bool whole = at < text.Length && text[at] == '/';
                    at += whole ? 1 : 0;
                    tokens.Add(new Token(whole ? Kind.Directories : Kind.Anything));
                    break;
                case '*':
                    tokens.Add(new Token(Kind.Star));
                    at++;
                    break;
                case '?':
                    tokens.Add(new Token(Kind.Letter));
                    at++;
                    break;
                case '[':
                    tokens.Add(ReadClass(text, ref at));
                    break;
                default:
                    at += text[at] == '\\' && at + 1 < text.Length ? 1 : 0;
                    tokens.Add(new Token(Kind.Literal, text[at++]));
                    break;
            }
        }
    }

    /// <summary>Whether a text means more than itself.</summary>
    public static bool IsPattern(string text) => text.AsSpan().ContainsAny("*?[\\");

    public bool IsMatch(string path)
    {
        // possible[i]: the tokens so far can match the first i letters.
        var possible = new bool[path.Length + 1];
        possible[0] = true;
        foreach (var token in tokens)
        {
            var next = new bool[path.Length + 1];
            bool running = false;
            for (int i = 0; i <= path.Length; i++)
            {
                switch (token.Kind)
                {
                    case Kind.Star:
                        running = possible[i] || (running && path[i - 1] != '/');
                        next[i] = running;
                        break;
                    case Kind.Anything:
                        running |= possible[i];
                        next[i] = running;
                        break;
                    case Kind.Directories:
                        next[i] = possible[i] || (running && path[i - 1] == '/');
                        running |= possible[i];
                        break;
                    default:
                        next[i] = i > 0 && possible[i - 1] && token.Takes(path[i - 1]);
                        break;
                }
            }

            possible = next;
        }

        return possible[^1];
    }

    static Token ReadClass(string text, ref int at)
    {
        int start = at++;
        bool negated = at < text.Length && text[at] is '^' or '!';
        at += negated ? 1 : 0;
        var ranges = new List<(char, char)>();
        while (at < text.Length && (text[at] != ']' || ranges.Count == 0))
        {
            char low = ReadLetter(text, ref at), high = low;
            if (at + 1 < text.Length && text[at] == '-' && text[at + 1] != ']')
            {
                at++;
                high = ReadLetter(text, ref at);
            }

            ranges.Add((low, high));
        }

        return at++ < text.Length ? new Token(Kind.Class) { Ranges = ranges, Negated = negated } : throw new FormatException($"'{text[start..]}' lacks a ']'");
    }

    static char ReadLetter(string text, ref int at)
    {
        at += text[at] == '\\' && at + 1 < text.Length ? 1 : 0;
        return text[at++];
    }

    enum Kind
    {
        Literal,
        Letter,
        Class,

        /// <summary>Anything but a slash.</summary>
        Star,

        /// <summary>Anything at all.</summary>
        Anything,

        /// <summary>Nothing, or anything with a slash at its end.</summary>
        Directories,
    }

    sealed record Token(Kind Kind, char Letter = '\0')
    {
        public List<(char Low, char High)> Ranges { get; init; } = [];

        public bool Negated { get; init; }

        public bool Takes(char letter) => Kind switch
        {
            Kind.Literal => letter == Letter,
            Kind.Letter => letter != '/',
            _ => letter != '/' && Ranges.Exists(range => letter >= range.Low && letter <= range.High) != Negated,
        };
    }
}
