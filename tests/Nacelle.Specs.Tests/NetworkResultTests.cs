using System.Text;

namespace Nacelle.Specs.Tests;

public sealed class NetworkResultTests
{
    const string Newest = """
        {"cniVersion":"1.1.0","interfaces":[{"name":"cni0","mac":"00:11:22:33:44:55","mtu":1400},{"name":"eth0","mac":"99:88:77:66:55:44","sandbox":"/proc/7/ns/net","mtu":1400,"socketPath":"/run/s","pciID":"0000:00:1f.6"}],"ips":[{"interface":1,"address":"10.1.0.5/16","gateway":"10.1.0.1"},{"interface":1,"address":"fd00::5/64","gateway":"fd00::1"},{"address":"10.1.0.6/16"}],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0","gw":"fd00::2","mtu":1300,"advmss":1200,"priority":7,"table":100,"scope":253}],"dns":{"nameservers":["10.1.0.1"],"domain":"d.example","search":["s.example"],"options":["ndots:2"]}}
        """;

    static NetworkResult Parse(string json, string unsaid = "1.1.0") => NetworkResult.Parse(Encoding.UTF8.GetBytes(json), CniVersion.TryParse(unsaid)!.Value);

    static string Write(NetworkResult result, string version) => Encoding.UTF8.GetString(result.ToJson(CniVersion.TryParse(version)!.Value));

    [Fact]
    public void The_newest_form_is_kept_whole() => Assert.Equal(Newest.Trim().Length, Write(Parse(Newest), "1.1.0").Length);

    [Theory]
    [InlineData("1.0.0", true, true)]
    [InlineData("0.4.0", true, true)]
    [InlineData("0.3.1", true, true)]
    [InlineData("0.3.0", true, true)]
    [InlineData("0.2.0", false, false)]
    [InlineData("0.1.0", false, false)]
    public void Every_version_carries_what_it_has_words_for(string version, bool interfaces, bool allAddresses)
    {
        var converted = Parse(Write(Parse(Newest), version), "0.0.0");
        Assert.Equal(interfaces ? 2 : 0, converted.Interfaces.Count);
        Assert.Equal(allAddresses ? ["10.1.0.5/16", "fd00::5/64", "10.1.0.6/16"] : ["10.1.0.5/16", "fd00::5/64"], converted.Ips.Select(ip => ip.Address.ToString()));
        Assert.Equal(["10.1.0.1", "fd00::1"], converted.Ips.Select(ip => ip.Gateway?.ToString()).OfType<string>());
        Assert.Equal(["0.0.0.0/0", "::/0"], converted.Routes.Select(route => route.Destination.ToString()));
        Assert.Equal("fd00::2", converted.Routes[1].Gateway?.ToString());
        Assert.Equal("d.example", converted.Dns.Domain);
        Assert.Equal(version == "1.0.0" ? 1400u : null, converted.Interfaces.Select(one => one.Mtu).LastOrDefault());
    }

