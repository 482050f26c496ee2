using System.Text;
using Nacelle.Linux;

namespace Nacelle.Network.Tests;

public sealed class HostilePluginTests : IDisposable
{
    readonly ShellPlugins plugins = new();
    readonly PodNamespace pod = new();

    [NetworkFact]
    public void A_plugin_that_fails_is_quoted_with_its_code()
    {
        var problem = Failure("""echo '{"cniVersion":"1.0.0","code":107,"msg":"no more rooms","details":"all 7 are taken"}'; exit 1""");
        Assert.Equal("attach to network n1 as eth0: plug-in hostile: no more rooms: all 7 are taken (code 107)", problem.Message);
        Assert.Equal((107, "all 7 are taken"), (problem.Code, problem.Details));
    }

    [NetworkFact]
    public void What_a_plugin_says_stays_on_the_line() =>
        Assert.DoesNotContain(Failure("""printf '{"code":107,"msg":"a\\n\\u001b[2Jb"}'; exit 1""").Message, char.IsControl);

    [NetworkFact]
    public void A_plugin_that_fails_without_a_word_is_told_by_its_exit_code() =>
        Assert.Equal("attach to network n1 as eth0: plug-in hostile: ended with exit code 3 and without saying why", Failure("exit 3").Message);

    [NetworkFact]
    public void A_plugin_that_fails_is_quoted_from_its_standard_error() =>
        Assert.EndsWith("plug-in hostile: ended with exit code 2 and without saying why: \"panic: it broke goroutine 1\"", Failure("echo 'panic: it broke\ngoroutine 1' >&2; exit 2").Message, StringComparison.Ordinal);

    [NetworkFact]
    public void Only_the_end_of_a_long_standard_error_is_kept()
    {
        string message = Failure("yes 'much ado' | head -c 1000000 >&2; exit 2").Message;
        Assert.Contains("much ado", message, StringComparison.Ordinal);
        Assert.InRange(message.Length, 100, 600);
    }

    [NetworkFact]
    public void A_plugin_that_a_signal_kills_is_told_by_the_signal() => Assert.EndsWith("plug-in hostile: was killed by signal 11", Failure("kill -SEGV $$").Message, StringComparison.Ordinal);

    [NetworkFact]
    public void A_plugin_that_hangs_is_killed_with_what_it_started()
    {
        var problem = Failure($"sleep 1000 & echo $! >{plugins.Path}/child; sleep 1000", TimeSpan.FromSeconds(1));
        Assert.EndsWith("took longer than 1 s and was killed", problem.Message, StringComparison.Ordinal);
        AssertEnds(int.Parse(File.ReadAllText($"{plugins.Path}/child"), System.Globalization.CultureInfo.InvariantCulture));
    }

    [NetworkFact]
    public void A_plugin_that_prints_without_end_is_killed() =>
        Assert.Contains("read more than 1048576 bytes", Failure("yes").Message, StringComparison.Ordinal);

    [NetworkFact]
    public void Garbage_is_no_result()
    {
        string message = Failure("echo 'hello, world'").Message;
        Assert.StartsWith("attach to network n1 as eth0: plug-in hostile: its result is not understood: is not JSON", message, StringComparison.Ordinal);
        Assert.EndsWith(": \"hello, world\"", message, StringComparison.Ordinal);
    }

    [NetworkFact]
    public void A_result_that_breaks_the_rules_is_refused_with_its_path() =>
        Assert.Contains("its result is not understood: ips[0].address: 'everywhere' is not an address", Failure("""echo '{"cniVersion":"1.0.0","ips":[{"address":"everywhere"}]}'""").Message, StringComparison.Ordinal);

    [NetworkFact]
    public void A_version_that_nobody_knows_is_refused() =>
        Assert.Contains("its result is not understood: cniVersion: '9.0.0' is none of", Failure("""echo '{"cniVersion":"9.0.0"}'""").Message, StringComparison.Ordinal);

