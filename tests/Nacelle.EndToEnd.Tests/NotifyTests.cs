using System.Net.Sockets;
using System.Text;

namespace Nacelle.EndToEnd.Tests;

/// <summary>What a pod tells the service manager that has started it. See sd_notify(3).</summary>
public sealed class NotifyTests : IDisposable
{
    readonly Machine machine = new();
    readonly Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };

    public NotifyTests() => manager.Bind(new UnixDomainSocketEndPoint(machine.Path + "/notify"));

    public void Dispose()
    {
        manager.Dispose();
        machine.Dispose();
    }

    string Hear()
    {
        var buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
    }

    System.Diagnostics.Process Run(string script, params string[] flags)
    {
        var start = new System.Diagnostics.ProcessStartInfo(
            Machine.Program, [.. machine.Flags, "run", "--net=none", TestImages.Busybox, "--exec=/bin/sh", .. flags, "--", "-c", script]) { UseShellExecute = false };
        start.Environment["NOTIFY_SOCKET"] = machine.Path + "/notify";
        return System.Diagnostics.Process.Start(start)!;
    }

    [Fact]
    public void A_pod_is_ready_when_its_apps_run_and_says_when_it_stops()
    {
        using var pod = Run("sleep 600");
        Assert.Equal("READY=1", Hear());
        Linux.Processes.Kill(pod.Id, Linux.Signal.Terminate);
        Assert.Equal("STOPPING=1", Hear());
        Assert.True(pod.WaitForExit(20_000));
        Assert.Equal(143, pod.ExitCode);
    }

    [Fact]
    public void An_app_that_can_say_so_is_waited_for_and_its_words_are_passed_on()
    {
        // Debian's busybox cannot send datagrams to a socket of the file system: the test does, as the app would, through the app's own view of its files.
        using var pod = Run("echo $NOTIFY_SOCKET; test -S $NOTIFY_SOCKET && sleep 600", "--annotation=appc.io/executor/supports-systemd-notify=true");
        Machine.Eventually(() => machine.Pods() is [var one] && one.Contains("/run/", StringComparison.Ordinal) && Directory.GetFiles($"{machine.Pods()[0]}/stage1/rootfs/rkt/pid").Length == 1, "the app runs");
        var directory = machine.Pods()[0];
        Machine.Eventually(() => File.ReadAllText($"{directory}/stage1/rootfs/rkt/logs/busybox.log").Contains("/run/host/notify", StringComparison.Ordinal), "the app knows its socket");
        Assert.False(Ready(directory));
        using var app = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        app.Connect(new UnixDomainSocketEndPoint($"/proc/{File.ReadAllText(directory + "/pid").Trim()}/root/rkt/notify/busybox"));
        app.Send("STATUS=warming up\nMAINPID=42"u8);
        Assert.Equal("STATUS=warming up", Hear());
        app.Send("READY=1\nSTATUS=serving"u8);
        Assert.Equal("STATUS=serving", Hear());
        Assert.Equal("READY=1", Hear());
        Machine.Eventually(() => Ready(directory), "the pod is marked as ready");
        app.Send("WATCHDOG=1"u8);
        Assert.Equal("WATCHDOG=1", Hear());
        Linux.Processes.Kill(pod.Id, Linux.Signal.Terminate);
        Assert.True(pod.WaitForExit(20_000));
    }

    static bool Ready(string pod) => new FileInfo($"{pod}/stage1/rootfs/rkt/supervisor-status").LinkTarget == "ready";
}
