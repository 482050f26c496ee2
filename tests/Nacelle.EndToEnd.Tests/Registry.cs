using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Nacelle.EndToEnd.Tests;

/// <summary>Debian's docker-registry on loopback, with its content in the machine's directory.</summary>
public sealed class Registry : IDisposable
{
    readonly Process process;

    public Registry(Machine machine)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/docker-registry") && File.Exists("/usr/bin/skopeo"), "needs Debian's docker-registry and skopeo");
        int port = Machine.FreePort();
        Host = $"127.0.0.1:{port}";
        File.WriteAllText(
            machine.Path + "/registry.yml",
            $"version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {machine.Path}/registry\nhttp:\n  addr: {Host}\n");
        process = Process.Start(new ProcessStartInfo("docker-registry", ["serve", machine.Path + "/registry.yml"])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        Machine.Eventually(() => IsUp(port), "the registry answers");
    }

    public string Host { get; }

    public void Stop()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        Stop();
        process.Dispose();
    }

    static bool IsUp(int port)
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
