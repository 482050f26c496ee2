namespace Nacelle.EndToEnd.Tests;

/// <summary>Units of systemd that run pods: as text, and under a systemd that has booted.</summary>
public sealed class ServiceUnitTests
{
    static string Generate(params string[] arguments)
    {
        var result = Machine.Run(Machine.Program, ["generate", "systemd", .. arguments]);
        Assert.True(result.ExitCode == 0, $"{result}");
        return result.Output;
    }

    static string Line(string unit, string key) => unit.Split('\n').Single(line => line.StartsWith(key + "=", StringComparison.Ordinal))[(key.Length + 1)..];

    [Fact]
    public void Arguments_mean_to_systemd_what_they_mean_to_the_shell()
    {
        var unit = Generate("--", "image", "--environment=A=100%", "--", "-c", "echo \"$HOME\" \\n", "");
        Assert.EndsWith(" image --environment=A=100%% -- -c \"echo \\\"$$HOME\\\" \\\\n\" \"\"", Line(unit, "ExecStart"), StringComparison.Ordinal);
        Assert.Equal("Pod of image", Line(unit, "Description"));
        Assert.Equal("on-failure", Line(unit, "Restart"));
    }

    [Fact]
    public void A_template_keeps_the_instance_and_nothing_else()
    {
        var unit = Generate("--template", "--after=db@%i.service", "--", "redis:%i", "--environment=A=%h%%i");
        Assert.EndsWith(" redis:%i --environment=A=%%h%%%i", Line(unit, "ExecStart"), StringComparison.Ordinal);
        Assert.Equal("network-online.target db@%i.service", Line(unit, "After"));
    }

    [Theory]
    [InlineData("nacelle: what shall the unit run? Give run's arguments behind --\n")]
    [InlineData("nacelle: --unit-restart=often: use no, on-failure or always\n", "--unit-restart=often", "--", "image")]
    public void Nonsense_is_refused(string message, params string[] arguments)
    {
        var result = Machine.Run(Machine.Program, ["generate", "systemd", .. arguments]);
        Assert.Equal(254, result.ExitCode);
        Assert.Equal(message, result.Errors);
    }

    [Fact]
    public void Under_systemd_a_pod_is_ready_supervised_given_sockets_and_stopped_orderly()
    {
        var output = SystemdHost.Run("""
            $nacelle generate systemd -- $image --exec=/bin/sh -- -c 'trap "echo bye; exit 0" TERM; echo "100% $LISTEN_FDS $LISTEN_FDNAMES"; while true; do sleep 0.1; done' >/etc/systemd/system/web.service
            printf '[Socket]\nListenStream=127.0.0.1:8088\n' >/etc/systemd/system/web.socket
            systemd-analyze verify /etc/systemd/system/web.service
            systemctl daemon-reload
            systemctl start web.socket
            bash -c 'echo > /dev/tcp/127.0.0.1/8088'
            while ! systemctl is-active -q web.service; do sleep 0.1; done
            main=$(systemctl show -p MainPID --value web)
            echo "main: $(tr '\0' ' ' < /proc/$main/cmdline)"
            echo "in the unit: $(cat /proc/$(pgrep -f 'trap "echo bye' | tail -n 1)/cgroup | grep -c web.service)"
            $nacelle list --no-legend | grep -o running
            sleep 0.5
            systemctl stop web.socket web.service
            systemctl show -p ActiveState,Result web
            echo "left: $($nacelle list --no-legend)."
            journalctl -u web --no-pager -o cat
            """);
        Assert.Contains("main: stage1/rootfs/run ", output, StringComparison.Ordinal);
        Assert.Contains("running\n", output, StringComparison.Ordinal);
        Assert.Contains("100% 1 web.socket\n", output, StringComparison.Ordinal);
        Assert.Contains("bye\n", output, StringComparison.Ordinal);
        Assert.Contains("ActiveState=inactive\n", output, StringComparison.Ordinal);
        Assert.Contains("Result=success\n", output, StringComparison.Ordinal);
        Assert.Contains("left: .\n", output, StringComparison.Ordinal);
    }
}
