using Nacelle.Linux;

namespace Nacelle.CommandLine;

/// <summary>The flags of every command.</summary>
public static class GlobalFlags
{
    public static readonly Option Debug = new("debug", null, "say more on standard error");
    public static readonly Option Directory = new("dir", "DIRECTORY", $"the data directory ({ProgramName.In("/var/lib")})");
    public static readonly Option Insecure = new("insecure-options", "LIST", "what may be insecure: none, image, tls, ondisk, http, pubkey, capabilities, paths, seccomp, all-fetch, all-run, all")
    {
        Choices = ["none", "image", "tls", "ondisk", "http", "pubkey", "capabilities", "paths", "seccomp", "all-fetch", "all-run", "all"],
    };

    public static readonly Option SystemConfig = new("system-config", "DIRECTORY", $"the distribution's configuration ({ProgramName.In("/usr/lib")})");
    public static readonly Option LocalConfig = new("local-config", "DIRECTORY", $"this machine's configuration ({ProgramName.In("/etc")})");
    public static readonly Option UserConfig = new("user-config", "DIRECTORY", "a further configuration, stronger than both");
    public static readonly Option TrustKeys = new("trust-keys-from-https", null, "trust keys that an image's own pages offer by https, without asking");

    public static readonly IReadOnlyList<Option> All = [Debug, Directory, Insecure, SystemConfig, LocalConfig, UserConfig, TrustKeys];

    /// <summary>Meant something to rkt once, and is passed over.</summary>
    const string OnDisk = "ondisk";

    static readonly string[] FetchWords = ["image", "tls", "http", "pubkey"];
    static readonly string[] RunWords = ["capabilities", "paths", "seccomp"];

    /// <summary>The data directory: absolute, without symlinks where it exists already. The flag counts more than the configuration.</summary>
    /// <exception cref="Specs.SpecException">The configuration is malformed.</exception>
    public static string DataDirectory(Invocation invocation)
    {
        var path = Path.GetFullPath(invocation.Value(Directory) ?? Configuration.Read(ConfigDirectories(invocation), "paths.d").Paths.Data ?? UsualDataDirectory);
        using var opened = Files.TryOpen(FileDescriptor.WorkingDirectory, path, OpenFlags.Path | OpenFlags.Directory, out _);
        return opened is null ? path : Files.ReadLink(FileDescriptor.WorkingDirectory, opened.ProcPath);
    }

    /// <summary>Where data lies when neither flag nor configuration says.</summary>
    public static string UsualDataDirectory => Processes.IsRoot
        ? ProgramName.In("/var/lib")
        : ProgramName.In(Environment.GetEnvironmentVariable("XDG_DATA_HOME") ?? Environment.GetEnvironmentVariable("HOME") + "/.local/share");

    /// <summary>The global flags of this command line, for another of our executables.</summary>
    public static IEnumerable<string> Repeat(Invocation invocation) =>
        [.. invocation.Tokens.Where(token => token.Option is { } option && option != Directory && All.Contains(option)).Select(token => $"--{token.Option!.Name}={token.Text}"), $"--dir={DataDirectory(invocation)}"];

    /// <summary>This machine's configuration directory.</summary>
    public static string LocalConfigDirectory(Invocation invocation) => Path.GetFullPath(invocation.Value(LocalConfig) ?? ProgramName.In("/etc"));

    /// <summary>The directories of the configuration, the weakest first.</summary>
    public static IReadOnlyList<string> ConfigDirectories(Invocation invocation) =>
        [Path.GetFullPath(invocation.Value(SystemConfig) ?? ProgramName.In("/usr/lib")), LocalConfigDirectory(invocation), .. invocation.Values(UserConfig).TakeLast(1).Select(Path.GetFullPath)];

    /// <summary>Whether a guard is waived by name, or by a name that includes it.</summary>
    public static bool IsInsecure(Invocation invocation, string what)
    {
        bool insecure = false;
        foreach (var word in (invocation.Value(Insecure) ?? "none").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Insecure.Values.Contains(word) && word != OnDisk)
            {
                throw new UserException($"--insecure-options: there is no '{word}'; use {string.Join(", ", Insecure.Values)}");
            }

            insecure |= word == what || word == "all" || (word == "all-run" && RunWords.Contains(what)) || (word == "all-fetch" && FetchWords.Contains(what));
        }

        return insecure;
    }

    /// <exception cref="UserException">Not root.</exception>
    public static void RequireRoot(Invocation invocation)
    {
        if (!Processes.IsRoot)
        {
            throw new UserException($"{invocation.Command.Name}: cannot run as unprivileged user");
        }
    }
}
