using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Nacelle.Linux;

namespace Nacelle.EndToEnd.Tests;

/// <summary>Sockets that apps find open when they start. See sd_listen_fds(3).</summary>
public sealed class SocketActivationTests : IDisposable
{
    const string Tell = "echo $LISTEN_FDS $LISTEN_FDNAMES; test $LISTEN_PID = $$ && echo mine; readlink /proc/self/fd/3";

    readonly Machine machine = new();
    readonly TcpListener listener = new(IPAddress.Loopback, 0);

    public SocketActivationTests() => listener.Start();

    public void Dispose()
    {
        listener.Dispose();
        machine.Dispose();
    }

    string Inode => new FileInfo($"/proc/self/fd/{listener.Server.Handle}").LinkTarget!;

    /// <summary>Runs nacelle as systemd does for a socket unit: the listener is its descriptor 3.</summary>
    string Run(string names, params string[] arguments)
    {
        const int SIG_SETMASK = 2;
        var (read, write) = Files.CreatePipe("output");
        using var socket = new FileDescriptor((int)listener.Server.Handle, "listener", owned: false);
        using (read)
        {
            var plan = new LaunchPlan();
            plan.Call("connect output", SystemCall.dup3, plan.Descriptor(write), 1, 0);
            plan.Call("hand over the socket", SystemCall.dup3, plan.Descriptor(socket), 3, 0);
            plan.Call("close the rest", SystemCall.close_range, 4, 1023, 0);
            plan.Call("unblock signals", SystemCall.rt_sigprocmask, SIG_SETMASK, plan.Bytes(new byte[8]), 0, 8);
            plan.Call("exec", SystemCall.execve, plan.Text("/bin/sh"), plan.TextArray(
                ["sh", "-c", $"export LISTEN_PID=$$; exec \"$@\"", "sh", Machine.Program, .. machine.Flags, .. Machine.WithoutNetworks(arguments)]),
                plan.TextArray(["PATH=/usr/bin:/bin", "LISTEN_FDS=1", $"LISTEN_FDNAMES={names}"]));
            var process = Launcher.Start(plan);
            write.Dispose();
            var output = System.Text.Encoding.UTF8.GetString(Files.ReadToEnd(read));
            Assert.Equal(0, process.Wait().ExitCode);
            return output;
        }
    }

    [Fact]
    public void An_app_that_is_alone_gets_the_sockets_that_nacelle_was_started_with()
    {
        var output = Run("web", "run", TestImages.Busybox, "--exec=/bin/sh", "--", "-c", Tell).Split('\n');
        Assert.Equal("1 web", output[0]);
        Assert.Equal("mine", output[1]);
        Assert.Equal(Inode, output[2]);
        using var client = new TcpClient();
        client.Connect((IPEndPoint)listener.LocalEndpoint); // the socket has outlived the pod
    }

    [Fact]
    public void Without_sockets_nothing_is_told() => Assert.Equal("\n", machine.Shell("echo $LISTEN_FDS$LISTEN_PID$LISTEN_FDNAMES").Output);

    [Fact]
    public void Of_several_apps_each_gets_the_socket_of_its_port()
    {
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var output = Run("whatever", "run", $"--pod-manifest={Manifest(("serves", Tell, port), ("idles", "sleep 0.3; echo none=$LISTEN_FDS", null))}").Split('\n');
        Assert.Equal("1 web", output[0]);
        Assert.Equal(Inode, output[2]);
        Assert.Contains("none=", output);
    }

    [Fact]
    public void Where_nobody_gives_a_socket_the_pod_listens_itself()
    {
        var result = machine.Nacelle("run", $"--pod-manifest={Manifest(("serves", Tell + "; cat /proc/net/tcp6 | grep -c :1F90.*0A", 8080))}");
        var output = result.Output.Split('\n');
        Assert.Equal("1 web", output[0]);
        Assert.Equal("mine", output[1]);
        Assert.StartsWith("socket:[", output[2], StringComparison.Ordinal);
        Assert.Equal("1", output[^2]);
    }

    [Fact]
    public void A_port_that_is_taken_is_told()
    {
        var result = machine.Nacelle("run", "--net=host", $"--pod-manifest={Manifest(("serves", "true", ((IPEndPoint)listener.LocalEndpoint).Port))}");
        Assert.Equal(254, result.ExitCode);
        Assert.Equal($"nacelle: app serves: listen on tcp port {((IPEndPoint)listener.LocalEndpoint).Port} (web): EADDRINUSE (Address already in use)\n", result.Errors);
    }

    /// <summary>A pod manifest of shell scripts, some with a port that is socket-activated.</summary>
    string Manifest(params (string Name, string Script, int? Port)[] apps)
    {
        string[] arguments = [.. apps.SelectMany((app, i) => (string[])[.. i == 0 ? (string[])[] : ["---"], TestImages.Busybox, $"--name={app.Name}", "--exec=/bin/sh", "--", "-c", app.Script])];
        var uuid = machine.Nacelle(["prepare", "--quiet", .. arguments]).Output.Trim();
        var manifest = JsonNode.Parse(File.ReadAllText($"{machine.Data}/pods/prepared/{uuid}/pod"))!;
        Assert.Equal(0, machine.Nacelle("rm", uuid).ExitCode);
        for (int i = 0; i < apps.Length; i++)
        {
            if (apps[i].Port is { } port)
            {
                manifest["apps"]![i]!["app"]!["ports"] = new JsonArray(new JsonObject { ["name"] = "web", ["protocol"] = "tcp", ["port"] = port, ["count"] = 1, ["socketActivated"] = true });
            }
        }

        File.WriteAllText(machine.Path + "/pod.json", manifest.ToJsonString(System.Text.Json.JsonSerializerOptions.Default));
        return machine.Path + "/pod.json";
    }
}
