using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public sealed class NetworkDeviceTests : IDisposable
{
    readonly List<TestNetwork> namespaces = [];

    [KernelFact]
    public void A_device_moves_under_a_new_name_and_is_up_there()
    {
        var (host, container) = TwoNamespaces();
        Ip(host, "link add a0 mtu 1400 type veth peer name b0");
        Ip(host, "link set a0 address 02:00:00:00:00:07");
        using var socket = NetlinkSocket.Open(host);
        Assert.Equal("c0", NetworkDevices.Move(socket, "a0", container, "c0"));
        Assert.Null(NetworkLink.Find(socket, "a0"));
        using var inside = NetlinkSocket.Open(container);
        var link = NetworkLink.Find(inside, "c0")!;
        Assert.True(link is { IsUp: true, Mtu: 1400, HardwareAddress: [2, 0, 0, 0, 0, 7] }, $"{link}");
        Assert.Equal(["c0", "lo"], NetworkLink.List(inside).Select(one => one.Name).Order());
    }

    [KernelFact]
    public void Permanent_global_addresses_move_along_and_others_do_not()
    {
        var (host, container) = TwoNamespaces();
        Ip(host, "link add a0 type veth peer name b0");
        Ip(host, "link set b0 up");
        Ip(host, "link set a0 up");
        Ip(host, "address add 10.1.2.3/24 broadcast 10.1.2.255 dev a0");
        Ip(host, "address add 10.1.2.4/24 dev a0 label a0:x");
        Ip(host, "address add 10.9.9.1 peer 10.9.9.2/32 dev a0 metric 77");
        Ip(host, "address add 10.5.5.5/24 dev a0 valid_lft 1000 preferred_lft 500");
        Ip(host, "address add 10.6.6.6/24 dev a0 scope link");
        Ip(host, "address add 10.7.7.7/24 dev a0 noprefixroute");
        bool six = File.Exists("/proc/sys/net/ipv6/conf/all/disable_ipv6");
        if (six)
        {
            Ip(host, "address add fd00:1::5/64 dev a0 nodad");
            Ip(host, "address add fd00:2::5/64 dev a0 nodad preferred_lft 0");
        }

        using var socket = NetlinkSocket.Open(host);
        NetworkDevices.Move(socket, "a0", container, "c0");
        Assert.Equal(
            [
                "inet 10.1.2.3/24 brd 10.1.2.255 scope global c0", "inet 10.1.2.4/24 scope global secondary c0:x", "inet 10.7.7.7/24 scope global noprefixroute c0",
                "inet 10.9.9.1 peer 10.9.9.2/32 metric 77 scope global c0",
            ],
            Addresses(container, "-4"));
        if (six)
        {
            Assert.Equal(["inet6 fd00:1::5/64 scope global nodad", "inet6 fd00:2::5/64 scope global nodad deprecated"], Addresses(container, "-6").Where(line => line.Contains("global")));
        }
    }

    [KernelFact]
    public void A_device_that_moved_reaches_its_peer()
    {
        var (host, container) = TwoNamespaces();
        Ip(host, "link add a0 type veth peer name b0");
        Ip(host, "address add 10.1.2.3/24 dev a0");
        Ip(host, "address add 10.1.2.1/24 dev b0");
        Ip(host, "link set b0 up");
        using var socket = NetlinkSocket.Open(host);
        NetworkDevices.Move(socket, "a0", container, "a0");
        Wait.Until(() => Ip(container, "-o link show a0").Contains("state UP", StringComparison.Ordinal), () => Ip(container, "-o link show a0"));
        Assert.Contains("dev a0", Ip(container, "route get 10.1.2.1"), StringComparison.Ordinal);
    }

    [KernelFact]
    public void A_name_that_is_taken_is_refused_before_anything_moves()
    {
        var (host, container) = TwoNamespaces();
        Ip(host, "link add a0 type veth peer name b0");
        Ip(container, "link add c0 type veth peer name d0");
        using var socket = NetlinkSocket.Open(host);
        var failure = Assert.Throws<KernelException>(() => NetworkDevices.Move(socket, "a0", container, "c0"));
        Assert.Equal(Errno.EEXIST, failure.Errno);
        Assert.NotNull(NetworkLink.Find(socket, "a0"));
    }

    [KernelFact]
    public void A_template_is_given_a_number_that_is_free()
    {
        var (host, container) = TwoNamespaces();
        Ip(host, "link add a0 type veth peer name b0");
        Ip(container, "link add eth0 type veth peer name a0");
        using var socket = NetlinkSocket.Open(host);
        Assert.Equal("eth1", NetworkDevices.Move(socket, "a0", container, "eth%d"));
        Assert.Equal("eth2", NetworkDevices.Move(socket, "b0", container, "eth%d"));
    }

    [KernelFact]
    public void A_device_whose_old_name_is_taken_there_moves_under_the_new_one()
    {
        var (host, container) = TwoNamespaces();
        Ip(host, "link add a0 type veth peer name b0");
        Ip(container, "link add a0 type veth peer name d0");
        using var socket = NetlinkSocket.Open(host);
        Assert.Equal("c0", NetworkDevices.Move(socket, "a0", container, "c0"));
    }

    [KernelFact]
    public void A_device_that_is_not_there_or_cannot_move_is_named()
    {
        var (host, container) = TwoNamespaces();
        using var socket = NetlinkSocket.Open(host);
        var missing = Assert.Throws<KernelException>(() => NetworkDevices.Move(socket, "a0", container, "a0"));
        Assert.Equal("move network device a0: ENODEV (No such device)", missing.Message);
        var fixedOne = Assert.Throws<KernelException>(() => NetworkDevices.Move(socket, "lo", container, "c0"));
        Assert.Equal(Errno.EINVAL, fixedOne.Errno);
        Assert.Contains("move network device lo to c0", fixedOne.Message, StringComparison.Ordinal);
    }

    [KernelFact]
    public void A_descriptor_of_something_else_is_no_namespace()
    {
        using var file = Files.Open("/dev/null", OpenFlags.ReadOnly);
        Assert.Equal(Errno.EINVAL, Assert.Throws<KernelException>(() => NetlinkSocket.Open(file)).Errno);
    }

    [KernelFact]
    public void Many_devices_and_addresses_are_listed_to_the_last()
    {
        var (host, _) = TwoNamespaces();
        const int Count = 300;
        using var commands = new TemporaryDirectory();
        File.WriteAllLines(
            $"{commands.Path}/batch",
            Enumerable.Range(0, Count).Select(i => i % 2 == 0 ? $"link add d{i} type veth peer name d{i + 1}" : $"address add 10.0.{i / 250}.{i % 250}/16 dev lo"));
        Ip(host, $"-batch {commands.Path}/batch");
        using var socket = NetlinkSocket.Open(host);
        Assert.Equal(Count + 1, NetworkLink.List(socket).Count);
        Assert.Equal(Count / 2, NetworkAddress.List(socket, NetworkLink.Find(socket, "lo")!).Count(address => address.Local.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork));
    }

    [Fact]
    public void Attributes_that_are_cut_off_end_the_walk()
    {
        byte[] bytes = [8, 0, 1, 0, 1, 2, 3, 4, 6, 0, 2, 0, 9, 9, 0, 0, 200, 0, 3, 0, 1];
        var attributes = new NetlinkAttributes(bytes);
        Assert.True(attributes.MoveNext());
        Assert.Equal((1, 0x04030201u), (attributes.Type, attributes.Number));
        Assert.True(attributes.MoveNext());
        Assert.Equal((2, 2), (attributes.Type, attributes.Value.Length));
        Assert.False(attributes.MoveNext());
    }

    [Fact]
    public void Attributes_are_read_as_they_were_written()
    {
        var message = new NetlinkWriter(16, 4).Structure(7UL).Attribute(1, "abc").Nested(2, inner => inner.Attribute(3, 5u).Attribute(4, [1])).Attribute(5, []).Finish(9).ToArray();
        Assert.Equal(message.Length, BitConverter.ToInt32(message));
        var attributes = new NetlinkMessage(16, message[16..]).Attributes<ulong>();
        Assert.True(attributes.MoveNext());
        Assert.Equal((1, "abc"), (attributes.Type, attributes.Text));
        Assert.True(attributes.MoveNext());
        Assert.Equal(2, attributes.Type);
        var inner = attributes.Nested;
        Assert.True(inner.MoveNext() && inner is { Type: 3, Number: 5 } && inner.MoveNext() && inner is { Type: 4, Value: [1] } && !inner.MoveNext());
        Assert.True(attributes.MoveNext() && attributes is { Type: 5, Value: [] } && !attributes.MoveNext());
    }

    public void Dispose() => namespaces.ForEach(one => one.Dispose());

    (FileDescriptor Host, FileDescriptor Container) TwoNamespaces()
    {
        namespaces.AddRange([new TestNetwork(), new TestNetwork()]);
        return (namespaces[^2].Descriptor, namespaces[^1].Descriptor);
    }

    List<string> Addresses(FileDescriptor network, string family)
    {
        // N: NAME inet …\ valid_lft …
        return [.. Ip(network, $"{family} -o address show dev c0").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => string.Join(' ', line.Split('\\')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)[2..])).Order(StringComparer.Ordinal)];
    }

    string Ip(FileDescriptor network, string command) => namespaces.Find(one => one.Descriptor == network)!.Ip(command);
}
