namespace Nacelle.Build;

/// <summary>The flags before an instruction's arguments: <c>--name=value</c> or <c>--name</c>.</summary>
sealed class InstructionFlags
{
    readonly LogicalLine line;
    readonly List<(string Name, string? Value)> flags = [];

    public InstructionFlags(LogicalLine line)
    {
        this.line = line;
        var rest = line.Rest;
        while (rest.StartsWith("--", StringComparison.Ordinal) && line.Keyword is "FROM" or "RUN" or "COPY" or "ADD" or "HEALTHCHECK")
        {
            int end = rest.AsSpan().IndexOfAny(" \t");
            var flag = end < 0 ? rest : rest[..end];
            rest = end < 0 ? "" : rest[end..].TrimStart();
            if (flag == "--")
            {
                break;
            }

            int equals = flag.IndexOf('=');
            flags.Add(equals < 0 ? (flag[2..], null) : (flag[2..equals], flag[(equals + 1)..]));
        }

        Rest = rest;
    }

    /// <summary>What follows the flags.</summary>
    public string Rest { get; }

    /// <summary>A flag with a value that may be given once; null where it is not.</summary>
    public string? Take(string name) => TakeAll(name) switch
    {
        [] => null,
        [var value] => value,
        _ => throw line.Error($"--{name} is given twice"),
    };

    public List<string> TakeAll(string name)
    {
        var values = flags.Where(flag => flag.Name == name).Select(flag => flag.Value is { Length: > 0 } value ? value : throw line.Error($"--{name} needs a value")).ToList();
        flags.RemoveAll(flag => flag.Name == name);
        return values;
    }

    /// <summary>A flag that is true, false or not there.</summary>
    public bool? TakeSwitch(string name)
    {
        bool? given = null;
        foreach (var flag in flags.Where(flag => flag.Name == name))
        {
            given = flag.Value switch { null or "true" => true, "false" => false, var other => throw line.Error($"--{name} is true or false, not '{other}'") };
        }

        flags.RemoveAll(flag => flag.Name == name);
        return given;
    }

    public void RequireAllTaken()
    {
        if (flags.Count > 0)
        {
            throw line.Error($"{line.Keyword} has no flag --{flags[0].Name}");
        }
    }
}
