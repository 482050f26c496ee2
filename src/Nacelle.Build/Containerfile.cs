using System.Text;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>A Containerfile or Dockerfile, read and checked as far as that goes without knowing any values.</summary>
/// <remarks>The Dockerfile reference, docs.docker.com/reference/dockerfile, as of its frontend 1.7.</remarks>
/// <param name="Name">As given, for messages.</param>
/// <param name="Escape">The escape character: <c>\</c>, or <c>`</c> by the directive <c># escape=`</c>.</param>
/// <param name="Globals">The ARGs before the first FROM.</param>
public sealed record Containerfile(string Name, char Escape, IReadOnlyList<ArgInstruction> Globals, IReadOnlyList<Stage> Stages)
{
    /// <summary>In bytes.</summary>
    public const int Longest = 4 << 20;

    /// <param name="name">The file's name, for messages.</param>
    /// <exception cref="SpecException"><c>name:line: what is wrong</c></exception>
    public static Containerfile Parse(string name, ReadOnlySpan<byte> content)
    {
        if (content.Length > Longest)
        {
            throw new SpecException(name, $"is {content.Length} bytes long; at most {Longest} are read");
        }

        if (!System.Text.Unicode.Utf8.IsValid(content))
        {
            throw new SpecException(name, "is not UTF-8 text");
        }

        var reader = new ContainerfileReader(name, Encoding.UTF8.GetString(content));
        var globals = new List<ArgInstruction>();
        var stages = new List<Stage>();
        var current = new List<Instruction>();
        foreach (var line in reader.ReadAll())
        {
            var instruction = InstructionParser.Parse(line, reader.Escape);
            switch (instruction)
            {
                case FromInstruction from:
                    current = [];
                    RequireNewName(name, from, stages);
                    stages.Add(new Stage(stages.Count, from, current));
                    break;
                case ArgInstruction argument when stages.Count == 0:
                    globals.Add(argument);
                    break;
                case var early when stages.Count == 0:
                    throw new SpecException($"{name}:{early.Line}", $"{early.Keyword} stands before the first FROM; only ARG may");
                default:
                    current.Add(instruction);
                    break;
            }
        }

        return stages.Count > 0 ? new Containerfile(name, reader.Escape, globals, stages) : throw new SpecException(name, "has no FROM: there is nothing to build");
    }

    /// <summary>The stage that a name or a number means, looked for among the first <paramref name="before"/>; null where there is none.</summary>
    public Stage? FindStage(string text, int before) =>
        Stages.Take(before).LastOrDefault(stage => string.Equals(stage.From.Alias, text, StringComparison.OrdinalIgnoreCase))
        ?? (int.TryParse(text, System.Globalization.NumberStyles.None, null, out int number) && number < before ? Stages[number] : null);

    static void RequireNewName(string name, FromInstruction from, List<Stage> stages)
    {
        if (from.Alias is { } alias && stages.Any(stage => string.Equals(stage.From.Alias, alias, StringComparison.OrdinalIgnoreCase)))
        {
            throw new SpecException($"{name}:{from.Line}", $"FROM: another stage is named '{alias}'");
        }
    }
}

/// <summary>What one FROM begins.</summary>
public sealed record Stage(int Index, FromInstruction From, IReadOnlyList<Instruction> Instructions)
{
    public string Name => From.Alias ?? Index.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
