using System.Net;
using Nacelle.Linux;

namespace Nacelle.Kernel.Tests;

/// <summary>What goes to the kernel is what nft(8) shows, as it would write it itself.</summary>
public sealed class NftablesTests : IDisposable
{
    const NftablesFamily Inet = NftablesFamily.Inet;
    const string Table = "test";

    readonly TestNetwork network = new();

    [KernelFact]
    public void Chains_and_rules_are_those_that_nft_would_make() => Compare(
        new NftablesBatch(Inet, Table)
            .AddTable("made by a test")
            .AddSet(new("bridges", NftablesType.DeviceName))
            .AddSet(new("pairs", NftablesType.DeviceName, NftablesType.DeviceName))
            .AddSet(new("ports", NftablesType.Protocol, NftablesType.Port) { Data = [NftablesType.IPv4Address, NftablesType.Port] })
            .AddSet(new("ports6", NftablesType.IPv6Address, NftablesType.Protocol, NftablesType.Port) { Data = [NftablesType.IPv6Address, NftablesType.Port] })
            .AddSet(new("pods", NftablesType.IPv4Address) { LeadsToVerdicts = true })
            .AddChain("leave_10.1.0.0/16")
            .AddChain("lead")
            .AddChain("guard", "filter", NftablesHook.Prerouting, -300)
            .AddChain("in", "nat", NftablesHook.Prerouting, -100)
            .AddChain("out", "nat", NftablesHook.Postrouting, 100)
            .AddChain("pass", "filter", NftablesHook.Forward, 0)
            .AddRule("leave_10.1.0.0/16", new NftablesRule().WhenIn(IPNetwork.Parse("10.1.0.0/16"), source: false).Then(NftablesVerdict.Return))
            .AddRule("leave_10.1.0.0/16", new NftablesRule().WhenIn(IPNetwork.Parse("fd00:1::/61"), source: true).Then(NftablesVerdict.Drop))
            .AddRule("leave_10.1.0.0/16", new NftablesRule().Masquerade())
            .AddRule("lead", new NftablesRule().TranslateDestination("ports", 4, NftablesField.Protocol, NftablesField.DestinationPort))
            .AddRule("lead", new NftablesRule().WhenIPv6().TranslateDestination("ports6", 16, NftablesField.IPv6Destination, NftablesField.Protocol, NftablesField.DestinationPort))
            .AddRule("guard", new NftablesRule().WhenNotFromLoopback().WhenIn(IPNetwork.Parse("127.0.0.0/8"), source: false).Then(NftablesVerdict.Drop))
            .AddRule("in", new NftablesRule().WhenDestinationIsLocal().Then(NftablesVerdict.Jump("lead")))
            .AddRule("out", new NftablesRule().WhenDestinationWasTranslated().WhenIPv4().Decide("pods", NftablesField.IPv4Destination))
            .AddRule("pass", new NftablesRule().WhenIn("pairs", NftablesField.InputDevice, NftablesField.OutputDevice).Then(NftablesVerdict.Return))
            .AddRule("pass", new NftablesRule().WhenNotIn("bridges", NftablesField.InputDevice).WhenEstablishedOrRelated().Then(NftablesVerdict.Accept))
            .AddElement("bridges", new(NameOf("br0")))
            .AddElement("ports", new(NftablesElement.Join([6], [0x1f, 0x90])) { Data = NftablesElement.Join([10, 1, 0, 5], [0, 80]), Comment = "a pod" })
            .AddElement("pods", new([10, 1, 0, 5]) { Verdict = NftablesVerdict.Goto("leave_10.1.0.0/16"), Comment = "a pod" }),
        """
        table inet test {
            comment "made by a test"
            set bridges { type ifname; elements = { "br0" } }
            set pairs { type ifname . ifname; }
            map ports { type inet_proto . inet_service : ipv4_addr . inet_service; elements = { tcp . 8080 comment "a pod" : 10.1.0.5 . 80 } }
            map ports6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }
            chain leave_10.1.0.0/16 { ip daddr & 255.255.0.0 == 10.1.0.0 return; ip6 saddr & ffff:ffff:ffff:fff8:: == fd00:1:: drop; masquerade; }
            map pods { type ipv4_addr : verdict; elements = { 10.1.0.5 comment "a pod" : goto leave_10.1.0.0/16 } }
            chain lead {
                dnat ip to meta l4proto . th dport map @ports
                dnat ip6 to ip6 daddr . meta l4proto . th dport map @ports6
            }
            chain guard { type filter hook prerouting priority raw; iif != "lo" ip daddr 127.0.0.0/8 drop; }
            chain in { type nat hook prerouting priority dstnat; fib daddr type local jump lead; }
            chain out { type nat hook postrouting priority srcnat; ct status dnat ip daddr vmap @pods; }
            chain pass { type filter hook forward priority filter; iifname . oifname @pairs return; iifname != @bridges ct state established,related accept; }
        }
        """);

    [KernelFact]
    public void A_bridges_table_looks_at_hardware_addresses() => Compare(
        new NftablesBatch(NftablesFamily.Bridge, Table)
            .AddTable("made by a test")
            .AddSet(new("ports", NftablesType.DeviceName))
            .AddSet(new("sources", NftablesType.DeviceName, NftablesType.HardwareAddress))
            .AddChain("check", "filter", NftablesHook.Prerouting, -300)
            .AddRule("check", new NftablesRule()
                .WhenIn("ports", NftablesField.InputDevice).WhenNotIn("sources", NftablesField.InputDevice, NftablesField.HardwareSource).Then(NftablesVerdict.Drop))
            .AddElement("sources", new(NftablesElement.Join(NameOf("veth0"), [2, 0, 0, 0, 0, 1]))),
        """
        table bridge test {
            comment "made by a test"
            set ports { type ifname; }
            set sources { type ifname . ether_addr; elements = { "veth0" . 02:00:00:00:00:01 } }
            chain check { type filter hook prerouting priority -300; iifname @ports iifname . ether saddr != @sources drop; }
        }
        """,
        "bridge");

