using System.Net;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public sealed class LinkRouteTests : IDisposable
{
    readonly TestNetwork network = new();

    [KernelFact]
    public void Routes_are_added_shown_and_removed()
    {
        using var socket = network.Open();
        var link = Prepare(socket);
        var gateway = new LinkRoute(IPNetwork.Parse("10.1.0.1/32"), link) { Scope = LinkRoute.OnLink, Source = IPAddress.Parse("10.1.0.5") };
        var subnet = new LinkRoute(IPNetwork.Parse("10.1.0.0/24"), link) { Gateway = IPAddress.Parse("10.1.0.1"), Source = IPAddress.Parse("10.1.0.5") };
        var tuned = new LinkRoute(IPNetwork.Parse("10.3.0.0/16"), link) { Gateway = IPAddress.Parse("10.1.0.1"), Priority = 77, Mtu = 1300, AdvertisedSegment = 1200, Table = 100 };
        var everywhere = new LinkRoute(IPNetwork.Parse("0.0.0.0/0"), link) { Gateway = IPAddress.Parse("10.9.9.9"), GatewayIsOnLink = true };
        var six = new LinkRoute(IPNetwork.Parse("::/0"), link) { Gateway = IPAddress.Parse("fd00::1") };
        socket.Apply(gateway.Adding(), subnet.Adding(), tuned.Adding(), everywhere.Adding(), six.Adding());
        Assert.Equal(
            ["10.1.0.0/24 via 10.1.0.1 dev a0 src 10.1.0.5", "10.1.0.1 dev a0 scope link src 10.1.0.5", "default via 10.9.9.9 dev a0 onlink"],
            Lines(network.Ip("-4 route show")));
        Assert.Equal(["10.3.0.0/16 via 10.1.0.1 dev a0 metric 77 mtu 1300 advmss 1200"], Lines(network.Ip("-4 route show table 100")));
        Assert.Contains("default via fd00::1 dev a0", network.Ip("-6 route show"), StringComparison.Ordinal);
        var listed = LinkRoute.List(socket);
        Assert.Contains(gateway, listed);
        Assert.Contains(subnet, listed);
        Assert.Contains(everywhere, listed);
        Assert.Contains(listed, route => route is { Gateway: { } by, Destination.PrefixLength: 0 } && by.Equals(IPAddress.Parse("fd00::1")));
        Assert.Equal([tuned], LinkRoute.List(socket, 100));
        socket.Apply(everywhere.Removing(), tuned.Removing());
        Assert.Empty(LinkRoute.List(socket, 100));
        Assert.Equal(Errno.ESRCH, Assert.Throws<KernelException>(() => socket.Apply(everywhere.Removing())).Errno);
    }

    [KernelFact]
    public void A_route_takes_the_place_of_another()
    {
        using var socket = network.Open();
        int link = Prepare(socket);
        var near = new LinkRoute(IPNetwork.Parse("10.1.0.0/24"), link) { Scope = LinkRoute.OnLink };
        socket.Apply(near.Adding(), new LinkRoute(IPNetwork.Parse("0.0.0.0/0"), link) { Gateway = IPAddress.Parse("10.1.0.1") }.Adding());
        socket.Apply(new LinkRoute(IPNetwork.Parse("0.0.0.0/0"), link) { Gateway = IPAddress.Parse("10.1.0.2") }.Replacing());
        Assert.Equal(["default via 10.1.0.2 dev a0"], Lines(network.Ip("-4 route show default")));
        Assert.Equal(Errno.EEXIST, Assert.Throws<KernelException>(() => socket.Apply(near.Adding())).Errno);
    }

    [KernelFact]
    public void The_way_to_an_address_is_found()
    {
        using var socket = network.Open();
        int link = Prepare(socket);
        socket.Apply(new LinkRoute(IPNetwork.Parse("10.1.0.0/24"), link) { Scope = LinkRoute.OnLink }.Adding());
        Assert.Equal(link, LinkRoute.FindLink(socket, IPAddress.Parse("10.1.0.77")));
        Assert.Equal(link, LinkRoute.FindLink(socket, IPAddress.Parse("fd00::77")));
        Assert.Null(LinkRoute.FindLink(socket, IPAddress.Parse("192.0.2.1")));
    }

    public void Dispose() => network.Dispose();

    int Prepare(NetlinkSocket socket)
    {
        network.Ip("link add a0 type veth peer name b0");
        network.Ip("link set b0 up");
        network.Ip("link set a0 up");
        network.Ip("address add 10.1.0.5/32 dev a0");
        network.Ip("address add fd00::5/64 dev a0 nodad");
        return NetworkLink.Find(socket, "a0")!.Index;
    }

    static IEnumerable<string> Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Order(StringComparer.Ordinal);
}
