namespace Nacelle.CommandLine;

/// <summary>A flag of the command line.</summary>
/// <param name="Name">Without the dashes.</param>
/// <param name="ValueName">What its value is called in the help; null for a switch, which takes true or false or nothing.</param>
public sealed record Option(string Name, string? ValueName, string Summary)
{
    public bool IsSwitch => ValueName is null;
}

/// <summary>A verb of the command line.</summary>
/// <param name="Name">One word, or two for what is done to images.</param>
/// <param name="Synopsis">What follows the name and the flags.</param>
/// <param name="WordsBeforeLiteral">After so many words all is taken as it stands, flags included: the command line of somebody else.</param>
public sealed record Command(string Name, string Synopsis, string Summary, IReadOnlyList<Option> Options, Func<Invocation, int> Run)
{
    /// <summary>A verb of the executable of that name beside this one: it gets the whole command line as it stands, requests for help included.</summary>
    public static Command Of(string program, string name, string summary) => new(name, "", summary, [], _ => 0) { Program = program };

    public string? Program { get; private init; }

    public int WordsBeforeLiteral { get; init; } = int.MaxValue;

    public string Description { get; init; } = "";
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
