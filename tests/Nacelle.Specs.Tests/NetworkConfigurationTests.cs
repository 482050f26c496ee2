using System.Text;

namespace Nacelle.Specs.Tests;

public sealed class NetworkConfigurationTests
{
    const string Whole = """
        {
            "cniVersion": "1.0.0", "cniVersions": ["0.4.0", "1.1.0", "7.0.0"], "name": "dbnet", "disableCheck": true, "disableGC": "true",
            "plugins": [
                {"type": "bridge", "bridge": "cni0", "keyA": ["some", {"more": 1e3}], "ipam": {"type": "host-local", "subnet": "10.1.0.0/16"}, "dns": {"nameservers": ["10.1.0.1"], "search": ["a.example"]}},
                {"type": "tuning", "capabilities": {"mac": true, "bandwidth": false}, "sysctl": {"net.core.somaxconn": "500"}},
                {"type": "portmap", "capabilities": {"portMappings": true}}
            ]
        }
        """;

    static NetworkConfiguration Parse(string json) => NetworkConfiguration.Parse(Encoding.UTF8.GetBytes(json), "10-x.conflist");

    static string Complaint(string json) => Assert.Throws<SpecException>(() => Parse(json)).Message;

    [Fact]
    public void A_list_is_read_whole()
    {
        var network = Parse(Whole);
        Assert.Equal("dbnet", network.Name);
        Assert.Equal(["1.1.0", "1.0.0", "0.4.0"], network.Versions.Select(version => version.ToString()));
        Assert.True(network is { DisableCheck: true, DisableGC: true, LoadOnlyInlinedPlugins: false });
        Assert.Equal(["bridge", "tuning", "portmap"], network.Plugins.Select(plugin => plugin.Type));
        Assert.Equal("host-local", network.Plugins[0].IpamType);
        Assert.Equal(["10.1.0.1"], network.Plugins[0].Dns.Nameservers);
        Assert.Equal(["mac"], network.Plugins[1].Capabilities);
        Assert.True(network.Supports("portMappings"));
        Assert.False(network.Supports("bandwidth"));
    }

    [Fact]
    public void What_was_read_is_written_with_all_that_only_plugins_understand()
    {
        string written = Encoding.UTF8.GetString(Parse(Whole).ToJson());
        Assert.Contains("""{"type":"bridge","bridge":"cni0","keyA":["some",{"more":1e3}]""", written, StringComparison.Ordinal);
        var again = Parse(written);
        Assert.Equal(Parse(Whole).Versions, again.Versions);
        Assert.True(again is { DisableCheck: true, DisableGC: true, LoadOnlyInlinedPlugins: true, Plugins.Count: 3 });
        Assert.Equal(written, Encoding.UTF8.GetString(again.ToJson()));
    }

    [Fact]
    public void A_single_configuration_is_a_list_of_one()
    {
        var network = NetworkConfiguration.ParseSingle("""{"name":"containers","type":"bridge","ipMasq":true,"ipam":{"type":"host-local","subnet":"10.1.0.0/16"}}"""u8, "10-containers.conf");
        Assert.Equal("containers", network.Name);
        Assert.Equal([CniVersion.Unsaid], network.Versions);
        Assert.Equal("bridge", Assert.Single(network.Plugins).Type);
        Assert.Equal("bridge", Assert.Single(NetworkConfiguration.Parse(network.ToJson(), "again").Plugins).Type);
    }

    [Fact]
    public void A_list_in_a_file_for_single_configurations_is_told_its_place() =>
        Assert.Equal(
            "10-x.conf: plugins: is for lists, whose files are named *.conflist",
            Assert.Throws<SpecException>(() => NetworkConfiguration.ParseSingle("""{"name":"x","plugins":[{"type":"ptp"}]}"""u8, "10-x.conf")).Message);

