using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Nacelle.EndToEnd.Tests;

/// <summary>The main job against Debian's docker-registry: fetched by name, run by name, also when the registry is gone.</summary>
public sealed class RegistryTests : IDisposable
{
    readonly Machine machine = new();
    readonly System.Diagnostics.Process registry;
    readonly int port;

    public RegistryTests()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/docker-registry") && File.Exists("/usr/bin/skopeo"), "needs Debian's docker-registry and skopeo");
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }

        File.WriteAllText(
            machine.Path + "/registry.yml",
            $"version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {machine.Path}/registry\nhttp:\n  addr: 127.0.0.1:{port}\n");
        registry = System.Diagnostics.Process.Start(new ProcessStartInfo("docker-registry", ["serve", machine.Path + "/registry.yml"])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        Machine.Eventually(IsUp, "the registry answers");
        var pushed = Machine.Run("/usr/bin/skopeo", "copy", "--quiet", "--dest-tls-verify=false", TestImages.Busybox, $"docker://127.0.0.1:{port}/box");
        Assert.True(pushed.ExitCode == 0, pushed.ToString());
    }

    string Image => $"docker://127.0.0.1:{port}/box";

    public void Dispose()
    {
        registry.Kill();
        registry.WaitForExit();
        registry.Dispose();
        machine.Dispose();
    }

    [Fact]
    public void An_image_is_fetched_once_and_runs_without_the_registry()
    {
        var first = machine.Nacelle("--insecure-options=http", "run", Image, "--", "echo", "hello");
        Assert.True(first is { ExitCode: 0, Output: "hello\n", Errors: "" }, first.ToString());
        registry.Kill();
        registry.WaitForExit();
        Assert.Equal("again\n", machine.Nacelle("run", Image, "--", "echo", "again").Output);
        var update = machine.Nacelle("--insecure-options=http", "run", "--pull-policy=update", Image, "--", "true");
        Assert.Equal(254, update.ExitCode);
        Assert.Single(update.Errors.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void Plain_http_needs_its_word()
    {
        var result = machine.Nacelle("fetch", Image);
        Assert.Equal(254, result.ExitCode);
        Assert.Single(result.Errors.TrimEnd('\n').Split('\n'));
        Assert.Contains("127.0.0.1", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_is_listed_and_removed_but_its_layers_stay_for_pods()
    {
        var id = machine.Nacelle("--insecure-options=http", "fetch", Image).Output.Trim();
        Assert.Matches("^sha256-[0-9a-f]{32}$", id);
        Assert.Contains($"127.0.0.1:{port}/box", machine.Nacelle("image", "list").Output, StringComparison.Ordinal);
        var uuid = machine.Nacelle("prepare", "--quiet", id, "--", "echo", "kept").Output.Trim();
        Assert.Equal(0, machine.Nacelle("image", "rm", id).ExitCode);
        Assert.DoesNotContain("/box", machine.Nacelle("image", "list").Output, StringComparison.Ordinal);
        Assert.Equal("kept\n", machine.Nacelle("run-prepared", uuid).Output);
        machine.Nacelle("rm", uuid);
        machine.Nacelle("gc", "--grace-period=0s");
        Assert.Empty(Directory.GetDirectories(machine.Data + "/layers"));
    }

    bool IsUp()
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