    [NetworkFact]
    public void An_answer_in_another_version_is_understood()
    {
        plugins.Add("old", """echo '{"cniVersion":"0.2.0","ip4":{"ip":"10.1.0.5/16","gateway":"10.1.0.1"}}'""").Add("next", """echo "$input" | grep -o '"prevResult".*' | sed 's/^"prevResult"://; s/}$//'""");
        var result = Attach("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"old"},{"type":"next"}]}""");
        Assert.Equal("10.1.0.5/16", Assert.Single(result.Ips).Address.ToString());
        Assert.Contains("\"prevResult\":{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.1.0.5/16\",\"gateway\":\"10.1.0.1\"}]}", plugins.Input("next", "ADD"), StringComparison.Ordinal);
    }

    [NetworkFact]
    public void A_plugin_that_cannot_be_executed_is_an_error()
    {
        File.WriteAllText($"{plugins.Path}/bin/hostile", "no program");
        Assert.Contains("plug-in hostile: exec ", AttachFails().Message, StringComparison.Ordinal);
        Assert.Contains("EACCES", AttachFails().Message, StringComparison.Ordinal);
    }

    [NetworkFact]
    public void A_plugin_that_is_not_there_is_an_error_before_any_is_called()
    {
        plugins.Add("first", "echo '{}'");
        var problem = Assert.Throws<NetworkException>(() => Attach("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"first"},{"type":"missing"}]}"""));
        Assert.Contains($"plug-in missing: there is none of that name built in, nor in {plugins.Path}/bin, /opt/cni/bin", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(plugins.Calls, call => call.Contains("ADD", StringComparison.Ordinal));
    }

    [NetworkFact]
    public void A_child_that_holds_the_output_open_is_not_waited_for()
    {
        plugins.Add("daemon", $$"""echo '{"cniVersion":"1.0.0"}'; sleep 1000 & echo $! >{{plugins.Path}}/child""");
        Attach("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"daemon"}]}""");
        int child = int.Parse(File.ReadAllText($"{plugins.Path}/child"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(Processes.TryStatus(child) is { HasEnded: false }, "a plug-in that succeeds may leave a daemon behind");
        Processes.Kill(child, Signal.Kill);
    }

    [NetworkFact]
    public void Signals_that_are_blocked_here_are_not_blocked_in_plugins()
    {
        plugins.Add("masked", $$"""grep SigBlk /proc/self/status >{{plugins.Path}}/mask; echo '{}'""");
        var thread = new Thread(() =>
        {
            Signals.BlockAll();
            Attach("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"masked"}]}""");
        });
        thread.Start();
        thread.Join();
        Assert.Equal("SigBlk:\t0000000000000000", File.ReadAllText($"{plugins.Path}/mask").Trim());
    }

    [NetworkFact]
    public void Descriptors_that_survive_an_exec_do_not_reach_plugins()
    {
        using var kept = Files.Open($"{plugins.Path}/pod", OpenFlags.ReadOnly | OpenFlags.Directory);
        kept.Inherited = true;
        plugins.Add("curious", $$"""ls -l /proc/self/fd >{{plugins.Path}}/descriptors; echo '{}'""");
        Attach("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"curious"}]}""");
        Assert.DoesNotContain($"{plugins.Path}/pod", File.ReadAllText($"{plugins.Path}/descriptors"), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        pod.Dispose();
        plugins.Dispose();
    }

    NetworkException Failure(string body, TimeSpan? timeout = null)
    {
        plugins.Add("hostile", $"[ $CNI_COMMAND = ADD ] || exit 0\n{body}");
        return AttachFails(timeout);
    }

    NetworkException AttachFails(TimeSpan? timeout = null) =>
        Assert.Throws<NetworkException>(() => Attach("""{"cniVersion":"1.0.0","name":"n1","plugins":[{"type":"hostile"}]}""", timeout));

    Specs.NetworkResult Attach(string json, TimeSpan? timeout = null) => Assert.Single(plugins.Attacher(plugins.Plan(ShellPlugins.Network(json)), timeout).Attach(pod.Path));

    static void AssertEnds(int process)
    {
        for (int round = 0; round < 100 && Processes.TryStatus(process) is { HasEnded: false }; round++)
        {
            Thread.Sleep(100);
        }

        Assert.True(Processes.TryStatus(process) is null or { HasEnded: true }, $"process {process} is still there");
    }
}
