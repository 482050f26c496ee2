namespace Nacelle.Supervisor;

/// <summary>The flags that stage0 passes to stage1's <c>run</c>. See rkt's stage1 implementor's guide, interface version 6.</summary>
sealed record Stage1Options
{
    public bool Debug { get; private set; }

    public bool HostNetwork { get; private set; }

    public bool Interactive { get; private set; }

    public string? Hostname { get; private set; }

    public (uint Shift, uint Count)? PrivateUsers { get; private set; }

    public bool AllCapabilities { get; private set; }

    public bool NoPathRestrictions { get; private set; }

    public bool NoSeccomp { get; private set; }

    public string Uuid { get; private set; } = "";

    public static Stage1Options Parse(ReadOnlySpan<string> arguments)
    {
        var options = new Stage1Options();
        foreach (var argument in arguments)
        {
            int equals = argument.IndexOf('=');
            var (name, value) = equals < 0 ? (argument, "true") : (argument[..equals], argument[(equals + 1)..]);
            switch (name)
            {
                case "--debug": options.Debug = value == "true"; break;
                case "--net": options.HostNetwork = value == "host"; break;
                case "--interactive": options.Interactive = value == "true"; break;
                case "--hostname": options.Hostname = value; break;
                case "--private-users": options.PrivateUsers = ParseUsers(value); break;
                case "--disable-capabilities-restriction": options.AllCapabilities = value == "true"; break;
                case "--disable-paths": options.NoPathRestrictions = value == "true"; break;
                case "--disable-seccomp": options.NoSeccomp = value == "true"; break;
                case var _ when !argument.StartsWith('-'): options.Uuid = argument; break;
                default: throw new Stage1Exception($"stage1 does not know the flag {argument}");
            }
        }

        return options.Uuid.Length > 0 ? options : throw new Stage1Exception("stage1 was not told the pod's UUID");
    }

    static (uint, uint)? ParseUsers(string value)
    {
        int colon = value.IndexOf(':');
        return colon > 0 && uint.TryParse(value[..colon], out uint shift) && uint.TryParse(value[(colon + 1)..], out uint count)
            ? (shift, count)
            : throw new Stage1Exception($"'--private-users={value}' is not SHIFT:COUNT");
    }
}
