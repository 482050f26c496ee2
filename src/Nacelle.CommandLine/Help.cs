using System.Text;

namespace Nacelle.CommandLine;

/// <summary>The help texts, all made from the commands' definitions, in rkt's form.</summary>
/// <param name="width">Of the terminal, where one shows them: no line is longer, where that can be had; null to leave lines as long as they are.</param>
public sealed class Help(int? width)
{
    const int Tab = 8, LongestFlag = 34, NarrowestText = 24;

    readonly StringBuilder text = new();

    /// <param name="group">The first word of the commands that are meant; null for all.</param>
    public string Overview(CommandProgram program, string? group)
    {
        var commands = program.Commands.Where(command => !command.IsHidden && (group is null || command.Name.StartsWith(group + " ", StringComparison.Ordinal))).ToList();
        var own = ProgramName.IsRkt ? ProgramName.Text : program.Name;
        var name = group is null ? own : $"{own} {group}";
        Section("NAME", group is null ? $"{name} - {program.Purpose}" : $"{name} - {string.Join(", ", commands.Select(command => command.Name[(group.Length + 1)..]))}");
        Section("USAGE", $"{name} [FLAGS] COMMAND");
        text.Append("\nCOMMANDS:\n");
        int column = commands.Max(command => command.Name.Length) + 2;
        foreach (var command in commands)
        {
            Entry(command.Name, command.Summary, column);
        }

        Flags("GLOBAL OPTIONS", GlobalFlags.All);
        return text.Append('\n').Append(own).Append(" help COMMAND tells more about a command.\n").ToString();
    }

    public string For(Command command)
    {
        Section("NAME", $"{ProgramName.Text} {command.Name} - {command.Summary}");
        Section("USAGE", $"{ProgramName.Text} {command.Name} {command.Synopsis}".TrimEnd());
        if (command.Description.Length > 0)
        {
            Section("DESCRIPTION", command.Description);
        }

        Flags("OPTIONS", command.Options);
        Flags("GLOBAL OPTIONS", GlobalFlags.All);
        return text.ToString();
    }

    /// <summary>How a flag is written: <c>--dir=DIRECTORY</c>, <c>-t=NAME</c>.</summary>
    public static string Written(Option option) => $"{Dashes(option)}{(option.IsSwitch ? "" : option.Bare is null ? $"={option.ValueName}" : $"[={option.ValueName}]")}";

    internal static string Dashes(Option option) => (option.Name.Length == 1 ? "-" : "--") + option.Name;

    void Section(string title, string content)
    {
        text.Append(text.Length == 0 ? "" : "\n").Append(title).Append(":\n");
        foreach (var line in content.Split('\n'))
        {
            foreach (var piece in Wrap(line, Tab))
            {
                text.Append('\t').Append(piece).Append('\n');
            }
        }
    }

    void Flags(string title, IEnumerable<Option> options)
    {
        var shown = options.Where(option => !option.IsHidden).ToList();
        if (shown.Count == 0)
        {
            return;
        }

        text.Append('\n').Append(title).Append(":\n");
        int column = Math.Min(shown.Max(option => Written(option).Length) + 2, LongestFlag);
        foreach (var option in shown)
        {
            Entry(Written(option), option.Summary, column);
        }
    }

    /// <summary>A name, and in a column behind it what there is to say; on the next line where the name is too long.</summary>
    void Entry(string name, string summary, int column)
    {
        text.Append('\t').Append(name);
        bool first = name.Length < column;
        text.Append(first ? "" : "\n\t").Append(' ', first ? column - name.Length : column);
        text.AppendJoin($"\n\t{new string(' ', column)}", Wrap(summary, Tab + column)).Append('\n');
    }

    IEnumerable<string> Wrap(string line, int indent)
    {
        int room = Math.Max((width ?? int.MaxValue) - indent, NarrowestText);
        while (line.Length > room)
        {
            int blank = line.LastIndexOf(' ', room);
            blank = blank > 0 ? blank : line.IndexOf(' ', room); // a word that is too long has a line of its own
            if (blank < 0)
            {
                break;
            }

            yield return line[..blank];
            line = line[(blank + 1)..];
        }

        yield return line;
    }
}
