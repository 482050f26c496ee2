using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network.Tests;

public sealed class ChainTests : IDisposable
{
    /// <summary>Answers what it was told before, or an address; DEL, CHECK, GC and STATUS with nothing.</summary>
    const string Obedient = """
        if [ $CNI_COMMAND = VERSION ]; then echo '{"cniVersion":"1.1.0","supportedVersions":["0.4.0","1.0.0","1.1.0"]}'; fi
        if [ $CNI_COMMAND = ADD ]; then
            case $input in
                *prevResult*) echo "$input" | sed 's/.*"prevResult":\(.*\)}$/\1/' ;;
                *) echo '{"cniVersion":"1.0.0","interfaces":[{"name":"'$CNI_IFNAME'","sandbox":"'$CNI_NETNS'"}],"ips":[{"interface":0,"address":"10.1.0.5/16","gateway":"10.1.0.1"}]}' ;;
            esac
        fi
        """;

    const string Two = """{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"first","x":[1]},{"type":"second","capabilities":{"portMappings":true,"mac":true,"aliases":false}}]}""";

    readonly ShellPlugins plugins = new ShellPlugins().Add("first", Obedient).Add("second", Obedient);
    readonly PodNamespace pod = new();

    [NetworkFact]
    public void Plugins_are_called_in_order_and_told_what_was_said_before()
    {
        var result = Assert.Single(Attacher(ShellPlugins.Network(Two)).Attach(pod.Path));
        Assert.Equal(["first ADD pod-1 eth0 " + pod.Path, "second ADD pod-1 eth0 " + pod.Path], plugins.Calls.Select(call => call.Trim()));
        Assert.Equal("""{"cniVersion":"1.0.0","name":"n1","type":"first","x":[1]}""", plugins.Input("first", "ADD"));
        string said = $$"""{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"{{pod.Path}}"}],"ips":[{"interface":0,"address":"10.1.0.5/16","gateway":"10.1.0.1"}]}""";
        Assert.Equal($$"""{"cniVersion":"1.0.0","name":"n1","type":"second","prevResult":{{said}}}""", plugins.Input("second", "ADD"));
        Assert.Equal("10.1.0.5/16", Assert.Single(result.Ips).Address.ToString());
    }

    [NetworkFact]
    public void The_loopback_device_is_up_in_any_case()
    {
        Attacher().Attach(pod.Path);
        Assert.Contains("LOOPBACK,UP", pod.Run("ip link show lo"), StringComparison.Ordinal);
        Assert.Contains("inet 127.0.0.1/8", pod.Run("ip address show lo"), StringComparison.Ordinal);
    }

    [NetworkFact]
    public void Capability_arguments_go_to_those_that_ask_for_them_only()
    {
        var attachment = ShellPlugins.Network(Two) with
        {
            CapabilityArguments = new CapabilityArguments { PortMappings = [new PortMapping(8080, 80, "tcp")], Aliases = ["db"], Mac = "c2:11:22:33:44:55" },
        };
        Attacher(attachment).Attach(pod.Path);
        Assert.DoesNotContain("runtimeConfig", plugins.Input("first", "ADD"), StringComparison.Ordinal);
        Assert.Contains("\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\"}],\"mac\":\"c2:11:22:33:44:55\"},\"prevResult", plugins.Input("second", "ADD"), StringComparison.Ordinal);
    }

    [NetworkFact]
    public void What_the_runtime_says_cannot_be_said_by_the_configuration()
    {
        Attacher(ShellPlugins.Network("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"first","name":"other","cniVersion":"0.1.0","runtimeConfig":{"mac":"x"},"prevResult":{},"cni.dev/attachments":[],"args":{"a":1}}]}""")).Attach(pod.Path);
        Assert.Equal("""{"cniVersion":"1.0.0","name":"n1","type":"first","args":{"a":1}}""", plugins.Input("first", "ADD"));
    }

    [NetworkFact]
    public void Arguments_are_told_to_all_and_may_be_unknown_to_some()
    {
        Attacher(ShellPlugins.Network(Two) with { Arguments = [new("IP", "10.1.0.9"), new("MAC", "c2:11:22:33:44:55")] }).Attach(pod.Path);
        Assert.All(plugins.Calls, call => Assert.EndsWith("IgnoreUnknown=1;IP=10.1.0.9;MAC=c2:11:22:33:44:55", call, StringComparison.Ordinal));
    }

