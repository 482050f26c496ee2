using System.Net;
using System.Net.Sockets;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public sealed class ConnectionTrackingTests : IDisposable
{
    const byte Udp = 17;

    readonly TestNetwork network = new();

    [KernelFact]
    public void Connections_to_a_port_are_forgotten_and_others_are_not()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/nft") && File.Exists("/usr/sbin/conntrack"), "needs nftables and conntrack");
        network.Ip("link set lo up");
        Assert.SkipUnless(network.Try("nft add table inet t; nft add chain inet t c '{ type filter hook output priority 0; }'; nft add rule inet t c ct state new accept").Code == 0, "the kernel has no nf_tables");
        network.Run(() =>
        {
            foreach (var (address, port) in (IEnumerable<(IPAddress, int)>)[(IPAddress.Loopback, 7001), (IPAddress.Loopback, 7002), (IPAddress.IPv6Loopback, 7001)])
            {
                using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
                socket.SendTo([1], new IPEndPoint(address, port));
            }

            Assert.Equal((2, 1), (Count("dport=7001"), Count("dport=7002")));
            using var tracking = ConnectionTracking.Open();
            tracking.Remove(Udp, 7001);
            Assert.Equal((0, 1), (Count("dport=7001"), Count("dport=7002")));
            tracking.Remove(Udp, 7001);
        });
    }

    public void Dispose() => network.Dispose();

    int Count(string what) => network.Shell("conntrack -L -f ipv4 -p udp 2>/dev/null; conntrack -L -f ipv6 -p udp 2>/dev/null").Split('\n').Count(line => line.Contains(what, StringComparison.Ordinal));
}
