using System.Net;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public sealed class VirtualLinkTests : IDisposable
{
    readonly TestNetwork host = new(), pod = new();

    [KernelFact]
    public void A_pair_is_made_in_two_namespaces_at_once()
    {
        using var socket = host.Open();
        socket.Apply(VirtualLinks.CreatingPair(
            new NewLink("a0") { Mtu = 1400, HardwareAddress = [2, 0, 0, 0, 0, 1] }, new NewLink("eth0") { Mtu = 1400, HardwareAddress = [2, 0, 0, 0, 0, 2], Namespace = pod.Descriptor }));
        using var inside = pod.Open();
        var outer = NetworkLink.Find(socket, "a0")!;
        var inner = NetworkLink.Find(inside, "eth0")!;
        Assert.True(outer is { Kind: "veth", Mtu: 1400, HardwareAddress: [2, 0, 0, 0, 0, 1], IsUp: false }, $"{outer}");
        Assert.True(inner is { Kind: "veth", Mtu: 1400, HardwareAddress: [2, 0, 0, 0, 0, 2] }, $"{inner}");
        Assert.Equal((inner.Index, outer.Index), (outer.Peer, inner.Peer));
        Assert.Equal(outer.Name, NetworkLink.Find(socket, inner.Peer)!.Name);
    }

    [KernelFact]
    public void A_pair_carries_when_both_ends_are_up()
    {
        using var socket = host.Open();
        using var inside = pod.Open();
        socket.Apply(VirtualLinks.CreatingPair(new NewLink("a0"), new NewLink("eth0") { Namespace = pod.Descriptor }));
        socket.Apply(NetworkLink.Find(socket, "a0")!.Changing(new LinkSettings { IsUp = true }));
        Wait.Until(() => !NetworkLink.Find(socket, "a0")!.Carries, () => host.Ip("-d link")); // unknown until the kernel's work queue has looked
        inside.Apply(NetworkLink.Find(inside, "eth0")!.Changing(new LinkSettings { IsUp = true }));
        Wait.Until(() => NetworkLink.Find(socket, "a0")!.Carries && NetworkLink.Find(inside, "eth0")!.Carries, () => host.Ip("-d link"));
    }

    [KernelFact]
    public void A_port_joins_a_bridge_and_is_treated_as_asked()
    {
        using var socket = host.Open();
        socket.Apply(VirtualLinks.CreatingBridge(new NewLink("br0") { Mtu = 1450 }), VirtualLinks.CreatingPair(new NewLink("a0"), new NewLink("b0")));
        var bridge = NetworkLink.Find(socket, "br0")!;
        var port = NetworkLink.Find(socket, "a0")!;
        Assert.True(bridge is { Kind: "bridge", Mtu: 1450 }, $"{bridge}");
        socket.Apply(port.Changing(new LinkSettings { Master = bridge.Index, IsUp = true }), BridgePort.Changing(port, reflects: true, isolated: true));
        Assert.Equal(bridge.Index, NetworkLink.Find(socket, "a0")!.Master);
        string shown = host.Ip("-d link show a0");
        Assert.Contains("hairpin on", shown, StringComparison.Ordinal);
        Assert.Contains("isolated on", shown, StringComparison.Ordinal);
        socket.Apply(port.Changing(new LinkSettings { Master = 0 }));
        Assert.Equal(0, NetworkLink.Find(socket, "a0")!.Master);
    }

    [KernelFact]
    public void What_a_device_is_set_to_is_read_back()
    {
        using var socket = host.Open();
        socket.Apply(VirtualLinks.CreatingPair(new NewLink("a0"), new NewLink("b0")));
        var settings = new LinkSettings { Name = "c0", Mtu = 1300, HardwareAddress = [2, 0, 0, 0, 0, 9], IsPromiscuous = true, TakesAllGroups = true, QueueLength = 77 };
        socket.Apply(NetworkLink.Find(socket, "a0")!.Changing(settings));
        var link = NetworkLink.Find(socket, "c0");
        Assert.True(link is { Mtu: 1300, HardwareAddress: [2, 0, 0, 0, 0, 9], IsPromiscuous: true, TakesAllGroups: true, QueueLength: 77, IsUp: false }, $"{link}");
        socket.Apply(link.Changing(new LinkSettings { IsPromiscuous = false, TakesAllGroups = false }));
        Assert.True(NetworkLink.Find(socket, "c0") is { IsPromiscuous: false, TakesAllGroups: false }, host.Ip("link"));
        socket.Apply(link.Removing());
        Assert.Null(NetworkLink.Find(socket, "b0"));
    }

    [KernelFact]
    public void Of_several_changes_the_first_that_fails_is_named_and_the_socket_stays_usable()
    {
        using var socket = host.Open();
        socket.Apply(VirtualLinks.CreatingPair(new NewLink("a0"), new NewLink("b0")));
        var a = NetworkLink.Find(socket, "a0")!;
        var gone = a with { Index = 4711, Name = "gone" };
        var failure = Assert.Throws<KernelException>(() => socket.Apply(a.Changing(new LinkSettings { IsUp = true }), gone.Removing(), gone.Removing(), a.Changing(new LinkSettings { Mtu = 1300 })));
        Assert.Equal(("remove network device gone", Errno.ENODEV), (failure.Operation, failure.Errno));
        Assert.True(NetworkLink.Find(socket, "a0") is { IsUp: true, Mtu: 1300 }, host.Ip("link"));
    }

    [KernelFact]
    public void Addresses_come_and_go()
    {
        using var socket = host.Open();
        var loopback = NetworkLink.Find(socket, "lo")!;
        var four = new NetworkAddress(IPAddress.Parse("10.1.2.3"), 24, NetworkAddress.WithoutRoute, 0);
        var six = new NetworkAddress(IPAddress.Parse("fd00::3"), 64, NetworkAddress.WithoutRoute | NetworkAddress.WithoutDetection, 0);
        socket.Apply(loopback.Changing(new LinkSettings { IsUp = true }), four.Adding(loopback), six.Adding(loopback));
        string shown = host.Ip("address show lo");
        Assert.Contains("inet 10.1.2.3/24 scope global noprefixroute lo", shown, StringComparison.Ordinal);
        Assert.Contains("inet6 fd00::3/64 scope global nodad noprefixroute", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("10.1.2.0/24", host.Ip("route show table all"), StringComparison.Ordinal);
        socket.Apply(four.Removing(loopback), six.Removing(loopback));
        Assert.DoesNotContain("global", host.Ip("address show lo"), StringComparison.Ordinal);
        Assert.Equal(Errno.EADDRNOTAVAIL, Assert.Throws<KernelException>(() => socket.Apply(four.Removing(loopback))).Errno);
    }

    public void Dispose()
    {
        host.Dispose();
        pod.Dispose();
    }
}