    [NetworkFact]
    public void The_newest_version_that_all_speak_is_spoken()
    {
        plugins.Add("older", "if [ $CNI_COMMAND = VERSION ]; then echo '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.3.1\",\"0.4.0\",\"1.0.0\"]}'; exit; fi\n" + Obedient);
        Attacher(ShellPlugins.Network("""{"cniVersion":"0.4.0","cniVersions":["1.0.0","1.1.0"],"name":"n1","plugins":[{"type":"first"},{"type":"older"}]}""")).Attach(pod.Path);
        Assert.StartsWith("""{"cniVersion":"1.0.0",""", plugins.Input("older", "ADD"), StringComparison.Ordinal);
        Assert.Single(plugins.Calls, call => call.StartsWith("older VERSION", StringComparison.Ordinal));
    }

    [NetworkFact]
    public void Without_a_version_that_all_speak_nothing_is_done()
    {
        plugins.Add("ancient", "echo '{\"code\":4,\"msg\":\"unknown CNI_COMMAND: VERSION\"}'; exit 1");
        var problem = Assert.Throws<NetworkException>(() => Attacher(ShellPlugins.Network("""{"cniVersions":["1.0.0","1.1.0"],"name":"n1","plugins":[{"type":"first"},{"type":"ancient"}]}""")).Attach(pod.Path));
        Assert.Equal("attach to network n1 as eth0: plug-in ancient: speaks 0.1.0 of CNI, which leaves none of the configuration's 1.1.0, 1.0.0", problem.Message);
        Assert.Equal(NetworkException.IncompatibleVersion, problem.Code);
        Assert.DoesNotContain(plugins.Calls, call => call.Contains(" ADD ", StringComparison.Ordinal));
    }

    [NetworkFact]
    public void What_was_attached_is_detached_the_last_first_and_told_what_came_of_it()
    {
        var attacher = Attacher(ShellPlugins.Network(Two), ShellPlugins.Network("""{"cniVersion":"0.3.1","name":"n2","plugins":[{"type":"first"}]}""", "eth1"));
        attacher.Attach(pod.Path);
        plugins.Forget();
        attacher.Detach(pod.Path);
        Assert.Equal([$"first DEL pod-1 eth1 {pod.Path}", $"second DEL pod-1 eth0 {pod.Path}", $"first DEL pod-1 eth0 {pod.Path}"], plugins.Calls.Select(call => call.Trim()));
        Assert.Contains("\"prevResult\":{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"eth0\",", plugins.Input("second", "DEL"), StringComparison.Ordinal);
        Assert.False(Directory.Exists($"{plugins.Path}/pod/network"), "nothing is left written down");
        Assert.Empty(PodNetworks.Read(plugins.Pod));
    }

    [NetworkFact]
    public void Before_0_4_the_result_is_not_told_to_DEL()
    {
        var attacher = Attacher(ShellPlugins.Network("""{"cniVersion":"0.3.1","name":"n2","plugins":[{"type":"first"}]}"""));
        attacher.Attach(pod.Path);
        attacher.Detach(pod.Path);
        Assert.DoesNotContain("prevResult", plugins.Input("first", "DEL"), StringComparison.Ordinal);
    }

    [NetworkFact]
    public void A_namespace_that_is_gone_is_told_as_none()
    {
        var attacher = Attacher(ShellPlugins.Network(Two));
        using (var gone = new PodNamespace())
        {
            attacher.Attach(gone.Path);
            gone.Dispose();
            plugins.Forget();
            attacher.Detach(gone.Path);
        }

        Assert.Equal(["second DEL pod-1 eth0 gone", "first DEL pod-1 eth0 gone"], plugins.Calls.Select(call => call.Trim()));
    }

