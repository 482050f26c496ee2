namespace Nacelle.CommandLine;

/// <summary>What a command line asks for.</summary>
public abstract record Request
{
    /// <summary>A command with its flags and words.</summary>
    public sealed record Do(Invocation Invocation) : Request;

    /// <summary>An explanation: of a command, of a group of commands, or of all.</summary>
    /// <param name="IsAsked">False where a command would have been due.</param>
    public sealed record Explain(Command? Command, string? Group, bool IsAsked) : Request;
}

/// <summary>Takes a command line apart, by rkt's grammar.</summary>
/// <remarks>
/// Commands may be shortened as long as they stay unique. Flags may stand anywhere, with "=" or a blank before their value. Behind an image, "--" begins
/// the arguments of its app, and "---" ends them.
/// </remarks>
public sealed class Grammar(IReadOnlyList<Command> commands, IReadOnlyList<Option> globals)
{
    readonly List<Token> tokens = [];
    List<string>? arguments;
    int words;
    bool help, flagsEnded;

    /// <exception cref="UserException">It cannot be understood.</exception>
    public static Request Parse(IReadOnlyList<Command> commands, IReadOnlyList<Option> globals, IEnumerable<string> arguments)
    {
        var grammar = new Grammar(commands, globals);
        foreach (var argument in arguments)
        {
            grammar.Take(argument);
            if (grammar.Command?.Program is not null)
            {
                break; // the other executable takes it apart anew
            }
        }

        return grammar.Finish();
    }

    /// <summary>The command, once it is known.</summary>
    public Command? Command { get; private set; }

    /// <summary>The first word of several commands, once it is known that one of these is meant.</summary>
    public string? Group { get; private set; }

    /// <summary>The flag whose value comes next.</summary>
    public Option? Awaited { get; private set; }

    /// <summary>The flags that may stand here.</summary>
    public IEnumerable<Option> Flags => (Command?.Options ?? []).Concat(globals);

    /// <summary>The commands that may be meant here: of the group, once that is known.</summary>
    public IEnumerable<Command> Candidates => commands.Where(command => Group is null || command.Name.StartsWith(Group + " ", StringComparison.Ordinal));

    /// <summary>Whether what comes next is taken as it stands: a word behind "--", an app's argument, or the command line of somebody else.</summary>
    public bool IsLiteral => arguments is not null || flagsEnded || (Command is { } known && words + tokens.Count(token => token.Option?.IsWord == true) >= known.WordsBeforeLiteral);

    /// <summary>Whether what comes next is an argument of an app.</summary>
    public bool IsArgument => arguments is not null;

    /// <summary>How many words there have been behind the command.</summary>
    public int Words => words;

    /// <summary>All that was taken so far, where the command is known.</summary>
    public Invocation? Invocation => Command is null ? null : new(Command, tokens);

    /// <summary>Takes the next part of the command line.</summary>
    /// <exception cref="UserException">It does not belong there.</exception>
    public void Take(string argument)
    {
        if (Awaited is { } option)
        {
            tokens.Add(new Token(option, argument, null));
            Awaited = null;
        }
        else if (arguments is not null)
        {
            if (argument == "---")
            {
                arguments = null;
            }
            else
            {
                arguments.Add(argument);
            }
        }
        else if (IsLiteral)
        {
            TakeWord(argument);
        }
        else if (argument == "--")
        {
            TakeEnd();
        }
        else if (argument == "---" && Command is { TakesAppArguments: true })
        {
            // Ends arguments that have not begun; rkt passed it over, and scripts have it.
        }
        else if (argument is "--help" or "-h")
        {
            help = true;
        }
        else if (argument.StartsWith('-') && argument.Length > 1)
        {
            TakeFlag(argument);
        }
        else if (Command is not null)
        {
            TakeWord(argument);
        }
        else if (argument == "help")
        {
            help = true;
        }
        else
        {
            TakeName(argument);
        }
    }

    /// <exception cref="UserException">Something is missing.</exception>
    public Request Finish() =>
        help && Command?.Program is null ? new Request.Explain(Command, Group, IsAsked: true)
        : Command is null ? new Request.Explain(null, Group, IsAsked: false)
        : Awaited is { } option ? throw new UserException($"--{option.Name} needs a value: --{option.Name}={option.ValueName}")
        : words > 0 && Command.Operands.Names.Count == 0 && Command.Program is null ? throw new UserException($"{Command.Name}: takes no arguments, and got '{new Invocation(Command, tokens).Words[0]}'")
        : new Request.Do(new Invocation(Command, tokens));

    void TakeWord(string word)
    {
        words++;
        tokens.Add(new Token(null, word, null));
    }

    void TakeEnd()
    {
        if (Command is { TakesAppArguments: true })
        {
            arguments = [];
            tokens.Add(new Token(null, "--", arguments));
        }
        else
        {
            flagsEnded = Command is not null;
        }
    }

    void TakeFlag(string argument)
    {
        int equals = argument.IndexOf('=');
        var name = (equals < 0 ? argument : argument[..equals]).TrimStart('-');
        var option = Flags.FirstOrDefault(one => one.Name == name)
            ?? throw new UserException($"there is no flag --{name}{(Command is null ? "" : $" for {Command.Name}")}; see {ProgramName.Text} help{(Command is null ? "" : " " + Command.Name)}");
        if (equals >= 0)
        {
            var value = argument[(equals + 1)..];
            tokens.Add(!option.IsSwitch || value is "true" or "false" ? new Token(option, value, null) : throw new UserException($"--{name} is true or false, not '{value}'"));
        }
        else if (option.Bare is not null || option.IsSwitch)
        {
            tokens.Add(new Token(option, option.Bare ?? "true", null));
        }
        else
        {
            Awaited = option;
        }
    }

    /// <summary>A command's name, whole or shortened, or its first word: then the second comes next.</summary>
    void TakeName(string word)
    {
        int at = Group is null ? 0 : 1;
        string Part(Command command) => command.Name.Split(' ')[at];
        var whole = Candidates.Where(command => Part(command) == word).ToList();
        var matches = whole.Count > 0 ? whole : [.. Candidates.Where(command => !command.IsHidden && Part(command).StartsWith(word, StringComparison.Ordinal))];
        var parts = matches.Select(Part).Distinct().ToList();
        switch (parts)
        {
            case [] when Group is null:
                throw new UserException($"there is no command '{word}'; see {ProgramName.Text} help");
            case []:
                throw new UserException($"there is no command '{Group} {word}'; see {ProgramName.Text} help {Group}");
            case [var only] when at == 0 && matches[0].Name != only:
                Group = only;
                break;
            case [_]:
                Command = matches[0];
                break;
            default:
                throw new UserException($"'{word}' may stand for {string.Join(", ", parts)}: write more of it");
        }
    }
}
