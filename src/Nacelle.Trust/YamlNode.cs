using System.Globalization;
using System.Text;
using Nacelle.Specs;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Nacelle.Trust;

/// <summary>A value of a YAML document: a text, or named values. Lists are passed over, references to other parts refused.</summary>
/// <param name="Line">Where it begins, for messages.</param>
sealed record YamlNode(long Line, string? Text, IReadOnlyDictionary<string, YamlNode> Members)
{
    const int LargestDocument = 1 << 20, MostNodes = 20_000, Deepest = 16;

    /// <summary>Reads the first document.</summary>
    /// <exception cref="SpecException">Not YAML, or more of it than is read; says the line.</exception>
    public static YamlNode Parse(byte[] text, string source)
    {
        if (text.Length > LargestDocument)
        {
            throw new SpecException("", $"has {text.Length} bytes; at most {LargestDocument} are read").In(source);
        }

        try
        {
            var parser = new Parser(new StringReader(Encoding.UTF8.GetString(text)));
            int nodes = 0;
            while (parser.MoveNext())
            {
                if (parser.Current is not (StreamStart or DocumentStart or Comment))
                {
                    return parser.Current is StreamEnd ? Empty : Read(parser, 0, ref nodes);
                }
            }

            return Empty;
        }
        catch (YamlException failure)
        {
            throw new SpecException(At(failure.Start.Line), "is not YAML").In(source);
        }
        catch (Exception failure) when (failure is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // What the library throws at some malformed documents, a comment within a plain text for one.
            throw new SpecException("", "is not YAML").In(source);
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    static readonly YamlNode Empty = new(1, "", new Dictionary<string, YamlNode>());

    static string At(long line) => string.Create(CultureInfo.InvariantCulture, $"line {line}");

    /// <summary>A text, or null for what YAML calls null.</summary>
    /// <exception cref="SpecException">Named values where a text is wanted.</exception>
    public string? FindText(string name) => !Members.TryGetValue(name, out var member) ? null
        : member.Text is { } text ? (text is "" or "null" or "~" ? null : text) : throw new SpecException(At(member.Line), $"{name} is not a text");

    /// <summary>Leaves the parser at the last event of the value.</summary>
    static YamlNode Read(Parser parser, int depth, ref int nodes)
    {
        var start = parser.Current!;
        if (++nodes > MostNodes || depth > Deepest)
        {
            throw new SpecException(At(start.Start.Line), $"is nested deeper than {Deepest}, or has more than {MostNodes} values");
        }

        switch (start)
        {
            case Scalar scalar:
                return new YamlNode(scalar.Start.Line, scalar.Value, Empty.Members);
            case SequenceStart:
                while (Next(parser) is not SequenceEnd)
                {
                    Read(parser, depth + 1, ref nodes);
                }

                return new YamlNode(start.Start.Line, null, Empty.Members);
            case MappingStart:
                var members = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
                while (Next(parser) is not MappingEnd)
                {
                    var name = Read(parser, depth + 1, ref nodes);
                    Next(parser);
                    var value = Read(parser, depth + 1, ref nodes);
                    if (name.Text is null || !members.TryAdd(name.Text, value))
                    {
                        throw new SpecException(At(name.Line), name.Text is null ? "a name must be a text" : $"{name.Text} is said twice");
                    }
                }

                return new YamlNode(start.Start.Line, null, members);
            default:
                throw new SpecException(At(start.Start.Line), "refers to another part of the document: that is not supported");
        }
    }

    static ParsingEvent Next(Parser parser)
    {
        do
        {
            if (!parser.MoveNext())
            {
                throw new SpecException("", "ends in the middle");
            }
        }
        while (parser.Current is Comment);
        return parser.Current!;
    }
}
