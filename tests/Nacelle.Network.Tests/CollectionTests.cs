using System.Text;
using Nacelle.Specs;

namespace Nacelle.Network.Tests;

/// <summary>GC and STATUS, which CNI 1.1.0 brought.</summary>
public sealed class CollectionTests : IDisposable
{
    readonly ShellPlugins plugins = new ShellPlugins().Add("first", "").Add("second", "");

    NetworkPlugins Plugins => new([$"{plugins.Path}/bin"]);

    string Lock => $"{plugins.Path}/lock";

    [NetworkFact]
    public void All_plugins_are_told_which_attachments_are_to_be_kept()
    {
        NetworkAttacher.Collect(Network("1.1.0"), Plugins, Lock, () => [new ValidAttachment("pod-1", "eth0"), new ValidAttachment("pod-2", "eth1")]);
        Assert.Equal(["first GC   gone", "second GC   gone"], plugins.Calls.Select(call => call.TrimEnd()));
        Assert.Contains("\"cni.dev/valid-attachments\":[{\"containerID\":\"pod-1\",\"ifname\":\"eth0\"},{\"containerID\":\"pod-2\",\"ifname\":\"eth1\"}]", plugins.Input("second", "GC"), StringComparison.Ordinal);
    }

    [NetworkFact]
    public void That_there_are_none_to_keep_is_told_too()
    {
        NetworkAttacher.Collect(Network("1.1.0"), Plugins, Lock, () => []);
        Assert.Contains("\"cni.dev/valid-attachments\":[]", plugins.Input("first", "GC"), StringComparison.Ordinal);
    }

    [NetworkFact]
    public void Networks_that_are_older_or_forbid_it_are_not_collected()
    {
        NetworkAttacher.Collect(Network("1.0.0"), Plugins, Lock, () => []);
        NetworkAttacher.Collect(Network("1.1.0", "\"disableGC\":true,"), Plugins, Lock, () => []);
        NetworkAttacher.Status(Network("1.0.0"), Plugins);
        Assert.Empty(plugins.Calls);
    }

    [NetworkFact]
    public void A_failure_does_not_stop_the_rest_and_all_are_told()
    {
        plugins.Add("first", "echo '{\"code\":5,\"msg\":\"disk full\"}'; exit 1").Add("second", "exit 4");
        var problem = Assert.Throws<NetworkException>(() => NetworkAttacher.Collect(Network("1.1.0"), Plugins, Lock, () => []));
        Assert.Equal("collect in network n1: plug-in first: disk full (code 5); plug-in second: ended with exit code 4 and without saying why", problem.Message);
    }

    [NetworkFact]
    public void Nobody_is_attached_while_leftovers_are_collected()
    {
        using var pod = new PodNamespace();
        plugins.Add("first", "[ $CNI_COMMAND != ADD ] || echo '{}'");
        var plan = plugins.Plan(ShellPlugins.Network("""{"cniVersion":"1.1.0","name":"n1","plugins":[{"type":"first"}]}"""));
        Task? attach = null;
        NetworkAttacher.Collect(Network("1.1.0"), Plugins, Lock, () =>
        {
            attach = Task.Run(() => plugins.Attacher(plan).Attach(pod.Path));
            Thread.Sleep(300);
            Assert.Empty(plugins.Calls);
            return [];
        });
        Assert.True(attach!.Wait(TimeSpan.FromSeconds(60)));
        Assert.Equal(["first GC", "second GC", "first ADD"], plugins.Calls.Select(call => string.Join(' ', call.Split(' ')[..2])));
    }

    [NetworkFact]
    public void A_plugin_that_could_take_no_ADD_says_so()
    {
        NetworkAttacher.Status(Network("1.1.0"), Plugins);
        Assert.Equal(["first STATUS   gone", "second STATUS   gone"], plugins.Calls.Select(call => call.TrimEnd()));
        plugins.Add("second", "echo '{\"code\":50,\"msg\":\"no daemon\"}'; exit 1");
        var problem = Assert.Throws<NetworkException>(() => NetworkAttacher.Status(Network("1.1.0"), Plugins));
        Assert.Equal((NetworkException.NotAvailable, "plug-in second: no daemon (code 50)"), (problem.Code, problem.Message));
    }

    public void Dispose() => plugins.Dispose();

    static NetworkConfiguration Network(string version, string further = "") =>
        NetworkConfiguration.Parse(Encoding.UTF8.GetBytes($$"""{"cniVersion":"{{version}}","name":"n1",{{further}}"plugins":[{"type":"first"},{"type":"second"}]}"""), "test");
}