    [NetworkFact]
    public void A_failed_ADD_takes_its_network_down_and_those_before_it()
    {
        plugins.Add("failing", "[ $CNI_COMMAND != ADD ] || exit 1");
        var attacher = Attacher(
            ShellPlugins.Network(Two), ShellPlugins.Network("""{"cniVersion":"1.0.0","name":"n2","plugins":[{"type":"failing"},{"type":"first"}]}""", "eth1"),
            ShellPlugins.Network("""{"cniVersion":"1.0.0","name":"n3","plugins":[{"type":"second"}]}""", "eth2"));
        Assert.Throws<NetworkException>(() => attacher.Attach(pod.Path));
        Assert.Equal(
            ["first ADD eth0", "second ADD eth0", "failing ADD eth1", "first DEL eth1", "failing DEL eth1", "second DEL eth0", "first DEL eth0"],
            plugins.Calls.Select(call => call.Split(' ')).Select(words => $"{words[0]} {words[1]} {words[3]}"));
        Assert.Null(NetworkPlan.TryRead(plugins.Pod));
    }

    [NetworkFact]
    public void A_failed_DEL_does_not_stop_others_and_can_be_done_again()
    {
        plugins.Add("stubborn", Obedient + $"\n[ $CNI_COMMAND != DEL ] || [ -e {plugins.Path}/willing ] || {{ echo '{{\"code\":11,\"msg\":\"not now\"}}'; exit 1; }}");
        var plan = plugins.Plan(ShellPlugins.Network("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"first"},{"type":"stubborn"}]}"""), ShellPlugins.Network(Two.Replace("n1", "n2", StringComparison.Ordinal), "eth1"));
        plugins.Attacher(plan).Attach(pod.Path);
        plugins.Forget();
        var problem = Assert.Throws<NetworkException>(() => plugins.Attacher(plan).Detach(pod.Path));
        Assert.Equal("detach from network n1: plug-in stubborn: not now (code 11)", problem.Message);
        Assert.Equal(["second eth1", "first eth1", "stubborn eth0", "first eth0"], plugins.Calls.Select(call => call.Split(' ')).Select(words => $"{words[0]} {words[3]}"));
        Assert.NotNull(NetworkPlan.TryRead(plugins.Pod));
        plugins.Write("willing", "");
        plugins.Attacher(NetworkPlan.TryRead(plugins.Pod)!).Detach(pod.Path);
        Assert.Contains("prevResult", plugins.Input("stubborn", "DEL"), StringComparison.Ordinal);
        Assert.Null(NetworkPlan.TryRead(plugins.Pod));
    }

    [NetworkFact]
    public void What_was_written_down_counts_and_not_what_the_configuration_says_now()
    {
        string file = plugins.Write("net.d/10-n1.conflist", Two);
        var loaded = NetworkConfigurations.Load([$"{plugins.Path}/net.d"], []).Get("n1");
        Attacher(new NetworkAttachment(loaded.Network, "eth0") { Source = loaded.Source }).Attach(pod.Path);
        File.Delete(file);
        plugins.Forget();
        plugins.Attacher(NetworkPlan.TryRead(plugins.Pod)!).Detach(null);
        Assert.Equal(["second DEL", "first DEL"], plugins.Calls.Select(call => string.Join(' ', call.Split(' ')[..2])));
        Assert.StartsWith("""{"cniVersion":"1.0.0","name":"n1","type":"first","x":[1],"prevResult":""", plugins.Input("first", "DEL"), StringComparison.Ordinal);
    }

    [NetworkFact]
    public void A_runtime_that_was_killed_in_the_middle_of_ADD_can_be_cleaned_up_after()
    {
        plugins.Add("slow", $"[ $CNI_COMMAND != ADD ] || touch {plugins.Path}/begun");
        var plan = plugins.Plan(ShellPlugins.Network("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"first"},{"type":"slow"}]}"""));
        // What is left after a kill: the plan, and half a record.
        File.WriteAllText($"{plugins.Path}/pod/network/eth0", "{\"kind\":\"cniCac");
        plugins.Attacher(NetworkPlan.TryRead(plugins.Pod)!).Detach(null);
        Assert.Equal(["slow DEL pod-1 eth0 gone", "first DEL pod-1 eth0 gone"], plugins.Calls.Select(call => call.Trim()));
        Assert.DoesNotContain("prevResult", plugins.Input("first", "DEL"), StringComparison.Ordinal);
        Assert.False(Directory.Exists($"{plugins.Path}/pod/network"));
        Assert.NotNull(plan);
    }

