using System.Net;
using System.Text.Json;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network.Tests;

/// <summary>host-local as it is built in: the same addresses and the same files as Debian's program, in directories of the test's own.</summary>
public sealed class LeaseTests : IDisposable
{
    static readonly NetworkPlugin BuiltIn = new NetworkPlugins([]).Find("host-local", default);

    readonly TemporaryDirectory directory = new();

    public static TheoryData<string, string> Ranges => new()
    {
        { "one", """ "subnet":"10.1.0.0/29" """ },
        { "with ends and gateway", """ "subnet":"10.1.0.0/24","rangeStart":"10.1.0.10","rangeEnd":"10.1.0.14","gateway":"10.1.0.12" """ },
        { "several in a set", """ "ranges":[[{"subnet":"10.1.0.0/29"},{"subnet":"10.2.0.0/29","gateway":"10.2.0.6"}]] """ },
        { "dual stack", """ "ranges":[[{"subnet":"10.1.0.0/28"}],[{"subnet":"fd00::/125"},{"subnet":"fd00:0:0:1::/64","rangeStart":"fd00:0:0:1::fffe"}]] """ },
        { "two of a family", """ "ranges":[[{"subnet":"10.1.0.0/29"}],[{"subnet":"10.3.0.0/29"}]] """ },
    };

    /// <summary>Both are asked the same, one after the other, in directories of their own; and then the other goes on with what one has left.</summary>
    [Theory]
    [MemberData(nameof(Ranges))]
    public void It_gives_what_Debians_program_gives(string what, string ranges)
    {
        Assert.SkipUnless(File.Exists($"{PluginPeer.Programs}/host-local"), "needs Debian's containernetworking-plugins");
        var program = new NetworkPlugins([PluginPeer.Programs]).Find("host-local", default);
        string one = $"{directory.Path}/one", other = $"{directory.Path}/other";
        for (int step = 0; step < 24; step++)
        {
            // Twice as many come as go, until all is taken; of those that go it is now an early, now a late one.
            var (mine, its) = step % 3 == 2
                ? (Remove(BuiltIn, one, ranges, $"pod-{step / 2}"), Remove(program, other, ranges, $"pod-{step / 2}"))
                : (Add(BuiltIn, one, ranges, $"pod-{step}"), Add(program, other, ranges, $"pod-{step}"));
            Assert.Equal((what, step, its), (what, step, mine.Contains("exhausted", StringComparison.Ordinal) ? Exhausted : mine));
            Assert.Equal(Show($"{other}/n1"), Show($"{one}/n1"));
            (one, other) = (other, one);
        }
    }

