using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>The flags that stage0 passes to stage1's <c>run</c>. See rkt's stage1 implementor's guide, interface version 6; <c>--pid</c> and <c>--log-driver</c> are Nacelle's own.</summary>
sealed record Stage1Options
{
    /// <summary>Where they are kept for those who add apps later.</summary>
    const string KeptPath = "stage1/rootfs/rkt/options";

    public bool Debug { get; private set; }

    public bool HostNetwork { get; private set; }

    /// <summary>Whether a network's name servers are those of the apps.</summary>
    public bool ResolverOfNetworks { get; private set; }

    public bool HostProcesses { get; private set; }

    public bool HostIpc { get; private set; }

    public bool Interactive { get; private init; }

    public LogDriver LogDriver { get; private set; }

    public bool Mutable { get; private set; }

    public string? Hostname { get; private set; }

    public (uint Shift, uint Count)? PrivateUsers { get; private set; }

    /// <summary>The pod's root is root of a user namespace, its own or the one that we are in, and has not the rights of the machine's.</summary>
    public bool IsInUserNamespace => PrivateUsers is not null || !UserNamespaces.IsInitial;

    public bool AllCapabilities { get; private set; }

    public bool NoPathRestrictions { get; private set; }

    public bool NoSeccomp { get; private set; }

    public string Uuid { get; private set; } = "";

    public static Stage1Options Parse(ReadOnlySpan<string> arguments)
    {
        var options = new Stage1Options { Interactive = arguments.Contains("--interactive") || arguments.Contains("--interactive=true") };
        foreach (var argument in arguments)
        {
            options.Take(argument);
        }

        return options.Uuid.Length > 0 ? options : throw new Stage1Exception("stage1 was not told the pod's UUID");
    }

    /// <summary>For a pod that runs: the options that it was started with, and those that apply to one more app.</summary>
    /// <param name="arguments">As <c>app-add</c> gets them.</param>
    public static Stage1Options OfApp(IEnumerable<string> arguments)
    {
        var kept = Files.TryReadText(FileDescriptor.WorkingDirectory, KeptPath)?.Split('\n') ?? throw new Stage1Exception("the pod is not running");
        var options = Parse(kept) with { Interactive = false };
        options.Debug = false;
        foreach (var argument in arguments.Where(argument => argument == "--debug" || argument.StartsWith("--disable-", StringComparison.Ordinal)))
        {
            options.Take(argument);
        }

        return options;
    }

    public static void Keep(string[] arguments) => Files.WriteAll(FileDescriptor.WorkingDirectory, KeptPath, string.Join('\n', arguments));

    void Take(string argument)
    {
        int equals = argument.IndexOf('=');
        var (name, value) = equals < 0 ? (argument, "true") : (argument[..equals], argument[(equals + 1)..]);
        switch (name)
        {
            case "--debug": Debug = value == "true"; break;
            case "--net": HostNetwork = value == "host"; break;
            case "--dns-conf-mode": ResolverOfNetworks = value.Split(',').Contains("resolv=default"); break;
            case "--pid": HostProcesses = value == "host"; break;
            case "--ipc": HostIpc = value == "parent"; break;
            case "--interactive": break;
            case "--log-driver": LogDriver = ParseLogDriver(value); break;
            case "--mutable": Mutable = value == "true"; break;
            case "--hostname": Hostname = value; break;
            case "--private-users": PrivateUsers = ParseUsers(value); break;
            case "--disable-capabilities-restriction": AllCapabilities = value == "true"; break;
            case "--disable-paths": NoPathRestrictions = value == "true"; break;
            case "--disable-seccomp": NoSeccomp = value == "true"; break;
            case var _ when !argument.StartsWith('-'): Uuid = argument; break;
            default: throw new Stage1Exception($"stage1 does not know the flag {argument}");
        }
    }

    static LogDriver ParseLogDriver(string value) => value switch
    {
        "auto" => LogDriver.Automatic,
        "journald" => LogDriver.Journal,
        "k8s-file" => LogDriver.Files,
        "none" => LogDriver.None,
        _ => throw new Stage1Exception($"'--log-driver={value}' is none of auto, journald, k8s-file and none"),
    };

    static (uint, uint)? ParseUsers(string value)
    {
        int colon = value.IndexOf(':');
        return colon > 0 && uint.TryParse(value[..colon], out uint shift) && uint.TryParse(value[(colon + 1)..], out uint count)
            ? (shift, count)
            : throw new Stage1Exception($"'--private-users={value}' is not SHIFT:COUNT");
    }
}
