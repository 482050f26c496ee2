namespace Nacelle.CommandLine;

/// <summary>How a shell completes what is not our own.</summary>
public enum CompletionKind
{
    /// <summary>Words, each whole; one that ends in "=" goes on.</summary>
    Words,
    Files,
    Directories,
}

/// <summary>What a word at the end of an unfinished command line may become.</summary>
/// <param name="Kept">What of the word stays before a file's name.</param>
/// <param name="Words">With a remark on each, which may be empty.</param>
public sealed record Completion(CompletionKind Kind, string Kept, IReadOnlyList<(string Word, string Remark)> Words)
{
    /// <summary>The command, unknown to people, by which shells ask: it is followed by all words behind the program's name up to the cursor.</summary>
    public const string Verb = "__complete";

    static readonly Completion Nothing = new(CompletionKind.Words, "", []);

    /// <param name="words">Up to the cursor: the last is the one to complete, and may be empty.</param>
    /// <returns>Null when another executable knows: the one of <paramref name="other"/>.</returns>
    public static Completion? Of(CommandProgram program, IReadOnlyList<string> words, out string? other)
    {
        other = null;
        var grammar = new Grammar(program.Commands, GlobalFlags.All);
        try
        {
            foreach (var word in words.SkipLast(1))
            {
                grammar.Take(word);
                if (grammar.Command?.Program is { } owner)
                {
                    other = owner;
                    return null;
                }
            }
        }
        catch (UserException)
        {
            return Nothing; // what is wrong already is not made right by more of it
        }

        return Of(program, grammar, words.Count == 0 ? "" : words[^1]);
    }

    /// <summary>For a shell: the kind and what is kept, then a line a word, its remark behind a tabulator.</summary>
    public override string ToString() =>
        string.Concat([$"{Kind.ToString().ToLowerInvariant()}\t{Kept}\n", .. Words.Select(word => $"{word.Word}\t{word.Remark}\n")]);

    static Completion Of(CommandProgram program, Grammar grammar, string word)
    {
        if (grammar.Awaited is { } awaited)
        {
            return OfValue(program, grammar, awaited, "", word);
        }

        if (grammar.IsArgument)
        {
            return new(CompletionKind.Files, "", []);
        }

        if (!grammar.IsLiteral && word.StartsWith('-'))
        {
            int equals = word.IndexOf('=');
            return equals < 0 ? OfFlag(grammar, word)
                : grammar.Flags.FirstOrDefault(flag => flag.Name == word[..equals].TrimStart('-')) is { } option ? OfValue(program, grammar, option, word[..(equals + 1)], word[(equals + 1)..])
                : Nothing;
        }

        return grammar.Invocation is not { } invocation ? OfName(grammar, word)
            : grammar.IsLiteral && grammar.Words >= invocation.Command.WordsBeforeLiteral ? Nothing
            : invocation.Command.Operands.NameOf(grammar.Words + invocation.Tokens.Count(token => token.Option?.IsWord == true)) is { } operand ? OfOperand(program, invocation, operand, word)
            : Nothing;
    }

    static Completion OfName(Grammar grammar, string word)
    {
        int at = grammar.Group is null ? 0 : 1;
        var names = grammar.Candidates.Where(command => !command.IsHidden).GroupBy(command => command.Name.Split(' ')[at])
            .Select(group => (Word: group.Key, Remark: group.Count() == 1 ? group.First().Summary : $"{string.Join(", ", group.Select(command => command.Name.Split(' ')[^1]))}"));
        return Matching(at == 0 ? names.Append(("help", "explain a command")) : names, "", word);
    }

    static Completion OfFlag(Grammar grammar, string word) => Matching(
        grammar.Flags.Where(flag => !flag.IsHidden).Select(flag => (Help.Dashes(flag) + (flag.IsSwitch || flag.Bare is not null ? "" : "="), flag.Summary)), "", word);

    static Completion OfValue(CommandProgram program, Grammar grammar, Option option, string kept, string value)
    {
        if (option.ValueName is "LIST" || option.ValueName?.EndsWith(",…", StringComparison.Ordinal) == true)
        {
            var given = value.Split(',')[..^1];
            return Matching(option.Values.Except(given).Select(one => (one, "")), kept + string.Concat(given.Select(one => one + ",")), value.Split(',')[^1]);
        }

        var known = option.Values.Select(one => (one, "")).ToList();
        return known.Count > 0 ? Matching(known, kept, value)
            : KindOf(option.ValueName!) is var kind and not CompletionKind.Words ? new(kind, kept, [])
            : grammar.Invocation is { } invocation ? Matching(program.Values(invocation, $"--{option.Name}"), kept, value)
            : Nothing;
    }

    static Completion OfOperand(CommandProgram program, Invocation invocation, string operand, string word) =>
        operand.Contains('|') ? Matching(operand.Split('|').Select(choice => (choice, "")), "", word)
        : KindOf(operand) is var kind and not CompletionKind.Words ? new(kind, "", [])
        : operand == "IMAGE" && (word.StartsWith('/') || word.StartsWith('.')) ? new(CompletionKind.Files, "", [])
        : Matching(program.Values(invocation, operand), "", word);

    /// <summary>Names in synopses and of flags' values tell what they are.</summary>
    static CompletionKind KindOf(string name) => name switch
    {
        "FILE" or "PATH" => CompletionKind.Files,
        "DIRECTORY" or "CONTEXT" => CompletionKind.Directories,
        _ => CompletionKind.Words,
    };

    static Completion Matching(IEnumerable<(string Word, string Remark)> all, string kept, string begun) => new(
        CompletionKind.Words, "", [.. all.Where(one => one.Word.StartsWith(begun, StringComparison.Ordinal)).Select(one => (kept + one.Word, one.Remark))]);
}