    [KernelFact]
    public void Making_all_again_changes_nothing()
    {
        void Make(NftablesSocket socket) => socket.Commit(new NftablesBatch(Inet, Table)
            .AddTable("one")
            .AddSet(new("pods", NftablesType.IPv4Address) { LeadsToVerdicts = true })
            .AddChain("out", "nat", NftablesHook.Postrouting, 100)
            .ClearChain("out")
            .AddRule("out", new NftablesRule().WhenIPv4().Decide("pods", NftablesField.IPv4Source)));
        Inside(socket =>
        {
            Make(socket);
            string before = network.Shell("nft list ruleset");
            Make(socket);
            Assert.Equal(before, network.Shell("nft list ruleset"));
        });
    }

    [KernelFact]
    public void A_batch_that_fails_halfway_does_nothing_and_says_where() => Inside(socket =>
    {
        var failure = Assert.Throws<KernelException>(() => socket.Commit(
            new NftablesBatch(Inet, Table).AddTable("one").AddChain("a").AddElement("missing", new([1, 2, 3, 4]) { Comment = "a pod" }).AddChain("b")));
        Assert.Equal(("add a pod to test missing", Errno.ENOENT), (failure.Operation.Split(" (")[0], failure.Errno));
        Assert.Null(socket.FindTable(Inet, Table));
        Assert.Empty(socket.ListElements(Inet, Table, "missing"));
        socket.Commit(new NftablesBatch(Inet, Table).AddTable("two"));
        Assert.Equal("two", socket.FindTable(Inet, Table));
    });

    [KernelFact]
    public void Elements_are_added_once_found_listed_and_removed() => Inside(socket =>
    {
        socket.Commit(new NftablesBatch(Inet, Table).AddTable("one").AddSet(new("ports", NftablesType.Protocol, NftablesType.Port) { Data = [NftablesType.IPv4Address, NftablesType.Port] }));
        byte[] Key(int port) => NftablesElement.Join([6], [(byte)(port >> 8), (byte)port]);
        const int Count = 3000; // more than one message's worth
        var batch = new NftablesBatch(Inet, Table);
        for (int port = 1; port <= Count; port++)
        {
            batch.AddElement("ports", new(Key(port)) { Data = NftablesElement.Join([10, 0, 0, 1], [0, 80]), Comment = $"pod {port}" });
        }

        socket.Commit(batch);
        Assert.Equal(Enumerable.Range(1, Count).Select(port => $"pod {port}").Order(), socket.ListElements(Inet, Table, "ports").Select(element => element.Comment).Order());
        var found = socket.FindElement(Inet, Table, "ports", Key(77));
        Assert.Equal("pod 77", found?.Comment);
        Assert.Equal([10, 0, 0, 1, 0, 80, 0, 0], found!.Data);
        var taken = Assert.Throws<KernelException>(() => socket.Commit(
            new NftablesBatch(Inet, Table).AddElement("ports", new(Key(77)) { Data = NftablesElement.Join([10, 0, 0, 2], [0, 80]), Comment = "other" })));
        Assert.True(taken.Errno is Errno.EEXIST or Errno.EBUSY, taken.Message);
        socket.Commit(new NftablesBatch(Inet, Table).RemoveElement("ports", Key(77)));
        Assert.Null(socket.FindElement(Inet, Table, "ports", Key(77)));
        Assert.Equal(Errno.ENOENT, Assert.Throws<KernelException>(() => socket.Commit(new NftablesBatch(Inet, Table).RemoveElement("ports", Key(77)))).Errno);
    });

    public void Dispose() => network.Dispose();

    static byte[] NameOf(string device) => [.. System.Text.Encoding.ASCII.GetBytes(device.PadRight(16, '\0'))];

    void Inside(Action<NftablesSocket> action)
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/nft"), "needs nftables");
        network.Run(() =>
        {
            using var socket = NftablesSocket.Open();
            try
            {
                socket.FindTable(Inet, Table);
            }
            catch (KernelException lacking) when (lacking.Errno is Errno.EINVAL or Errno.EOPNOTSUPP)
            {
                Assert.Skip("the kernel has no nf_tables");
            }

            action(socket);
        });
    }

    /// <summary>Compares what a batch makes with what nft(8) makes of a text, in a second namespace.</summary>
    void Compare(NftablesBatch batch, string text, string family = "inet") => Inside(socket =>
    {
        socket.Commit(batch);
        using var peer = new TestNetwork();
        using var file = new TemporaryDirectory();
        File.WriteAllText($"{file.Path}/rules", text);
        peer.Shell($"nft -f {file.Path}/rules");
        Assert.Equal(Sorted(peer.Shell($"nft list table {family} {Table}")), Sorted(network.Shell($"nft list table {family} {Table}")));
    });

    /// <summary>Blocks in the order of their first lines: sets and chains come in the order in which they were made.</summary>
    static string Sorted(string ruleset) => string.Join("\n\n", ruleset.Split("\n\n").Select(block => block.Trim()).Order(StringComparer.Ordinal));
}
