using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>The values of ARGs: what the build is told, what the platform is, what stands before the first FROM.</summary>
sealed class Variables
{
    /// <summary>These may be given without an ARG, reach commands, and count neither for the cache nor in the history.</summary>
    static readonly string[] Proxies =
    [
        "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy",
    ];

    readonly IReadOnlyDictionary<string, string> given;
    readonly Dictionary<string, string> platform;
    readonly Dictionary<string, string?> globals = new(StringComparer.Ordinal);
    readonly HashSet<string> used = new(StringComparer.Ordinal);

    public Variables(IReadOnlyDictionary<string, string> given, string? targetStage)
    {
        this.given = given;
        var current = Platform.Current;
        platform = new(StringComparer.Ordinal)
        {
            ["TARGETPLATFORM"] = current.ToString(), ["TARGETOS"] = current.Os, ["TARGETARCH"] = current.Architecture, ["TARGETVARIANT"] = current.Variant ?? "",
            ["BUILDPLATFORM"] = current.ToString(), ["BUILDOS"] = current.Os, ["BUILDARCH"] = current.Architecture, ["BUILDVARIANT"] = current.Variant ?? "",
            ["TARGETSTAGE"] = targetStage ?? "default",
        };
    }

    /// <summary>Before the first FROM.</summary>
    public string? Global(string name) => globals.GetValueOrDefault(name) ?? platform.GetValueOrDefault(name);

    public void Declare(ArgInstruction instruction, char escape)
    {
        foreach (var (name, text) in instruction.Arguments)
        {
            globals[name] = Given(name) ?? (text is null ? platform.GetValueOrDefault(name) : new Expansion(Global, escape).Word(text));
        }
    }

    /// <summary>An ARG within a stage.</summary>
    public void Declare(ArgInstruction instruction, StageState stage, Expansion expansion)
    {
        foreach (var (name, text) in instruction.Arguments)
        {
            stage.Arguments[name] = Given(name) ?? (text is null ? Global(name) : expansion.Word(text));
        }
    }

    public IEnumerable<string> ProxyEnvironment(StageState stage) =>
        Proxies.Where(name => stage.Lookup(name) is null && given.ContainsKey(name)).Select(name => $"{name}={Given(name)}");

    /// <summary>What was given and no ARG has asked for.</summary>
    public IEnumerable<string> Unused => given.Keys.Where(name => !used.Contains(name) && !Proxies.Contains(name)).Order(StringComparer.Ordinal);

    string? Given(string name)
    {
        used.Add(name);
        return given.GetValueOrDefault(name);
    }
}