    [NetworkFact]
    public void Records_have_the_form_of_libcnis_cache()
    {
        Attacher(ShellPlugins.Network(Two) with { Arguments = [new("IP", "10.1.0.9")], CapabilityArguments = new CapabilityArguments { Mac = "c2:11:22:33:44:55" } }).Attach(pod.Path);
        using var record = System.Text.Json.JsonDocument.Parse(File.ReadAllText($"{plugins.Path}/pod/network/eth0"));
        var root = record.RootElement;
        Assert.Equal("cniCacheV1", root.GetProperty("kind").GetString());
        Assert.Equal(("pod-1", "eth0", "n1", pod.Path), (root.GetProperty("containerId").GetString(), root.GetProperty("ifName").GetString(), root.GetProperty("networkName").GetString(), root.GetProperty("netns").GetString()));
        Assert.Equal("n1", NetworkConfiguration.Parse(root.GetProperty("config").GetBytesFromBase64(), "config").Name);
        Assert.Equal("""[["IP","10.1.0.9"]]""", root.GetProperty("cniArgs").GetRawText());
        Assert.Equal("""{"mac":"c2:11:22:33:44:55"}""", root.GetProperty("capabilityArgs").GetRawText());
        Assert.Equal("1.0.0", root.GetProperty("result").GetProperty("cniVersion").GetString());
    }

    [NetworkFact]
    public void A_check_asks_all_with_the_result_of_ADD_and_tells_what_is_wrong()
    {
        plugins.Add("strict", Obedient + "\n[ $CNI_COMMAND != CHECK ] || { echo '{\"code\":100,\"msg\":\"eth0 is gone\"}'; exit 1; }");
        var attacher = Attacher(
            ShellPlugins.Network(Two), ShellPlugins.Network("""{"cniVersion":"1.0.0","name":"n2","plugins":[{"type":"strict"},{"type":"second"}]}""", "eth1"),
            ShellPlugins.Network("""{"cniVersion":"1.0.0","name":"n3","disableCheck":true,"plugins":[{"type":"strict"}]}""", "eth2"),
            ShellPlugins.Network("""{"cniVersion":"0.3.1","name":"n4","plugins":[{"type":"strict"}]}""", "eth3"));
        attacher.Attach(pod.Path);
        plugins.Forget();
        Assert.Equal(["network n2: plug-in strict: eth0 is gone (code 100)"], attacher.Check(pod.Path));
        Assert.Equal(["first eth0", "second eth0", "strict eth1"], plugins.Calls.Select(call => call.Split(' ')).Select(words => $"{words[0]} {words[3]}"));
        Assert.Contains("prevResult", plugins.Input("first", "CHECK"), StringComparison.Ordinal);
    }

    [NetworkFact]
    public void A_plan_is_read_as_it_was_written()
    {
        var plan = plugins.Plan(ShellPlugins.Network(Two) with
        {
            Source = "/etc/net.d/10-n1.conflist", Arguments = [new("IP", "10.1.0.9"), new("X", "a=b")], CapabilityArguments = new CapabilityArguments { PortMappings = [new PortMapping(8080, 80, "tcp", "127.0.0.1")] },
        });
        var read = NetworkPlan.TryRead(plugins.Pod)!;
        Assert.Equal((plan.ContainerId, plan.Lock), (read.ContainerId, read.Lock));
        Assert.Equal(plan.PluginPath, read.PluginPath);
        var attachment = Assert.Single(read.Attachments);
        Assert.Equal(plan.Attachments[0].Network.ToJson(), attachment.Network.ToJson());
        Assert.Equal(plan.Attachments[0].Arguments, attachment.Arguments);
        Assert.Equal(plan.Attachments[0].CapabilityArguments.PortMappings, attachment.CapabilityArguments.PortMappings);
        Assert.Equal(("eth0", "/etc/net.d/10-n1.conflist"), (attachment.InterfaceName, attachment.Source));
        File.WriteAllText($"{plugins.Path}/pod/network/plan", "{}");
        Assert.Equal("network/plan: containerId: is missing", Assert.Throws<SpecException>(() => NetworkPlan.TryRead(plugins.Pod)).Message);
    }

    public void Dispose()
    {
        pod.Dispose();
        plugins.Dispose();
    }

    NetworkAttacher Attacher(params NetworkAttachment[] attachments) => plugins.Attacher(plugins.Plan(attachments));
}
