using Nacelle.Images;
using Nacelle.Specs;

namespace Nacelle.Fetch;

/// <summary>What the command line asks for.</summary>
sealed record FetchCommand
{
    public const string Usage = """
        nacelle-fetch [OPTION…] IMAGE…
        Fetches images into the store and prints the id of each.

          --dir=DIRECTORY            the data directory (/var/lib/nacelle)
          --pull-policy=POLICY       update: ask the registry (the default); new: only for what the store lacks; never
          --platform=OS/ARCH[/VARIANT]
          --insecure-options=LIST    none, http, tls, image, …, all-fetch, all
          --full                     print the whole id
          --debug                    tell more on stderr

        IMAGE is docker://[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], oci:PATH[:TAG|@DIGEST], oci-archive:PATH[:TAG|@DIGEST],
        docker-archive:PATH[:REFERENCE], or a path that starts with / or ./

        """;

    // rkt's words; those that concern running are accepted so that one list serves all commands.
    static readonly string[] InsecureWords =
        ["none", "image", "tls", "ondisk", "http", "pubkey", "capabilities", "paths", "seccomp", "all-fetch", "all-run", "all"];

    public string Directory { get; init; } = "/var/lib/nacelle";

    public FetchOptions Options { get; init; } = new() { PullPolicy = PullPolicy.Update };

    public bool Full { get; init; }

    public bool Debug { get; init; }

    public bool Help { get; init; }

    public IReadOnlyList<string> Images { get; init; } = [];

    /// <exception cref="FormatException">An option that there is not, or a value that it does not take.</exception>
    public static FetchCommand Parse(string[] arguments)
    {
        var command = new FetchCommand();
        var images = new List<string>();
        for (int i = 0; i < arguments.Length; i++)
        {
            string argument = arguments[i];
            if (argument == "--")
            {
                images.AddRange(arguments[(i + 1)..]);
                break;
            }

            if (!argument.StartsWith('-'))
            {
                images.Add(argument);
                continue;
            }

            int equals = argument.IndexOf('=');
            string name = equals < 0 ? argument : argument[..equals];
            string? attached = equals < 0 ? null : argument[(equals + 1)..];
            string Value() => attached ?? (i + 1 < arguments.Length ? arguments[++i] : throw new FormatException($"{name} wants a value"));
            bool Switch() => attached is null or "true" || (attached == "false" ? false : throw new FormatException($"{name} is true or false, not '{attached}'"));
            command = name switch
            {
                "--dir" => command with { Directory = Value() },
                "--pull-policy" => command with { Options = command.Options with { PullPolicy = ParsePolicy(Value()) } },
                "--platform" => command with { Options = command.Options with { Platform = ParsePlatform(Value()) } },
                "--insecure-options" => command with { Options = command.Options with { Registry = ParseInsecure(Value(), command.Options.Registry) } },
                "--full" => command with { Full = Switch() },
                "--debug" => command with { Debug = Switch() },
                "--help" or "-h" => command with { Help = true },
                _ => throw new FormatException($"there is no option {name}; see nacelle-fetch --help"),
            };
        }

        return images.Count > 0 || command.Help ? command with { Images = images } : throw new FormatException("name at least one image; see nacelle-fetch --help");
    }

    static PullPolicy ParsePolicy(string text) => text switch
    {
        "new" => PullPolicy.New,
        "update" => PullPolicy.Update,
        "never" => PullPolicy.Never,
        _ => throw new FormatException($"--pull-policy is new, update or never, not '{text}'"),
    };

    static Platform ParsePlatform(string text)
    {
        try
        {
            return Platform.Parse(text);
        }
        catch (SpecException failure)
        {
            throw new FormatException($"--platform: {failure.Message}", failure);
        }
    }

    static RegistryOptions ParseInsecure(string text, RegistryOptions options)
    {
        foreach (string word in text.Split(',', StringSplitOptions.TrimEntries))
        {
            options = word switch
            {
                "http" => options with { InsecureHttp = true },
                "tls" => options with { InsecureTls = true },
                "all-fetch" or "all" => options with { InsecureHttp = true, InsecureTls = true },
                _ when InsecureWords.Contains(word) => options,
                _ => throw new FormatException($"--insecure-options is a list of {string.Join(", ", InsecureWords)}; '{word}' is none of them"),
            };
        }

        return options;
    }
}