    [Fact]
    public void Addresses_say_their_family_before_1_0_only()
    {
        Assert.Contains("""{"version":"6","interface":1,"address":"fd00::5/64","gateway":"fd00::1"}""", Write(Parse(Newest), "0.4.0"), StringComparison.Ordinal);
        Assert.DoesNotContain("\"version\"", Write(Parse(Newest), "1.0.0"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_oldest_form_has_an_address_of_each_family_with_its_routes() =>
        Assert.Equal(
            """{"cniVersion":"0.2.0","ip4":{"ip":"10.1.0.5/16","gateway":"10.1.0.1","routes":[{"dst":"0.0.0.0/0"}]},"ip6":{"ip":"fd00::5/64","gateway":"fd00::1","routes":[{"dst":"::/0","gw":"fd00::2"}]},"dns":{"nameservers":["10.1.0.1"],"domain":"d.example","search":["s.example"],"options":["ndots:2"]}}""",
            Write(Parse(Newest), "0.2.0"));

    [Fact]
    public void A_result_without_a_version_is_of_the_one_that_was_spoken()
    {
        Assert.Equal("10.1.0.5/16", Assert.Single(Parse("""{"ip4":{"ip":"10.1.0.5/16"}}""", "0.2.0").Ips).Address.ToString());
        Assert.Empty(Parse("""{"ip4":{"ip":"10.1.0.5/16"}}""").Ips);
    }

    [Fact]
    public void Nothing_at_all_is_a_result() => Assert.Equal("""{"cniVersion":"1.1.0"}""", Write(Parse("{}"), "1.1.0"));

    [Theory]
    [InlineData("""{"cniVersion":"9.0.0"}""", "cniVersion: '9.0.0' is none of 0.1.0")]
    [InlineData("""{"ips":[{"address":"10.1.0.5"}]}""", "ips[0].address: '10.1.0.5' is not an address with the length of a prefix")]
    [InlineData("""{"ips":[{"address":"10.1/16"}]}""", "ips[0].address: '10.1/16' is not an address")]
    [InlineData("""{"ips":[{"address":"10.1.0.5/33"}]}""", "ips[0].address: '10.1.0.5/33' is not an address")]
    [InlineData("""{"ips":[{"address":"fe80::1%eth0/64"}]}""", "ips[0].address: 'fe80::1%eth0/64' is not an address")]
    [InlineData("""{"ips":[{}]}""", "ips[0].address: is missing")]
    [InlineData("""{"ips":[{"address":"10.1.0.5/16","gateway":"somewhere"}]}""", "ips[0].gateway: 'somewhere' is not an address of IPv4 or IPv6")]
    [InlineData("""{"ips":[{"address":"10.1.0.5/16","interface":"eth0"}]}""", "ips[0].interface: \"eth0\" is not a whole number")]
    [InlineData("""{"routes":[{"dst":"everywhere"}]}""", "routes[0].dst: 'everywhere' is not an address")]
    [InlineData("""{"routes":[{"dst":"0.0.0.0/0","mtu":-1}]}""", "routes[0].mtu: -1 is not a whole number")]
    [InlineData("""{"interfaces":[{"name":"a/b"}]}""", "interfaces[0].name: 'a/b' is not a device's name")]
    [InlineData("""{"dns":{"search":["a b"]}}""", "dns.search[0]: 'a b' is not a word without space")]
    [InlineData("""hello""", "is not JSON")]
    public void What_is_wrong_is_said_with_its_path(string json, string complaint) => Assert.StartsWith(complaint, Assert.Throws<SpecException>(() => Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_index_beyond_the_interfaces_names_none() => Assert.Null(Assert.Single(Parse("""{"ips":[{"address":"10.1.0.5/16","interface":3}]}""").Ips).Interface);

    [Theory]
    [InlineData("""{"cniVersion":"1.0.0","code":7,"msg":"Invalid Configuration","details":"Network 192.168.0.0/31 too small"}""", 7, "Invalid Configuration", "Network 192.168.0.0/31 too small")]
    [InlineData("""{"code":100,"msg":"m"}""", 100, "m", null)]
    [InlineData("""{"msg":"m"}""", 0, "m", null)]
    public void A_fault_has_code_message_and_details(string json, int code, string message, string? details) =>
        Assert.Equal(new NetworkFault(code, message, details), NetworkFault.TryParse(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"code":"7","msg":"m"}""")]
    [InlineData("panic: runtime error")]
    public void What_is_no_fault_is_none(string text) => Assert.Null(NetworkFault.TryParse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Capability_arguments_are_written_where_they_are_wanted()
    {
        const string Json = """
            {"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},{"hostPort":53,"containerPort":5353,"protocol":"udp","hostIP":"127.0.0.1"}],"bandwidth":{"ingressRate":2048,"ingressBurst":1600,"egressRate":4096,"egressBurst":1600},"ipRanges":[[{"subnet":"10.1.2.0/24"}]],"mac":"c2:11:22:33:44:55","ips":["10.1.2.3/24"],"aliases":["db"],"dns":{"servers":["8.8.8.8"],"searches":["x.example"]},"infinibandGUID":"c2:11:22:33:44:55:66:77","deviceID":"0000:04:00.5","cgroupPath":"/pods/a"}
            """;
        var arguments = SpecNode.Parse(Encoding.UTF8.GetBytes(Json), CapabilityArguments.Read);
        Assert.Equal(["portMappings", "bandwidth", "ipRanges", "mac", "ips", "aliases", "dns", "infinibandGUID", "deviceID", "cgroupPath"], arguments.Names);
        string Written(Func<string, bool> wanted) => Encoding.UTF8.GetString(SpecWriter.Write(arguments, (json, all) => all.Write(json, wanted)));
        Assert.Equal(Json.Trim(), Written(name => true));
        Assert.Equal("""{"mac":"c2:11:22:33:44:55"}""", Written(name => name is "mac" or "unknown"));
    }

    [Theory]
    [InlineData("""{"portMappings":[{"hostPort":65536,"containerPort":80}]}""", "portMappings[0].hostPort: 65536 is not a port")]
    [InlineData("""{"portMappings":[{"hostPort":1,"containerPort":80,"protocol":"icmp"}]}""", "portMappings[0].protocol: 'icmp' is none of tcp, udp, sctp")]
    [InlineData("""{"portMappings":[{"containerPort":80}]}""", "portMappings[0].hostPort: is missing")]
    [InlineData("""{"bandwidth":{"ingressRate":-1}}""", "bandwidth.ingressRate: -1 is not")]
    public void Wrong_capability_arguments_are_refused(string json, string complaint) =>
        Assert.StartsWith(complaint, Assert.Throws<SpecException>(() => SpecNode.Parse(Encoding.UTF8.GetBytes(json), CapabilityArguments.Read)).Message, StringComparison.Ordinal);
}
