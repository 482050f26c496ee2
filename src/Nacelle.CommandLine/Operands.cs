namespace Nacelle.CommandLine;

/// <summary>The words that a command takes, as its synopsis has them: of <c>[FLAGS] UUID [COMMAND [ARGUMENT…]]</c> a UUID, a command, and any number of arguments.</summary>
public readonly record struct Operands(string Synopsis)
{
    string BeforeArguments => Synopsis.Split("[-- ")[0];

    /// <summary>Their names in order, such as <c>UUID</c>, or what they may be, as in <c>bash|zsh</c>. The last stands for all that follow where <see cref="IsOpen"/>.</summary>
    public IReadOnlyList<string> Names =>
        [.. BeforeArguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Trim('[', ']', '…')).Where(word => word.Contains('|') ? !word.Contains('=') : IsName(word))];

    public bool IsOpen => BeforeArguments.Contains('…') || Synopsis.EndsWith(" …", StringComparison.Ordinal);

    /// <returns>What the word of that number, the first being 0, is; null where the command takes no further one.</returns>
    public string? NameOf(int word) => Names is { Count: > 0 } names ? word < names.Count ? names[word] : IsOpen ? names[^1] : null : null;

    static bool IsName(string word) => word.Length > 0 && word != "FLAGS" && word[0] != '-' && word.All(letter => char.IsAsciiLetterUpper(letter) || letter == '-');
}
