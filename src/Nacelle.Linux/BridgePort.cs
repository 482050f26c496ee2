namespace Nacelle.Linux;

/// <summary>How a bridge treats one of its ports. See ip-link(8), "BRIDGE SLAVE", and bridge(8).</summary>
public static class BridgePort
{
    const ushort IFLA_INFO_SLAVE_KIND = 4, IFLA_INFO_SLAVE_DATA = 5, IFLA_BRPORT_MODE = 4, IFLA_BRPORT_ISOLATED = 33;

    /// <param name="reflects">Whether traffic may leave by the port that it came in by.</param>
    /// <param name="isolated">Whether it may reach other ports that are isolated. Linux 4.18.</param>
    /// <remarks>EINVAL: the device is no port, or becomes one in the very same message.</remarks>
    public static NetworkChange Changing(NetworkLink port, bool reflects, bool isolated) => new(
        $"change port {port.Name} of its bridge",
        new NetlinkWriter(NetworkLink.RTM_NEWLINK, 0)
            .Structure(new NetworkLink.Header { Index = port.Index })
            .Nested(NetworkLink.IFLA_LINKINFO, information => information
                .Attribute(IFLA_INFO_SLAVE_KIND, "bridge")
                .Nested(IFLA_INFO_SLAVE_DATA, data => data.Attribute(IFLA_BRPORT_MODE, Flag(reflects)).Attribute(IFLA_BRPORT_ISOLATED, Flag(isolated)))));

    static byte[] Flag(bool set) => [set ? (byte)1 : (byte)0];
}
