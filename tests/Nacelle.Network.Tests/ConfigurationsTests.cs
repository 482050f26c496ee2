using Nacelle.Specs;

namespace Nacelle.Network.Tests;

public sealed class ConfigurationsTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    NetworkConfigurations Load(params string[] directories) => NetworkConfigurations.Load(
        [.. directories.Select(name => $"{directory.Path}/{name}")],
        [new LoadedNetwork("99-default.conflist", NetworkConfiguration.Parse("""{"cniVersion":"1.0.0","name":"default","plugins":[{"type":"ptp"}]}"""u8, "built in"))]);

    static string Single(string name, string type = "bridge") => $$"""{"name":"{{name}}","type":"{{type}}"}""";

    static string List(string name, string type = "bridge") => $$"""{"cniVersion":"1.0.0","name":"{{name}}","plugins":[{"type":"{{type}}"}]}""";

    [Fact]
    public void Networks_stand_in_the_order_of_their_files_names_whichever_directory_they_are_in()
    {
        directory.Write("system/20-b.conf", Single("b"));
        directory.Write("system/99-z.conflist", List("z"));
        directory.Write("user/10-c.json", Single("c"));
        directory.Write("user/30-a.conflist", List("a"));
        directory.Write("user/40-not.txt", "no configuration");
        Directory.CreateDirectory($"{directory.Path}/user/50-folder.conf");
        var all = Load("system", "user", "missing");
        Assert.Equal(["c", "b", "a", "default", "z"], all.Networks.Select(one => one.Network.Name));
        Assert.Empty(all.Broken);
    }

    [Fact]
    public void A_users_network_replaces_a_systems_which_replaces_a_built_in_one()
    {
        directory.Write("system/10-default.conf", Single("default", "system"));
        directory.Write("system/20-n.conf", Single("n", "system"));
        directory.Write("user/90-n.conf", Single("n", "user"));
        var all = Load("system", "user");
        Assert.Equal(("system", "user"), (all.Get("default").Network.Plugins[0].Type, all.Get("n").Network.Plugins[0].Type));
        Assert.Equal("ptp", Load().Get("default").Network.Plugins[0].Type);
    }

    [Fact]
    public void A_broken_file_is_told_and_stops_nothing_else()
    {
        directory.Write("system/10-broken.conflist", "{");
        directory.Write("system/20-typeless.conf", """{"name":"typeless"}""");
        directory.Write("system/30-good.conf", Single("good"));
        var all = Load("system");
        Assert.Equal(["good", "default"], all.Networks.Select(one => one.Network.Name));
        Assert.Equal(
            [$"{directory.Path}/system/10-broken.conflist: is not JSON, is nested deeper than 64 (line 1, byte 2)", $"{directory.Path}/system/20-typeless.conf: type: is missing"],
            all.Broken.Select(one => one.Problem));
        Assert.Equal($"network typeless: {directory.Path}/system/20-typeless.conf: type: is missing", Assert.Throws<NetworkException>(() => all.Get("typeless")).Message);
        string message = Assert.Throws<NetworkException>(() => all.Get("broken")).Message;
        Assert.StartsWith("there is no network 'broken', only good, default; not understood: ", message, StringComparison.Ordinal);
        Assert.Contains("10-broken.conflist: is not JSON", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_that_was_overridden_by_a_broken_file_is_broken()
    {
        directory.Write("user/10-default.conf", """{"name":"default","type":7}""");
        var all = Load("system", "user");
        Assert.Empty(all.Networks);
        Assert.Equal($"network default: {directory.Path}/user/10-default.conf: type: 7 is not a string", Assert.Throws<NetworkException>(() => all.Get("default")).Message);
    }

    [Fact]
    public void A_broken_file_below_a_good_one_of_the_same_network_does_no_harm()
    {
        directory.Write("system/10-n.conf", """{"name":"n"}""");
        directory.Write("user/10-n.conf", Single("n", "user"));
        Assert.Equal("user", Load("system", "user").Get("n").Network.Plugins[0].Type);
    }

    [Fact]
    public void Of_two_files_with_one_name_in_a_directory_the_first_counts()
    {
        directory.Write("system/10-n.conf", Single("n", "first"));
        directory.Write("system/20-n.conf", Single("n", "second"));
        var all = Load("system");
        Assert.Equal("first", all.Get("n").Network.Plugins[0].Type);
        Assert.Equal($"{directory.Path}/system/20-n.conf: name: 'n' is the network of {directory.Path}/system/10-n.conf already", Assert.Single(all.Broken).Problem);
    }

    [Fact]
    public void Plugins_in_the_folder_of_a_networks_name_are_added_to_it()
    {
        directory.Write("system/10-n.conflist", List("n", "bridge"));
        directory.Write("system/n/20-b.conf", """{"type":"portmap","capabilities":{"portMappings":true}}""");
        directory.Write("system/n/10-a.conf", """{"type":"tuning"}""");
        directory.Write("system/n/30-c.conflist", "not looked at");
        directory.Write("system/20-alone.conflist", """{"name":"alone","loadOnlyInlinedPlugins":true,"plugins":[{"type":"bridge"}]}""");
        directory.Write("system/alone/10-a.conf", """{"type":"tuning"}""");
        directory.Write("system/30-only.conflist", """{"name":"only"}""");
        directory.Write("system/only/10-a.conf", """{"type":"tuning"}""");
        directory.Write("system/40-empty.conflist", """{"name":"empty"}""");
        directory.Write("system/50-bad.conflist", List("bad"));
        directory.Write("system/bad/10-a.conf", "{}");
        var all = Load("system");
        Assert.Equal(["bridge", "tuning", "portmap"], all.Get("n").Network.Plugins.Select(plugin => plugin.Type));
        Assert.Equal(["bridge"], all.Get("alone").Network.Plugins.Select(plugin => plugin.Type));
        Assert.Equal(["tuning"], all.Get("only").Network.Plugins.Select(plugin => plugin.Type));
        Assert.Equal($"network empty: {directory.Path}/system/40-empty.conflist: plugins: is missing, and there are none in {directory.Path}/system/empty", Assert.Throws<NetworkException>(() => all.Get("empty")).Message);
        Assert.Equal($"network bad: {directory.Path}/system/bad/10-a.conf: type: is missing", Assert.Throws<NetworkException>(() => all.Get("bad")).Message);
        Assert.Equal(["bridge", "tuning", "portmap"], NetworkConfiguration.Parse(all.Get("n").Network.ToJson(), "written").Plugins.Select(plugin => plugin.Type));
    }

    [Fact]
    public void A_file_that_is_a_link_counts()
    {
        directory.Write("elsewhere", Single("n"));
        Directory.CreateDirectory($"{directory.Path}/system");
        File.CreateSymbolicLink($"{directory.Path}/system/10-n.conf", "../elsewhere");
        File.CreateSymbolicLink($"{directory.Path}/system/20-nowhere.conf", "../nowhere");
        var all = Load("system");
        Assert.Equal("bridge", all.Get("n").Network.Plugins[0].Type);
        Assert.Contains("20-nowhere.conf: ENOENT", Assert.Single(all.Broken).Problem, StringComparison.Ordinal);
    }

    public void Dispose() => directory.Dispose();
}
