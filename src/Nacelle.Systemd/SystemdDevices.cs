using Nacelle.Linux;

namespace Nacelle.Systemd;

/// <summary>Turns device rules into what systemd can say: a list of what is allowed. See systemd.resource-control(5), "DeviceAllow".</summary>
static class SystemdDevices
{
    /// <remarks>
    /// Where the rules make exceptions that a list cannot, it allows what they deny: in version 2 our own program stands beside systemd's, and
    /// the stricter counts.
    /// </remarks>
    public static IEnumerable<SystemdProperty> Properties(IReadOnlyList<DeviceRule> rules)
    {
        bool all = false;
        List<DeviceRule> allowed = [];
        foreach (var rule in rules)
        {
            if (rule is { Kind: DeviceKind.Any, Major: null, Minor: null, Access: DeviceAccess.All })
            {
                all = rule.Allow;
                allowed.Clear();
            }
            else if (rule.Allow)
            {
                allowed.Add(rule);
            }
            else
            {
                for (int i = 0; i < allowed.Count; i++)
                {
                    allowed[i] = Contains(rule, allowed[i]) ? allowed[i] with { Access = allowed[i].Access & ~rule.Access } : allowed[i];
                }

                allowed.RemoveAll(other => other.Access == DeviceAccess.None);
            }
        }

        // An empty list first takes away what was there: SetUnitProperties adds to it.
        const string Entry = "(ss)";
        yield return new("DevicePolicy", BusValue.Text(all ? "auto" : "strict"));
        yield return new("DeviceAllow", BusValue.Array(Entry));
        if (!all && allowed.Count > 0)
        {
            yield return new("DeviceAllow", BusValue.Array(Entry, [.. allowed.SelectMany(Entries)]));
        }
    }

    static IEnumerable<BusValue> Entries(DeviceRule rule)
    {
        string access = rule.ToString().Split(' ')[^1];
        foreach (var kind in rule.Kind == DeviceKind.Any ? (DeviceKind[])[DeviceKind.Block, DeviceKind.Character] : [rule.Kind])
        {
            string name = kind == DeviceKind.Block ? "block" : "char";
            foreach (var device in Names(name, rule))
            {
                yield return BusValue.Structure(BusValue.Text(device), BusValue.Text(access));
            }
        }
    }

    /// <summary>A node is named by its numbers; all of a major number by the driver, as /proc/devices has it.</summary>
    static IEnumerable<string> Names(string kind, DeviceRule rule) => rule switch
    {
        { Major: null } => [$"{kind}-*"],
        { Major: { } major, Minor: { } minor } => [$"/dev/{kind}/{major}:{minor}"],
        { Major: { } major } => Drivers(kind == "block" ? "Block devices:" : "Character devices:", major).Select(driver => $"{kind}-{driver}"),
    };

    static IEnumerable<string> Drivers(string section, uint major)
    {
        bool within = false;
        var names = new List<string>();
        foreach (var line in (Files.TryReadText(FileDescriptor.WorkingDirectory, "/proc/devices") ?? "").Split('\n'))
        {
            within = line.EndsWith(':') ? line == section : within;
            if (within && line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var number, var name] && number == $"{major}" && !names.Contains(name))
            {
                names.Add(name);
            }
        }

        return names;
    }

    static bool Contains(DeviceRule wide, DeviceRule narrow) =>
        (wide.Kind == DeviceKind.Any || wide.Kind == narrow.Kind) && (wide.Major is null || wide.Major == narrow.Major) && (wide.Minor is null || wide.Minor == narrow.Minor);
}
