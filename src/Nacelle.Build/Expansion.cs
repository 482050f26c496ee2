using System.Text;

namespace Nacelle.Build;

/// <summary>A text that cannot be expanded; the message is the rest of a sentence.</summary>
sealed class ExpansionException(string message) : Exception(message);

/// <summary>Replaces variables and takes quotes and escapes away, as instructions other than RUN and CMD have it.</summary>
/// <remarks>The Dockerfile reference, "Environment replacement"; in its words, <c>${variable:-word}</c>, <c>:+</c>, <c>:?</c>, <c>#</c>, <c>##</c>, <c>%</c>, <c>%%</c>, <c>/</c> and <c>//</c>.</remarks>
sealed class Expansion(Func<string, string?> lookup, char escape)
{
    const int Longest = 1 << 20, Deepest = 32;

    string text = "";
    int at, depth;

    /// <summary>One word: blanks in values stay in it.</summary>
    /// <exception cref="ExpansionException">A brace or quote is left open, a <c>${…}</c> means nothing, or a <c>:?</c> speaks.</exception>
    public string Word(string word) => Start(word, words: null);

    /// <summary>Text within a file: variables and the escape of a dollar sign only; quotes are the file's own.</summary>
    public string FileText(string content)
    {
        text = content;
        at = 0;
        var result = new StringBuilder();
        while (at < text.Length)
        {
            if (text[at] == escape && at + 1 < text.Length && (text[at + 1] == '$' || text[at + 1] == escape))
            {
                result.Append(text[at + 1]);
                at += 2;
            }
            else if (text[at] == '$')
            {
                Append(result, Variable());
            }
            else
            {
                result.Append(text[at++]);
            }
        }

        return result.ToString();
    }

    /// <summary>Words: where a value outside quotes has blanks, it becomes several.</summary>
    public List<string> List(string word)
    {
        var words = new List<string>();
        Start(word, words);
        return words;
    }

    string Start(string word, List<string>? words)
    {
        text = word;
        at = 0;
        return Read('\0', words);
    }

    /// <summary>Reads up to the end, or to <paramref name="stop"/> outside quotes, which it takes.</summary>
    string Read(char stop, List<string>? words)
    {
        var result = new StringBuilder();
        bool any = false;
        while (at < text.Length)
        {
            char letter = text[at];
            if (stop != '\0' && letter == stop)
            {
                at++;
                return result.ToString();
            }

            switch (letter)
            {
                case '\'':
                    at++;
                    int end = text.IndexOf('\'', at);
                    Append(result, end < 0 ? throw new ExpansionException("has a single quote without its end") : text[at..end]);
                    at = end + 1;
                    any = true;
                    break;
                case '"':
                    at++;
                    Append(result, DoubleQuoted());
                    any = true;
                    break;
                case '$':
                    var value = Variable();
                    if (words is null)
                    {
                        Append(result, value);
                        break;
                    }

                    foreach (char one in value)
                    {
                        if (char.IsWhiteSpace(one))
                        {
                            EndWord();
                        }
                        else
                        {
                            result.Append(one);
                        }
                    }

                    break;
                default:
                    if (letter == escape)
                    {
                        at++;
                        if (at < text.Length)
                        {
                            result.Append(text[at++]);
                        }
                    }
                    else if (words is not null && char.IsWhiteSpace(letter))
                    {
                        at++;
                        EndWord();
                    }
                    else
                    {
                        result.Append(letter);
                        at++;
                    }

                    break;
            }
        }

        if (stop != '\0')
        {
            throw new ExpansionException($"lacks a '{stop}'");
        }

        EndWord();
        return result.ToString();

        void EndWord()
        {
            if (words is not null && (result.Length > 0 || any))
            {
                words.Add(result.ToString());
                result.Clear();
                any = false;
            }
        }
    }

    string DoubleQuoted()
    {
        var result = new StringBuilder();
        while (at < text.Length)
        {
            char letter = text[at];
            if (letter == '"')
            {
                at++;
                return result.ToString();
            }

            if (letter == '$')
            {
                Append(result, Variable());
            }
            else if (letter == escape && at + 1 < text.Length && (text[at + 1] is '"' or '$' || text[at + 1] == escape))
            {
                result.Append(text[at + 1]);
                at += 2;
            }
            else
            {
                result.Append(letter);
                at++;
            }
        }

        throw new ExpansionException("has a double quote without its end");
    }

    /// <summary>From a dollar sign on.</summary>
    string Variable()
    {
        at++;
        if (at == text.Length || (text[at] != '{' && !IsNameStart(text[at])))
        {
            return "$";
        }

        if (text[at] != '{')
        {
            return lookup(Name()) ?? "";
        }

        at++;
        var name = Name();
        if (name.Length == 0 || at == text.Length)
        {
            throw new ExpansionException("has a '${' without a name and a '}' behind it");
        }

        char operation = text[at++];
        if (operation == '}')
        {
            return lookup(name) ?? "";
        }

        if (++depth > Deepest)
        {
            throw new ExpansionException($"nests variables deeper than {Deepest}");
        }

        bool emptyCounts = operation != ':';
        if (!emptyCounts)
        {
            operation = at < text.Length ? text[at++] : '\0';
        }

        var result = Operate(name, operation, emptyCounts);
        depth--;
        return result;
    }

    string Operate(string name, char operation, bool emptyCounts)
    {
        var value = lookup(name);
        bool isSet = value is not null && (emptyCounts || value.Length > 0);
        bool twice = operation is '#' or '%' or '/' && emptyCounts && at < text.Length && text[at] == operation;
        at += twice ? 1 : 0;
        switch (operation)
        {
            case '-':
                var word = Read('}', null);
                return isSet ? value! : word;
            case '+':
                word = Read('}', null);
                return isSet ? word : "";
            case '?':
                word = Read('}', null);
                return isSet ? value! : throw new ExpansionException($"wants {name}: {(word.Length > 0 ? word : "it is not set")}");
            case '#' when emptyCounts:
                return ValuePattern.TrimStart(value ?? "", Read('}', null), longest: twice);
            case '%' when emptyCounts:
                return ValuePattern.TrimEnd(value ?? "", Read('}', null), longest: twice);
            case '/' when emptyCounts:
                var pattern = Read('/', null);
                return ValuePattern.Replace(value ?? "", pattern, Read('}', null), all: twice);
            default:
                throw new ExpansionException($"has a '${{{name}' with something behind it that is no '}}' and means nothing");
        }
    }

    string Name()
    {
        int start = at;
        while (at < text.Length && (IsNameStart(text[at]) || (at > start && char.IsAsciiDigit(text[at]))))
        {
            at++;
        }

        return text[start..at];
    }

    static bool IsNameStart(char letter) => char.IsAsciiLetter(letter) || letter == '_';

    static void Append(StringBuilder result, string value)
    {
        if (result.Length + value.Length > Longest)
        {
            throw new ExpansionException($"becomes longer than {Longest} characters");
        }

        result.Append(value);
    }
}