    [Theory]
    [InlineData("""{"plugins":[{"type":"ptp"}]}""", "name: is missing")]
    [InlineData("""{"name":"","plugins":[{"type":"ptp"}]}""", "name: '' is not a network's name")]
    [InlineData("""{"name":"../x","plugins":[{"type":"ptp"}]}""", "name: '../x' is not a network's name")]
    [InlineData("""{"name":"a b","plugins":[{"type":"ptp"}]}""", "name: 'a b' is not a network's name")]
    [InlineData("""{"name":"x","plugins":[]}""", "plugins: is empty")]
    [InlineData("""{"name":"x","loadOnlyInlinedPlugins":true}""", "plugins: is missing, and loadOnlyInlinedPlugins forbids others")]
    [InlineData("""{"name":"x","plugins":{"type":"ptp"}}""", """plugins: {"type":"ptp"} is not an array""")]
    [InlineData("""{"name":"x","plugins":[{"type":"ptp"},{}]}""", "plugins[1].type: is missing")]
    [InlineData("""{"name":"x","plugins":[{"type":"../ptp"}]}""", "plugins[0].type: '../ptp' is not the name of a plug-in's executable")]
    [InlineData("""{"name":"x","plugins":[{"type":"ptp","ipam":{"type":"/bin/sh"}}]}""", "plugins[0].ipam.type: '/bin/sh' is not the name of a plug-in's executable")]
    [InlineData("""{"name":"x","plugins":[{"type":"ptp","capabilities":["mac"]}]}""", """plugins[0].capabilities: ["mac"] is not an object""")]
    [InlineData("""{"name":"x","plugins":[{"type":"ptp","capabilities":{"mac":"yes"}}]}""", """plugins[0].capabilities.mac: "yes" is not true or false""")]
    [InlineData("""{"name":"x","plugins":[{"type":"ptp","dns":{"nameservers":["1.1.1.1\noptions debug"]}}]}""", "plugins[0].dns.nameservers[0]: '1.1.1.1\uFFFDoptions debug' is not a word without space")]
    [InlineData("""{"name":"x","cniVersion":"new","plugins":[{"type":"ptp"}]}""", "cniVersion: 'new' is not a version, as in 1.1.0")]
    [InlineData("""{"name":"x","cniVersion":"2.0.0","plugins":[{"type":"ptp"}]}""", "cniVersion: '2.0.0' is none of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0")]
    [InlineData("""{"name":"x","cniVersions":["1.0.0",1],"plugins":[{"type":"ptp"}]}""", "cniVersions[1]: 1 is not a string")]
    [InlineData("""{"name":"x","disableGC":"perhaps","plugins":[{"type":"ptp"}]}""", """disableGC: "perhaps" is not true or false""")]
    [InlineData("""{"name":"x","plugins":[{"type":"ptp","y":["\ud800"]}]}""", "plugins[0].y[0]: has half of a \\u pair")]
    [InlineData("""["x"]""", """["x"] is not an object""")]
    public void What_is_wrong_is_said_with_file_key_and_rule(string json, string complaint) => Assert.StartsWith($"10-x.conflist: {complaint}", Complaint(json), StringComparison.Ordinal);

    [Theory]
    [InlineData("a", true)]
    [InlineData("A9_.-", true)]
    [InlineData("-a", false)]
    [InlineData(".", false)]
    [InlineData("a/b", false)]
    [InlineData("", false)]
    [InlineData("ä", false)]
    public void Identifiers_are_letters_digits_and_three_signs(string text, bool good) => Assert.Equal(good, NetworkName.IsIdentifier(text));

    [Theory]
    [InlineData("eth0", true)]
    [InlineData("123456789012345", true)]
    [InlineData("1234567890123456", false)]
    [InlineData("ääääääää", false)]
    [InlineData("..", false)]
    [InlineData("a:1", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    public void Devices_are_named_as_the_kernel_wants_it(string text, bool good) => Assert.Equal(good, NetworkName.IsDevice(text));
}
