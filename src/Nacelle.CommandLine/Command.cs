namespace Nacelle.CommandLine;

/// <summary>A flag of the command line.</summary>
/// <param name="Name">Without the dashes.</param>
/// <param name="ValueName">What its value is called in the help; null for a switch, which takes true or false or nothing.</param>
public sealed record Option(string Name, string? ValueName, string Summary)
{
    public bool IsSwitch => ValueName is null;

    /// <summary>Understood, for old scripts, and left out of the help.</summary>
    public bool IsHidden { get; init; }

    /// <summary>What a flag without "=" says, where its value may be left out; the next word is no value of it then. Null where it may not.</summary>
    public string? Bare { get; init; }

    /// <summary>Takes the place of a word: whoever gives it gives one word less before the command line of somebody else begins.</summary>
    public bool IsWord { get; init; }

    /// <summary>What its value may be, where the name of the value does not say so; null where it does, or where anything may.</summary>
    public IReadOnlyList<string>? Choices { get; init; }

    /// <summary>What its value may be, as far as that is fixed: of <c>new|update|never</c> the three.</summary>
    public IReadOnlyList<string> Values => Choices ?? (IsSwitch ? ["true", "false"] : ValueName!.Contains('|') ? [.. ValueName.Split('|').Where(IsLiteral)] : []);

    static bool IsLiteral(string text) => text.Length > 0 && text.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-');
}

/// <summary>A verb of the command line.</summary>
/// <param name="Name">One word, or two for what is done to images.</param>
/// <param name="Synopsis">What follows the name and the flags; see <see cref="CommandLine.Operands"/>.</param>
public sealed record Command(string Name, string Synopsis, string Summary, IReadOnlyList<Option> Options, Func<Invocation, int> Run)
{
    /// <summary>A verb of the executable of that name beside this one: it gets the whole command line as it stands, requests for help included.</summary>
    public static Command Of(string program, string name, string summary) => new(name, "", summary, [], _ => 0) { Program = program };

    public string? Program { get; private init; }

    /// <summary>After so many words all is taken as it stands, flags included: the command line of somebody else.</summary>
    public int WordsBeforeLiteral { get; init; } = int.MaxValue;

    public string Description { get; init; } = "";

    /// <summary>Takes root, or who is it in a user namespace of his own: see <see cref="UserNamespaceEntry"/>.</summary>
    public bool ActsAsRoot { get; init; }

    /// <summary>For old scripts, or for our other executables: left out of the help, and never meant by a shortened name.</summary>
    public bool IsHidden { get; init; }

    /// <summary>Whether "--" begins the arguments of an app, which "---" ends; of other commands "--" only ends the flags.</summary>
    public bool TakesAppArguments => Synopsis.Contains("[-- ", StringComparison.Ordinal);

    public Operands Operands => new(Synopsis);
}

/// <summary>A part of a command line in its order: a flag with its value, a word, or the arguments between "--" and "---".</summary>
public readonly record struct Token(Option? Option, string Text, IReadOnlyList<string>? Arguments);

/// <summary>A command line taken apart.</summary>
public sealed record Invocation(Command Command, IReadOnlyList<Token> Tokens)
{
    public IReadOnlyList<string> Words => [.. Tokens.Where(token => token.Option is null && token.Arguments is null).Select(token => token.Text)];

    public string? Value(Option option) => Tokens.LastOrDefault(token => token.Option == option).Text;

    public IEnumerable<string> Values(Option option) => Tokens.Where(token => token.Option == option).Select(token => token.Text);

    public bool Is(Option option, bool otherwise = false) => Value(option) is { } value ? value == "true" : otherwise;
}

/// <summary>A command line that cannot be understood, or that asks for what cannot be done; the message is one line for a person.</summary>
public sealed class UserException(string message) : Exception(message);

/// <summary>A program that was started on the way has failed, and has said why itself.</summary>
public sealed class AlreadyToldException : Exception;
