using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

public sealed class TrafficControlTests : IDisposable
{
    readonly TestNetwork network = new();

    [KernelFact]
    public void A_limit_is_as_tc_would_set_it()
    {
        using var socket = network.Open();
        var link = Prepare(socket);
        Assert.Null(TrafficControl.FindLimit(socket, link));
        Try(() => socket.Apply(TrafficControl.Limiting(link, new TokenBucket(125_000, 4096, 7221))));
        Assert.Matches("qdisc tbf 1: root refcnt [0-9]+ rate 1Mbit burst 4Kb lat 25", network.Shell("tc qdisc show dev a0"));
        Assert.Equal(new TokenBucket(125_000, 4096, 7221), TrafficControl.FindLimit(socket, link));
    }

    [KernelFact]
    public void Rates_beyond_four_gigabytes_are_set_whole()
    {
        using var socket = network.Open();
        var link = Prepare(socket);
        Try(() => socket.Apply(TrafficControl.Limiting(link, new TokenBucket(12_500_000_000, 400_000_000, 400_000_000))));
        Assert.Contains("rate 100Gbit", network.Shell("tc qdisc show dev a0"), StringComparison.Ordinal);
        Assert.Equal(12_500_000_000u, TrafficControl.FindLimit(socket, link)!.BytesPerSecond);
    }

    [KernelFact]
    public void What_comes_in_is_led_through_another_device()
    {
        using var socket = network.Open();
        var link = Prepare(socket);
        Try(() => socket.Apply(VirtualLinks.CreatingIntermediate(new NewLink("ifb7"))));
        Try(() => socket.Apply([.. TrafficControl.Redirecting(link, NetworkLink.Find(socket, "ifb7")!)]));
        string shown = network.Shell("tc filter show dev a0 parent ffff:");
        Assert.Contains("filter protocol all pref 1 u32", shown, StringComparison.Ordinal);
        Assert.Contains("match 00000000/00000000 at 0", shown, StringComparison.Ordinal);
        Assert.Contains("mirred (Egress Redirect to device ifb7) stolen", shown, StringComparison.Ordinal);
    }

    public void Dispose() => network.Dispose();

    static void Try(Action change)
    {
        try
        {
            change();
        }
        catch (KernelException lacking) when (lacking.Errno is Errno.ENOENT or Errno.EOPNOTSUPP)
        {
            Assert.Skip($"the kernel cannot: {lacking.Message}");
        }
    }

    NetworkLink Prepare(NetlinkSocket socket)
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/tc") || File.Exists("/sbin/tc"), "needs tc of iproute2");
        network.Ip("link add a0 type veth peer name b0");
        return NetworkLink.Find(socket, "a0")!;
    }
}
