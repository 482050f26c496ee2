namespace Nacelle.Oci;

/// <summary>The words of a command line, taken one after another: options with one dash or two, values behind "=" or as the next word.</summary>
sealed class Arguments(IReadOnlyList<string> words)
{
    int at;

    /// <summary>Whether help is asked for before the first word that is no option.</summary>
    public bool WantsHelp
    {
        get
        {
            for (int i = at; i < words.Count && words[i].StartsWith('-') && words[i] != "--"; i++)
            {
                if (words[i] is "--help" or "-h")
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>The next word, or null behind the last.</summary>
    public string? Next() => at < words.Count ? words[at++] : null;

    /// <summary>The words that are left.</summary>
    public IReadOnlyList<string> Rest()
    {
        var rest = words.Skip(at).ToList();
        at = words.Count;
        return rest;
    }

    /// <summary>Takes options until a word that is none; "--" ends them too.</summary>
    /// <param name="options">Those that there are here.</param>
    /// <param name="take">Gets each option's first name with its value, "true" for a switch.</param>
    public void TakeOptions(IReadOnlyList<Option> options, Action<string, string> take)
    {
        while (at < words.Count && words[at].Length > 1 && words[at][0] == '-')
        {
            var word = words[at++];
            if (word == "--")
            {
                return;
            }

            int equals = word.IndexOf('=');
            var name = (equals < 0 ? word : word[..equals]).TrimStart('-');
            var option = options.FirstOrDefault(one => one.Is(name)) ?? throw new UserException($"there is no option {(equals < 0 ? word : word[..equals])} here");
            take(option.Name, equals >= 0 ? word[(equals + 1)..] : option.ValueName is null ? "true" : Next() ?? throw new UserException($"--{name} needs a value: {option.ValueName}"));
        }
    }

    /// <summary>The one word that has to follow.</summary>
    public string Need(string what) => Next() ?? throw new UserException($"{what} is missing");

    /// <summary>Refuses words that are left.</summary>
    public void End()
    {
        if (at < words.Count)
        {
            throw new UserException($"'{words[at]}' is one word too many");
        }
    }
}

/// <param name="Name">Without dashes; further names behind "|".</param>
/// <param name="ValueName">Null for a switch.</param>
sealed record Option(string Names, string? ValueName, string Meaning)
{
    public string Name => Names.Split('|')[0];

    public bool Is(string name) => Names.Split('|').Contains(name);
}