    [Fact]
    public void An_address_is_given_once_however_many_ask_at_the_same_time()
    {
        const int Count = 100;
        var given = new string[Count];
        var threads = Enumerable.Range(0, Count).Select(i => new Thread(() => given[i] = Add(BuiltIn, directory.Path, """ "ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00::/64"}]] """, $"pod-{i}"))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(Count, given.Distinct().Count());
        Assert.DoesNotContain(given, one => !one.StartsWith("10.1.0.", StringComparison.Ordinal));
        Assert.Equal(2 * Count, Show($"{directory.Path}/n1").Split('\n').Count(line => line.Contains("pod-", StringComparison.Ordinal)));
    }

    [Fact]
    public void Debians_program_and_what_is_built_in_never_give_the_same_at_the_same_time()
    {
        Assert.SkipUnless(File.Exists($"{PluginPeer.Programs}/host-local"), "needs Debian's containernetworking-plugins");
        var program = new NetworkPlugins([PluginPeer.Programs]).Find("host-local", default);
        const int Count = 30;
        var given = new string[Count];
        var threads = Enumerable.Range(0, Count).Select(i => new Thread(() => given[i] = Add(i % 3 == 0 ? program : BuiltIn, directory.Path, """ "subnet":"10.1.0.0/26" """, $"pod-{i}"))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(Count, given.Where(one => one.StartsWith("10.1.0.", StringComparison.Ordinal)).Distinct().Count());
    }

    /// <summary>What a process leaves that is killed: between any two of its steps, or in the plug-in's case an empty file.</summary>
    [Theory]
    [InlineData("lock", "")]
    [InlineData(".new-lease", "")]
    [InlineData(".new-lease", "pod-7\r\neth0")]
    [InlineData("10.1.0.2", "")]
    [InlineData("last_reserved_ip.0", "")]
    [InlineData("last_reserved_ip.0", "10.1")]
    public void What_a_killed_process_leaves_is_nobodys(string file, string content)
    {
        directory.Write($"n1/{file}", content);
        Assert.Equal("10.1.0.2/29", Add(BuiltIn, directory.Path, Small, "pod-1"));
        Assert.Equal("pod-1\r\neth0", directory.Read("n1/10.1.0.2"));
        Assert.Equal("", Remove(BuiltIn, directory.Path, Small, "pod-1"));
        Assert.Equal("", directory.Read("n1/10.1.0.2"));
    }

    [Fact]
    public void Who_holds_the_lock_is_waited_for_until_he_lets_go_or_dies()
    {
        directory.Write("n1/lock", "");
        string? given = null;
        var asker = new Thread(() => given = Add(BuiltIn, directory.Path, Small, "pod-1"));
        using (var held = Files.Open($"{directory.Path}/n1/lock", OpenFlags.ReadOnly))
        {
            FileLock.Acquire(held, LockKind.Exclusive);
            asker.Start();
            Assert.False(asker.Join(300), "nobody waited for the lock");
        }

        asker.Join();
        Assert.Equal("10.1.0.2/29", given);
    }

    [Fact]
    public void An_exhausted_range_says_which_it_is_and_how_full()
    {
        for (int i = 0; i < 5; i++)
        {
            Assert.EndsWith("/29", Add(BuiltIn, directory.Path, Small, $"pod-{i}"), StringComparison.Ordinal);
        }

        string said = $"network n1: the range 10.1.0.1-10.1.0.6 is exhausted: 5 of 5 addresses are taken; see {directory.Path}/n1";
        Assert.Equal(said, Add(BuiltIn, directory.Path, Small, "pod-9"));
        var status = Assert.Throws<NetworkException>(() => BuiltIn.Status!(Call(directory.Path, Small, "")));
        Assert.Equal((NetworkException.NotAvailable, said), (status.Code, status.Message));
        Remove(BuiltIn, directory.Path, Small, "pod-3");
        BuiltIn.Status!(Call(directory.Path, Small, ""));
        Assert.Equal("10.1.0.5/29", Add(BuiltIn, directory.Path, Small, "pod-9"));
    }

    [Fact]
    public void Where_one_set_is_exhausted_nothing_of_the_others_is_given()
    {
        const string Two = """ "ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00::/126"}]] """;
        Assert.Equal("10.1.0.2/24 fd00::2/126", Add(BuiltIn, directory.Path, Two, "pod-1"));
        Assert.Equal("10.1.0.3/24 fd00::3/126", Add(BuiltIn, directory.Path, Two, "pod-2"));
        Assert.Contains("fd00::1-fd00::3 is exhausted: 2 of 2", Add(BuiltIn, directory.Path, Two, "pod-3"), StringComparison.Ordinal);
        Assert.DoesNotContain("pod-3", Show($"{directory.Path}/n1"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_that_is_asked_for_is_given_or_refused_by_name()
    {
        Assert.Equal("10.1.0.5/29", Add(BuiltIn, directory.Path, Small, "pod-1", "10.1.0.5"));
        Assert.Equal("network n1: 10.1.0.5 is asked for, and belongs to pod-1", Add(BuiltIn, directory.Path, Small, "pod-2", "10.1.0.5"));
        Assert.Equal("network n1: 10.1.0.1 is asked for, and is the gateway of 10.1.0.0/29", Add(BuiltIn, directory.Path, Small, "pod-2", "10.1.0.1"));
        Assert.Equal("network n1: 10.9.0.1 is asked for, and no range has that", Add(BuiltIn, directory.Path, Small, "pod-2", "10.9.0.1"));
        Assert.Equal("10.1.0.3/29", Add(BuiltIn, directory.Path, Small, "pod-3", capability: """ "runtimeConfig":{"ips":["10.1.0.3/24"]} """));
        Assert.Equal("10.1.0.4/29", Add(BuiltIn, directory.Path, Small, "pod-4", capability: """ "args":{"cni":{"ips":["10.1.0.4"]}} """));
        Assert.Contains("has 10.1.0.5 already", Add(BuiltIn, directory.Path, Small, "pod-1"), StringComparison.Ordinal);
    }

    [Fact]
    public void Collecting_removes_leases_of_attachments_that_are_not_valid()
    {
        foreach (var pod in (string[])["pod-1", "pod-2", "pod-3"])
        {
            Add(BuiltIn, directory.Path, Small, pod);
        }

        BuiltIn.Collect!(Call(directory.Path, Small, "", more: """ "cni.dev/valid-attachments":[{"containerID":"pod-2","ifname":"eth0"},{"containerID":"pod-3","ifname":"eth7"}] """));
        Assert.Equal(["10.1.0.3"], Directory.GetFiles($"{directory.Path}/n1").Select(Path.GetFileName).Where(name => IPAddress.TryParse(name, out _)));
    }

    [Theory]
    [InlineData(""" "subnet":"10.1.0.5/24" """, "ipam.subnet: '10.1.0.5/24' has bits beyond its prefix: the network is 10.1.0.0/24")]
    [InlineData(""" "subnet":"10.1.0.0/31" """, "ipam.subnet: 10.1.0.0/31 is too small to give addresses from: at least two bits are needed")]
    [InlineData(""" "subnet":"10.1.0.0" """, "ipam.subnet: '10.1.0.0' is not an address with the length of a prefix, as in 10.1.0.5/16")]
    [InlineData(""" "subnet":"10.1.0.0/24","rangeStart":"10.2.0.1" """, "ipam.rangeStart: 10.2.0.1 is not in 10.1.0.0/24")]
    [InlineData(""" "ranges":[[{"subnet":"10.1.0.0/24","rangeStart":"10.1.0.9","rangeEnd":"10.1.0.8"}]] """, "ipam.ranges[0][0]: rangeEnd is less than rangeStart")]
    [InlineData(""" "ranges":[[{"subnet":"10.1.0.0/24"},{"subnet":"fd00::/64"}]] """, "ipam.ranges[0]: mixes IPv4 and IPv6: an address is given from each set, so these belong in two")]
    [InlineData(""" "ranges":[[{"subnet":"10.1.0.0/24"}],[{"subnet":"10.1.0.0/16"}]] """, "ipam: the ranges 10.1.0.1-10.1.0.254 and 10.1.0.1-10.1.255.254 overlap")]
    [InlineData(""" "ranges":[[]] """, "ipam.ranges[0]: is empty")]
    [InlineData(""" "ranges":[] """, "ipam: has no range of addresses: neither 'ranges' nor 'subnet'")]
    public void Wrong_ranges_are_refused_with_their_place(string ranges, string said)
    {
        Assert.Equal(said, Add(BuiltIn, directory.Path, ranges, "pod-1"));
        Assert.False(Directory.Exists($"{directory.Path}/n1"));
    }

    public void Dispose() => directory.Dispose();

    const string Exhausted = "exhausted", Small = """ "subnet":"10.1.0.0/29" """;

    static string Add(NetworkPlugin plugin, string leases, string ranges, string container, string? wanted = null, string? capability = null)
    {
        try
        {
            var result = plugin.Add(Call(leases, ranges, container, wanted, capability));
            return string.Join(' ', result.Ips.Select(ip => ip.Address.ToString()));
        }
        catch (NetworkException failure) when (plugin.Program is not null)
        {
            return failure.Message.Contains("no IP addresses available in range set", StringComparison.Ordinal) ? Exhausted : failure.Message;
        }
        catch (Exception failure) when (failure is NetworkException or SpecException)
        {
            return failure.Message;
        }
    }

    static string Remove(NetworkPlugin plugin, string leases, string ranges, string container)
    {
        plugin.Delete(Call(leases, ranges, container));
        return "";
    }

    static PluginCall Call(string leases, string ranges, string container, string? wanted = null, string? more = null)
    {
        var json = $$"""{"cniVersion":"1.0.0","name":"n1","type":"ptp","ipam":{"type":"host-local","dataDir":"{{leases}}",{{ranges}}}{{(more is null ? "" : "," + more)}}}""";
        using var document = JsonDocument.Parse(json);
        return new PluginCall(container, "eth0", document.RootElement.Clone())
        {
            Version = CniVersion.Major1,
            NamespacePath = "/proc/self/ns/net",
            Arguments = wanted is null ? [] : [new("IP", wanted)],
        };
    }

    /// <summary>The names of all files, and what stands in them.</summary>
    static string Show(string leases) => !Directory.Exists(leases) ? "" : string.Join('\n', Directory.GetFiles(leases)
        .Where(path => Path.GetFileName(path) != "lock")
        .Order(StringComparer.Ordinal)
        .Select(path => $"{Path.GetFileName(path)} {File.ReadAllText(path).Replace("\r\n", " ", StringComparison.Ordinal)}"));
}
