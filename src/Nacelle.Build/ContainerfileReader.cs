using System.Text;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>An instruction as text: keyword and the rest, lines joined, comments gone, with the files that are written below it.</summary>
sealed record LogicalLine(string File, int Number, string Keyword, string Rest, IReadOnlyList<Heredoc> Heredocs)
{
    public string Text => Rest.Length == 0 ? Keyword : $"{Keyword} {Rest}";

    public SpecException Error(string message) => new($"{File}:{Number}", message);
}

/// <summary>Takes a Containerfile's text apart into instructions: parser directives, comments, continuation lines, heredocs.</summary>
sealed class ContainerfileReader
{
    const int MostHeredocs = 100;

    readonly string file;
    readonly string[] lines;
    int next;

    public ContainerfileReader(string file, string text)
    {
        this.file = file;
        lines = text.TrimStart('\uFEFF').Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            lines[i] = lines[i].TrimEnd('\r');
        }

        ReadDirectives();
    }

    public char Escape { get; private set; } = '\\';

    public IEnumerable<LogicalLine> ReadAll()
    {
        while (ReadLogical() is { } line)
        {
            yield return line;
        }
    }

    /// <summary>Comments of the form <c># name=value</c> before everything else. Others than escape concern other builders.</summary>
    void ReadDirectives()
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            int equals = line.IndexOf('=');
            if (!line.StartsWith('#') || equals < 0 || line[1..equals].Trim() is not { Length: > 0 } name || name.AsSpan().ContainsAnyExcept(NameLetters))
            {
                return;
            }

            if (!seen.Add(name))
            {
                throw new SpecException($"{file}:{i + 1}", $"the directive '{name}' is given twice");
            }

            if (name.Equals("escape", StringComparison.OrdinalIgnoreCase))
            {
                Escape = line[(equals + 1)..].Trim() switch
                {
                    "\\" => '\\',
                    "`" => '`',
                    var other => throw new SpecException($"{file}:{i + 1}", $"escape={other}: the escape character is \\ or `"),
                };
            }
        }
    }

    static readonly System.Buffers.SearchValues<char> NameLetters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    LogicalLine? ReadLogical()
    {
        while (next < lines.Length && IsBlankOrComment(lines[next]))
        {
            next++;
        }

        if (next >= lines.Length)
        {
            return null;
        }

        int number = next + 1;
        var text = new StringBuilder();
        for (bool more = true; more && next < lines.Length; next++)
        {
            var line = lines[next];
            if (text.Length > 0 && IsBlankOrComment(line))
            {
                continue; // within an instruction they are passed over, as they always were
            }

            var stripped = line.TrimEnd(' ', '\t');
            more = stripped.EndsWith(Escape);
            text.Append(more ? stripped.AsSpan(0, stripped.Length - 1) : line);
        }

        var whole = text.ToString().Trim();
        int space = whole.AsSpan().IndexOfAny(" \t");
        var keyword = (space < 0 ? whole : whole[..space]).ToUpperInvariant();
        var rest = space < 0 ? "" : whole[(space + 1)..].Trim();
        if (keyword.Length == 0)
        {
            throw new SpecException($"{file}:{number}", "a lone escape character is no instruction");
        }

        var head = keyword == "ONBUILD" ? rest.Split([' ', '\t'], 2)[0].ToUpperInvariant() : keyword;
        return new LogicalLine(file, number, keyword, rest, head is "RUN" or "COPY" or "ADD" ? ReadHeredocs(rest, number) : []);
    }

    static bool IsBlankOrComment(string line) => line.AsSpan().TrimStart() is var start && (start.IsEmpty || start[0] == '#');

    List<Heredoc> ReadHeredocs(string text, int number)
    {
        var heredocs = new List<Heredoc>();
        foreach (var (name, quoted, stripTabs) in Words.Heredocs(text, Escape))
        {
            if (heredocs.Count == MostHeredocs)
            {
                throw new SpecException($"{file}:{number}", $"there are more than {MostHeredocs} heredocs");
            }

            var content = new StringBuilder();
            var raw = new StringBuilder();
            bool ended = false;
            while (!ended && next < lines.Length)
            {
                var line = lines[next++];
                raw.Append(line).Append('\n');
                line = stripTabs ? line.TrimStart('\t') : line;
                ended = line == name;
                if (!ended)
                {
                    content.Append(line).Append('\n');
                }
            }

            heredocs.Add(ended ? new Heredoc(name, content.ToString(), !quoted, raw.ToString())
                : throw new SpecException($"{file}:{number}", $"the heredoc <<{name} has no end: no line says '{name}'"));
        }

        return heredocs;
    }
}
