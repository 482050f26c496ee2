using System.Text;

namespace Nacelle.Oci;

/// <summary>The help texts, from the same definitions that command lines are read by.</summary>
static class Help
{
    /// <param name="command">Null for the overview.</param>
    public static string Text(Command? command)
    {
        var text = new StringBuilder();
        if (command is null)
        {
            text.Append("nacelle-oci: makes and runs containers from bundles of the OCI runtime specification\n\nUSAGE\n");
            text.Append("    nacelle-oci [OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\nCOMMANDS\n");
            foreach (var one in Commands.All)
            {
                text.Append($"    {one.Name,-10} {one.Summary}\n");
            }

            Append(text, "\nOPTIONS\n", GlobalOptions.All);
            text.Append("\nnacelle-oci COMMAND --help says more of a command.\n");
            return text.ToString();
        }

        text.Append($"{command.Summary}\n\nUSAGE\n    nacelle-oci {command.Name} {command.Usage}\n");
        Append(text, "\nOPTIONS\n", command.Options);
        return text.ToString();
    }

    static void Append(StringBuilder text, string title, IReadOnlyList<Option> options)
    {
        if (options.Count == 0)
        {
            return;
        }

        text.Append(title);
        foreach (var option in options)
        {
            var names = string.Join(", ", option.Names.Split('|').Select(name => name.Length == 1 ? $"-{name}" : $"--{name}"));
            text.Append($"    {names + (option.ValueName is null ? "" : $"={option.ValueName}"),-40} {option.Meaning}\n");
        }
    }
}
