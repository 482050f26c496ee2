using Nacelle.Linux;

namespace Nacelle.Flavors;

/// <summary>The flags that stage0 passes to stage1's <c>run</c>. See docs/stage1.md.</summary>
sealed record Stage1Options
{
    public bool Debug { get; private set; }

    public bool HostNetwork { get; private set; }

    /// <summary>The pod is to have networks of its own.</summary>
    public bool HasNetworks { get; private set; }

    /// <summary>Whether a network's name servers are those of the apps.</summary>
    public bool ResolverOfNetworks { get; private set; }

    public bool Interactive { get; private set; }

    public bool Mutable { get; private set; }

    public string? Hostname { get; private set; }

    public string? PrivateUsers { get; private set; }

    public bool AllCapabilities { get; private set; }

    public bool NoPathRestrictions { get; private set; }

    public bool NoSeccomp { get; private set; }

    public string Uuid { get; private set; } = "";

    public static Stage1Options Parse(ReadOnlySpan<string> arguments)
    {
        var options = new Stage1Options();
        foreach (var argument in arguments)
        {
            options.Take(argument);
        }

        return options.Uuid.Length > 0 ? options : throw new FlavorException("stage1 was not told the pod's UUID");
    }

    void Take(string argument)
    {
        int equals = argument.IndexOf('=');
        var (name, value) = equals < 0 ? (argument, "true") : (argument[..equals], argument[(equals + 1)..]);
        switch (name)
        {
            case "--debug": Debug = value == "true"; break;
            case "--dns-conf-mode": ResolverOfNetworks = value.Split(',').Contains("resolv=default"); break;
            case "--net": (HostNetwork, HasNetworks) = (value == "host", value is not ("host" or "none")); break;
            case "--interactive": Interactive = value == "true"; break;
            case "--mds-token": break; // the bundle of each app says where the metadata service is
            case "--mutable": Mutable = value == "true"; break;
            case "--hostname": Hostname = value; break;
            case "--private-users": PrivateUsers = value; break;
            case "--disable-capabilities-restriction": AllCapabilities = value == "true"; break;
            case "--disable-paths": NoPathRestrictions = value == "true"; break;
            case "--disable-seccomp": NoSeccomp = value == "true"; break;
            case var _ when !argument.StartsWith('-'): Uuid = argument; break;
            default: throw new FlavorException($"stage1 does not know the flag {argument}");
        }
    }
}
