using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Nacelle.Images.Tests;

/// <summary>Debian's docker-registry on loopback, with its content in a scratch directory.</summary>
sealed class DockerRegistry : IDisposable
{
    readonly Process process;

    /// <param name="http">Further lines of the configuration's section <c>http</c>, as TLS wants them.</param>
    /// <param name="more">Further sections.</param>
    /// <param name="storage">Further lines of the section <c>storage</c>.</param>
    public DockerRegistry(LayerScratch scratch, string http = "", string more = "", string storage = "")
    {
        Assert.SkipUnless(File.Exists("/usr/bin/docker-registry"), "docker-registry is not installed");
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Host = free.LocalEndpoint.ToString()!;
        }

        string configuration = $"{scratch.Path}/registry-{Host.Replace(':', '-')}.yml";
        File.WriteAllText(configuration, $"""
            version: 0.1
            log:
              level: error
            storage:
              filesystem:
                rootdirectory: {scratch.Path}/registry
              {storage}
            http:
              addr: "{Host}"
              {http}
            {more}
            """);
        process = System.Diagnostics.Process.Start(new ProcessStartInfo("/usr/bin/docker-registry", ["serve", configuration])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => said += line.Data + "\n";
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        for (int tries = 0; ; tries++)
        {
            using var probe = new TcpClient();
            try
            {
                probe.Connect(IPEndPoint.Parse(Host));
                return;
            }
            catch (SocketException)
            {
                Assert.True(tries < 200 && !process.HasExited, $"docker-registry does not come up: {said}");
                Thread.Sleep(50);
            }
        }
    }

    string said = "";

    public string Host { get; }

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
