namespace Nacelle.CommandLine;

/// <summary>Takes a command line apart, by rkt's grammar.</summary>
/// <remarks>
/// Commands may be shortened as long as they stay unique. Flags may stand anywhere, with "=" or a blank before their value. Behind an image, "--" begins
/// the arguments of its app, and "---" ends them.
/// </remarks>
public static class Grammar
{
    /// <returns>Null when help is asked for; <paramref name="command"/> is the one it is asked about, or null for all.</returns>
    public static Invocation? Parse(IReadOnlyList<Command> commands, IReadOnlyList<Option> globals, IReadOnlyList<string> arguments, out Command? command)
    {
        command = null;
        var tokens = new List<Token>();
        int words = 0;
        bool help = false;
        for (int i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (words > (command?.WordsBeforeLiteral ?? int.MaxValue) - 1)
            {
                tokens.Add(new Token(null, argument, null));
            }
            else if (argument == "--")
            {
                int end = IndexOf(arguments, "---", i + 1);
                tokens.Add(new Token(null, "--", [.. arguments.Skip(i + 1).Take(end - i - 1)]));
                i = end;
            }
            else if (argument is "--help" or "-h")
            {
                help = true;
            }
            else if (argument.StartsWith('-') && argument.Length > 1)
            {
                tokens.Add(ParseFlag(globals, command, arguments, ref i));
            }
            else if (command is null)
            {
                if (argument == "help")
                {
                    help = true;
                    continue;
                }

                command = FindCommand(commands, arguments, ref i);
                if (command.Program is not null)
                {
                    return new Invocation(command, []);
                }
            }
            else
            {
                words++;
                tokens.Add(new Token(null, argument, null));
            }
        }

        return help || command is null ? null : new Invocation(command, tokens);
    }

    static Token ParseFlag(IReadOnlyList<Option> globals, Command? command, IReadOnlyList<string> arguments, ref int i)
    {
        var argument = arguments[i];
        int equals = argument.IndexOf('=');
        var name = (equals < 0 ? argument : argument[..equals]).TrimStart('-');
        var option = globals.Concat(command?.Options ?? []).FirstOrDefault(one => one.Name == name)
            ?? throw new UserException($"there is no flag --{name}{(command is null ? "" : $" for {command.Name}")}; see nacelle help{(command is null ? "" : " " + command.Name)}");
        if (equals >= 0)
        {
            var value = argument[(equals + 1)..];
            return !option.IsSwitch || value is "true" or "false" ? new Token(option, value, null)
                : throw new UserException($"--{name} is true or false, not '{value}'");
        }

        if (option.IsSwitch)
        {
            return new Token(option, "true", null);
        }

        return ++i < arguments.Count ? new Token(option, arguments[i], null) : throw new UserException($"--{name} needs a value: --{name}={option.ValueName}");
    }

    /// <summary>Finds the command that the words from here on name, whole or shortened, and moves on to its last word.</summary>
    static Command FindCommand(IReadOnlyList<Command> commands, IReadOnlyList<string> arguments, ref int i)
    {
        var first = arguments[i];
        var second = i + 1 < arguments.Count ? arguments[i + 1] : "";
        var matches = new List<Command>();
        foreach (var command in commands)
        {
            var parts = command.Name.Split(' ');
            if (parts[0].StartsWith(first, StringComparison.Ordinal) && (parts.Length == 1 || (second.Length > 0 && parts[1].StartsWith(second, StringComparison.Ordinal))))
            {
                matches.Add(command);
            }
        }

        var found = matches.Find(command => command.Name == first || command.Name == $"{first} {second}") ?? (matches.Count == 1 ? matches[0] : null);
        if (found is null)
        {
            var choices = matches.Count > 0 ? matches : [.. commands.Where(command => command.Name.StartsWith(first + " ", StringComparison.Ordinal))];
            throw new UserException(choices.Count > 0
                ? $"'{first}' may stand for {string.Join(", ", choices.Select(command => command.Name))}: write more of it"
                : $"there is no command '{first}'; see nacelle help");
        }

        i += found.Name.Contains(' ') ? 1 : 0;
        return found;
    }

    static int IndexOf(IReadOnlyList<string> arguments, string text, int from)
    {
        for (int i = from; i < arguments.Count; i++)
        {
            if (arguments[i] == text)
            {
                return i;
            }
        }

        return arguments.Count;
    }
}
