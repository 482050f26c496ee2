namespace Nacelle.Specs;

/// <summary>A document from outside breaks its specification; the message is one line for a person: <c>where: path: what</c>.</summary>
public sealed class SpecException : Exception
{
    /// <param name="path">The JSON path within the document, as in <c>layers[2].digest</c>; empty for the document as a whole.</param>
    /// <param name="message">What is wrong there, and what would be right.</param>
    public SpecException(string path, string message)
        : base(OneLine(path.Length == 0 ? message : $"{path}: {message}"))
    {
        Path = path;
    }

    public SpecException(string document, SpecException inner)
        : base($"{document}: {inner.Message}", inner)
    {
        Path = inner.Path;
    }

    public string Path { get; }

    /// <summary>The same complaint, naming the document (file, digest, URL) that it is about.</summary>
    public SpecException In(string document) => new(document, this);

    /// <summary>Text from outside as it may be quoted in a message: it shall not make lines of its own in a log, nor talk to a terminal.</summary>
    public static string OneLine(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\0', '\x1F') < 0 && text.AsSpan().IndexOfAnyInRange('\x7F', '\x9F') < 0)
        {
            return text;
        }

        return string.Create(text.Length, text, static (line, from) =>
        {
            for (int i = 0; i < line.Length; i++)
            {
                line[i] = char.IsControl(from[i]) ? '\uFFFD' : from[i];
            }
        });
    }
}
