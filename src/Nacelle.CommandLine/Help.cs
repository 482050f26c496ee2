using System.Text;

namespace Nacelle.CommandLine;

/// <summary>The help texts, all made from the commands' definitions.</summary>
public static class Help
{
    public static string Overview(CommandProgram program)
    {
        var text = new StringBuilder($"NAME:\n\t{program.Name} - {program.Purpose}\n\nUSAGE:\n\t{program.Name} [FLAGS] COMMAND\n\nCOMMANDS:\n");
        foreach (var command in program.Commands)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\t{command.Name,-16}{command.Summary}\n");
        }

        return Flags(text, "GLOBAL OPTIONS", GlobalFlags.All).Append($"\n{program.Name} help COMMAND tells more about a command.\n").ToString();
    }

    public static string For(Command command)
    {
        var text = new StringBuilder($"NAME:\n\tnacelle {command.Name} - {command.Summary}\n\nUSAGE:\n\tnacelle {command.Name} {command.Synopsis}\n");
        if (command.Description.Length > 0)
        {
            text.Append("\nDESCRIPTION:\n\t").AppendJoin("\n\t", command.Description.Split('\n')).Append('\n');
        }

        if (command.Options.Count > 0)
        {
            Flags(text, "OPTIONS", command.Options);
        }

        return Flags(text, "GLOBAL OPTIONS", GlobalFlags.All).ToString();
    }

    static StringBuilder Flags(StringBuilder text, string title, IReadOnlyList<Option> options)
    {
        text.Append($"\n{title}:\n");
        foreach (var option in options)
        {
            var flag = $"--{option.Name}{(option.IsSwitch ? "" : "=" + option.ValueName)}";
            text.Append(flag.Length < 34 ? $"\t{flag,-34}{option.Summary}\n" : $"\t{flag}\n\t{"",-34}{option.Summary}\n");
        }

        return text;
    }
}
