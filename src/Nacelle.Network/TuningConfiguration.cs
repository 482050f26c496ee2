using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>What tuning is told. See the documentation of the plug-in.</summary>
/// <param name="Settings">Below /proc/sys, as in <c>net/ipv4/conf/eth0/log_martians</c>.</param>
/// <param name="Link">What changes of the pod's device; null for nothing.</param>
sealed record TuningConfiguration(string DataDirectory, IReadOnlyList<KeyValuePair<string, string>> Settings, LinkSettings? Link)
{
    const string UsualDataDirectory = "/run/cni/tuning";

    public static TuningConfiguration Read(PluginCall call)
    {
        var root = SpecNode.Of(call.Configuration);
        var arguments = root.Find("args")?.Find("cni");

        // What stands in args comes in the place of what the configuration says.
        SpecNode? Chosen(string name) => arguments?.Find(name) ?? root.Find(name);
        string? mac = arguments?.FindFilled("mac") ?? root.Find("runtimeConfig")?.FindFilled("mac") ?? call.FindArgument("MAC") ?? root.FindFilled("mac");
        var link = new LinkSettings
        {
            HardwareAddress = mac is null ? null : PluginOptions.ParseMac(mac, "mac"),
            Mtu = Chosen("mtu")?.UInt() is > 0 and var mtu ? mtu : null,
            IsPromiscuous = Chosen("promisc")?.Flag() == true ? true : null,
            TakesAllGroups = Chosen("allmulti")?.Flag(),
            QueueLength = Chosen("txQLen")?.UInt(),
        };
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in (root.Map("sysctl") ?? Empty).Concat(arguments?.Map("sysctl") ?? Empty))
        {
            settings[NameOf(key, call.InterfaceName)] = value;
        }

        return new TuningConfiguration(root.FindFilled("dataDir") ?? UsualDataDirectory, [.. settings], link == new LinkSettings() ? null : link);
    }

    static readonly Dictionary<string, string> Empty = [];

    /// <summary>The name with slashes; <c>IFNAME</c> in it stands for the pod's device.</summary>
    static string NameOf(string key, string device)
    {
        const string Placeholder = "IFNAME";
        string name = key.Replace('.', '/');
        int at = name.IndexOf(Placeholder, StringComparison.Ordinal);
        name = at < 0 ? name : name[..at] + device + name[(at + Placeholder.Length)..];
        return name.StartsWith("net/", StringComparison.Ordinal) && !name.Split('/').Any(part => part is "" or "." or "..")
            ? name
            : throw new SpecException($"sysctl.{key}", "is not a setting of the network, as in net.ipv4.conf.IFNAME.log_martians");
    }
}
