using Nacelle.Linux;

namespace Nacelle.Oci;

/// <summary>Options before the command.</summary>
sealed record GlobalOptions
{
    public static readonly IReadOnlyList<Option> All =
    [
        new("root", "DIRECTORY", "where the state of containers is kept (default: /run/nacelle-oci, or $XDG_RUNTIME_DIR/nacelle-oci)"),
        new("log", "FILE", "a file that errors and warnings are written to as well"),
        new("log-format", "text|json", "how they are written there (default: text)"),
        new("log-level", "LEVEL", "accepted; errors and warnings are always written"),
        new("debug", null, "accepted; errors are always whole"),
        new("systemd-cgroup", null, "have systemd make control groups; cgroupsPath is then SLICE:PREFIX:NAME"),
        new("cgroup-manager", "cgroupfs|systemd|disabled", "who makes control groups (default: cgroupfs)"),
        new("rootless", "true|false|auto", "accepted; rights are found out"),
        new("criu", "PATH", "accepted; there are no checkpoints"),
        new("version|v|V", null, "print the version"),
        new("help|h|?", null, "print this text"),
    ];

    public string Root { get; private set; } = Processes.IsRoot && UserNamespaces.IsInitial ? "/run/nacelle-oci" : RootlessDirectory();

    public string? Log { get; private set; }

    public bool LogIsJson { get; private set; }

    public CgroupManager CgroupManager { get; private set; }

    public bool Version { get; private set; }

    public bool Help { get; private set; }

    public static GlobalOptions Take(Arguments arguments)
    {
        var options = new GlobalOptions();
        arguments.TakeOptions(All, options.Take);
        return options;
    }

    void Take(string name, string value)
    {
        switch (name)
        {
            case "root": Root = Path.GetFullPath(value); break;
            case "log": Log = value.StartsWith("file:", StringComparison.Ordinal) ? value[5..] : value; break;
            case "log-format":
                LogIsJson = value == "json" || (value == "text" ? false : throw new UserException($"--log-format is text or json, not '{value}'"));
                break;
            case "systemd-cgroup": CgroupManager = value == "false" ? CgroupManager : CgroupManager.Systemd; break;
            case "cgroup-manager":
                CgroupManager = value switch
                {
                    "cgroupfs" => CgroupManager.CgroupFileSystem,
                    "systemd" => CgroupManager.Systemd,
                    "disabled" => CgroupManager.None,
                    _ => throw new UserException($"--cgroup-manager is cgroupfs, systemd or disabled, not '{value}'"),
                };
                break;
            case "version": Version = true; break;
            case "help": Help = true; break;
        }
    }

    static string RootlessDirectory() =>
        Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } directory ? $"{directory}/nacelle-oci" : $"/tmp/nacelle-oci-{Processes.EffectiveUserId}";
}

/// <summary>Who makes the control groups.</summary>
enum CgroupManager
{
    CgroupFileSystem,
    Systemd,
    None,
}
