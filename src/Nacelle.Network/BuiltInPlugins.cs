namespace Nacelle.Network;

/// <summary>The plug-ins that are built in, by the names of the programs for which they stand; and <c>pasta</c>, our own.</summary>
public static class BuiltInPlugins
{
    public static IReadOnlyList<NetworkPlugin> All { get; } =
    [
        Loopback.Plugin, Bridge.Plugin, PointToPoint.Plugin, HostLocal.Plugin, StaticAddresses.Plugin, PortForwarding.Plugin, Firewall.Plugin, Tuning.Plugin, Bandwidth.Plugin, Pasta.Plugin,
    ];
}
