using System.Text;

namespace Nacelle.Cli;

/// <summary>The help texts, all made from the commands' definitions.</summary>
static class Help
{
    public static string Overview(IReadOnlyList<Command> commands, IReadOnlyList<Option> globals)
    {
        var text = new StringBuilder("NAME:\n\tnacelle - runs apps in pods, from signed and addressed images, without a daemon\n\nUSAGE:\n\tnacelle [FLAGS] COMMAND\n\nCOMMANDS:\n");
        foreach (var command in commands)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\t{command.Name,-16}{command.Summary}\n");
        }

        return Flags(text, "GLOBAL OPTIONS", globals).Append("\nnacelle help COMMAND tells more about a command.\n").ToString();
    }

    public static string For(Command command, IReadOnlyList<Option> globals)
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

        return Flags(text, "GLOBAL OPTIONS", globals).ToString();
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
