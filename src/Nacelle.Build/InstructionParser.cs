namespace Nacelle.Build;

/// <summary>Makes a typed instruction of a logical line; what it cannot be is said with the line's number.</summary>
static class InstructionParser
{
    public static Instruction Parse(LogicalLine line, char escape)
    {
        var head = new InstructionHead(line.Number, line.Keyword, line.Text);
        var flags = new InstructionFlags(line);
        var rest = flags.Rest;
        if (rest.Length == 0 && line.Keyword is not "HEALTHCHECK")
        {
            throw line.Error($"{line.Keyword} says nothing");
        }

        Instruction instruction = line.Keyword switch
        {
            "FROM" => From(line, head, flags),
            "ARG" => new ArgInstruction(head, [.. Words.Split(rest, escape).Select(word => Argument(line, word))]),
            "ENV" or "LABEL" => new PairsInstruction(head, Pairs(line, rest, escape)),
            "RUN" => Run(line, head, flags),
            "COPY" or "ADD" => Copy(line, head, flags, escape),
            "CMD" or "ENTRYPOINT" => new CommandInstruction(head, Command(rest)),
            "WORKDIR" or "USER" or "STOPSIGNAL" or "MAINTAINER" => new TextInstruction(head, rest),
            "EXPOSE" => new ListInstruction(head, Words.Split(rest, escape)),
            "VOLUME" => new ListInstruction(head, Words.TryJson(rest) ?? Words.Split(rest, escape)),
            "SHELL" => new ListInstruction(head, Words.TryJson(rest) is { Count: > 0 } shell ? shell : throw line.Error("SHELL is a list in JSON: SHELL [\"/bin/bash\", \"-c\"]")),
            "HEALTHCHECK" => Healthcheck(line, head, flags),
            "ONBUILD" => OnBuild(line, head, rest, escape),
            var other => throw line.Error($"there is no instruction {other}"),
        };
        flags.RequireAllTaken();
        return instruction;
    }

    static FromInstruction From(LogicalLine line, InstructionHead head, InstructionFlags flags)
    {
        var words = flags.Rest.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        bool named = words.Length == 3 && words[1].Equals("AS", StringComparison.OrdinalIgnoreCase);
        if (words.Length != 1 && !named)
        {
            throw line.Error("write FROM IMAGE or FROM IMAGE AS NAME");
        }

        var alias = named ? words[2] : null;
        bool valid = alias is null || (char.IsAsciiLetter(alias[0]) && alias.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.'));
        return valid ? new FromInstruction(head, words[0], alias, flags.Take("platform"))
            : throw line.Error($"'{alias}' cannot name a stage: begin with a letter, and use letters, digits, '-', '_' and '.'");
    }

    static (string Name, string? Default) Argument(LogicalLine line, string word)
    {
        int equals = word.IndexOf('=');
        var name = equals < 0 ? word : word[..equals];
        return IsVariable(name) ? (name, equals < 0 ? null : word[(equals + 1)..]) : throw line.Error($"'{name}' is not a variable's name");
    }

    /// <summary>Letters, digits and underscores, the first no digit; the Dockerfile reference leaves it at that, and so do shells.</summary>
    static bool IsVariable(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_');

    /// <summary><c>NAME=VALUE …</c>, or in the old way <c>NAME VALUE</c> with all the rest of the line as the value.</summary>
    static List<(string Name, string Value)> Pairs(LogicalLine line, string rest, char escape)
    {
        var words = Words.Split(rest, escape);
        if (!words[0].Contains('='))
        {
            int blank = rest.AsSpan().IndexOfAny(" \t");
            return blank > 0 ? [(rest[..blank], rest[blank..].Trim())] : throw line.Error($"{line.Keyword} {words[0]}: the value is missing: write {words[0]}=VALUE");
        }

        return [.. words.Select(word =>
        {
            int equals = word.IndexOf('=');
            return equals > 0 ? (word[..equals], word[(equals + 1)..]) : throw line.Error($"'{word}' is not NAME=VALUE");
        })];
    }

    static CommandForm Command(string rest) =>
        Words.TryJson(rest) is { Count: > 0 } words ? new CommandForm(words, IsShell: false) : new CommandForm([rest], IsShell: true);

    static RunInstruction Run(LogicalLine line, InstructionHead head, InstructionFlags flags)
    {
        var network = flags.Take("network");
        var security = flags.Take("security");
        return network is not (null or "default" or "none" or "host") ? throw line.Error($"--network={network}: use default, none or host")
            : security is not (null or "sandbox") ? throw line.Error($"--security={security}: commands always run isolated; only sandbox is possible")
            : new RunInstruction(head, Command(flags.Rest), flags.Rest, line.Heredocs, flags.TakeAll("mount"), network);
    }

    static CopyInstruction Copy(LogicalLine line, InstructionHead head, InstructionFlags flags, char escape)
    {
        bool add = line.Keyword == "ADD";
        flags.TakeSwitch("link"); // layers are made of changes here anyway
        var copy = new CopyFlags(
            add ? null : flags.Take("from"),
            flags.Take("chown"),
            flags.Take("chmod"),
            add ? flags.Take("checksum") : null,
            flags.TakeAll("exclude"),
            !add && flags.TakeSwitch("parents") == true,
            add ? flags.TakeSwitch("unpack") : null,
            add && flags.TakeSwitch("keep-git-dir") == true);
        var words = Words.TryJson(flags.Rest) ?? Words.Split(flags.Rest, escape);
        return words.Count >= 2
            ? new CopyInstruction(head, [.. words.Take(words.Count - 1).Where(word => line.Heredocs.Count == 0 || !Words.IsHeredoc(word, escape))], words[^1], line.Heredocs, copy)
            : throw line.Error($"{line.Keyword} wants at least one source and a destination");
    }

    static HealthcheckInstruction Healthcheck(LogicalLine line, InstructionHead head, InstructionFlags flags)
    {
        var timing = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in (ReadOnlySpan<string>)["interval", "timeout", "start-period", "start-interval", "retries"])
        {
            if (flags.Take(name) is { } value)
            {
                timing[name] = value;
            }
        }

        var words = flags.Rest.Split([' ', '\t'], 2, StringSplitOptions.RemoveEmptyEntries);
        return words is [var none] && none.Equals("NONE", StringComparison.OrdinalIgnoreCase) ? new HealthcheckInstruction(head, null, timing)
            : words is [var cmd, var command] && cmd.Equals("CMD", StringComparison.OrdinalIgnoreCase) ? new HealthcheckInstruction(head, Command(command.Trim()), timing)
            : throw line.Error("write HEALTHCHECK NONE or HEALTHCHECK [FLAGS] CMD COMMAND");
    }

    static OnBuildInstruction OnBuild(LogicalLine line, InstructionHead head, string rest, char escape)
    {
        var words = rest.Split([' ', '\t'], 2);
        var inner = line with { Keyword = words[0].ToUpperInvariant(), Rest = words.Length > 1 ? words[1].Trim() : "" };
        if (inner.Keyword is "ONBUILD" or "FROM" or "MAINTAINER")
        {
            throw line.Error($"ONBUILD {inner.Keyword} is not possible");
        }

        Parse(inner, escape);
        return new OnBuildInstruction(head, rest + string.Concat(line.Heredocs.Select(heredoc => "\n" + heredoc.Raw.TrimEnd('\n'))));
    }
}
