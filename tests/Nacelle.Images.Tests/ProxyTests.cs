using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nacelle.Images.Tests;

/// <summary>Registries that can only be reached through a proxy, which the environment names.</summary>
public sealed class ProxyTests : IDisposable
{
    static readonly TestImage Image = TestImage.OfNoise(101, 50_000);

    readonly LayerScratch scratch = new();
    readonly DockerRegistry registry;
    readonly TcpListener proxy = new(IPAddress.Loopback, 0);
    readonly ConcurrentQueue<string> asked = new();
    readonly string name;
    volatile bool wantsToKnow;

    public ProxyTests()
    {
        scratch.Shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out crt -days 2 -subj /CN=x -addext subjectAltName=DNS:registry.invalid 2>/dev/null");
        registry = new DockerRegistry(scratch, http: $"tls: {{certificate: {scratch.Path}/crt, key: {scratch.Path}/key}}");
        name = $"docker://registry.invalid:{registry.Host.Split(':')[1]}/some/image:1";
        Image.WriteLayout(scratch.Path + "/layout", "t");
        proxy.Start();
        _ = Task.Run(async () =>
        {
            while (true)
            {
                _ = RelayAsync(await proxy.AcceptTcpClientAsync());
            }
        });
    }

    public void Dispose()
    {
        proxy.Dispose();
        registry.Dispose();
        scratch.Dispose();
    }

    ProgramResult Copy(string from, string to, params (string, string)[] environment) =>
        FetchProgram.Wait(FetchProgram.StartCommand(scratch.Path + "/data", ["image", "copy", "--insecure-options=image", from, to], [("SSL_CERT_FILE", scratch.Path + "/crt"), .. environment]));

    string Address(string user = "") => $"http://{user}127.0.0.1:{((IPEndPoint)proxy.LocalEndpoint).Port}";

    [Theory]
    [InlineData("https_proxy")]
    [InlineData("HTTPS_PROXY")]
    [InlineData("all_proxy")]
    public void An_image_goes_there_and_back_through_the_proxy(string variable)
    {
        string layout = $"oci:{scratch.Path}/layout:t";
        Assert.Equal(new ProgramResult(0, $"{Image.Manifest.Digest}\n", ""), Copy(layout, name, (variable, Address())));
        Assert.Equal(new ProgramResult(0, $"{Image.Manifest.Digest}\n", ""), Copy(name, $"oci:{scratch.Path}/back:t", (variable, Address())));
        Assert.All(asked, head => Assert.StartsWith($"CONNECT {name["docker://".Length..].Split('/')[0]} HTTP/1.1\r\n", head, StringComparison.Ordinal));
    }

    [Fact]
    public void A_proxy_that_wants_to_know_is_told_who_asks()
    {
        wantsToKnow = true;
        Assert.Equal(0, Copy($"oci:{scratch.Path}/layout:t", name, ("https_proxy", Address("me:secret@"))).ExitCode);
        Assert.Contains(asked, head => head.Contains($"Proxy-Authorization: Basic {Convert.ToBase64String("me:secret"u8)}\r\n", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Hosts_that_need_none_are_asked_directly()
    {
        var direct = Copy($"oci:{scratch.Path}/layout:t", name, ("https_proxy", Address()), ("no_proxy", "other.example,.invalid"));
        Assert.Equal((254, $"nacelle: cannot reach registry {name["docker://".Length..].Split('/')[0]}: no such host\n"), (direct.ExitCode, direct.Errors));
        Assert.Empty(asked);
    }

    [Fact]
    public void A_proxy_that_refuses_or_is_not_there_is_told_in_one_line()
    {
        using var refusing = new FaultyServer(_ => ServerAnswer.Text(403, ""));
        foreach (var (address, said) in new[] { ($"http://{refusing.Host}", "the proxy refuses"), ("http://127.0.0.1:1", "connection refused") })
        {
            var result = Copy($"oci:{scratch.Path}/layout:t", name, ("https_proxy", address));
            Assert.Equal((254, ""), (result.ExitCode, result.Output));
            Assert.Contains(said, Assert.Single(result.Errors.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        }
    }

    /// <summary>Connects to the registry, whatever name was asked for, and passes bytes on.</summary>
    async Task RelayAsync(TcpClient client)
    {
        using (client)
        {
            var from = client.GetStream();
            var head = new StringBuilder();
            var one = new byte[1];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                if (await from.ReadAsync(one) == 0)
                {
                    return;
                }

                head.Append((char)one[0]);
            }

            asked.Enqueue(head.ToString());
            if (wantsToKnow && !head.ToString().Contains("Proxy-Authorization", StringComparison.OrdinalIgnoreCase))
            {
                await from.WriteAsync("HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
                return;
            }

            using var server = new TcpClient();
            await server.ConnectAsync(IPEndPoint.Parse(registry.Host));
            await from.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray());
            await Task.WhenAny(from.CopyToAsync(server.GetStream()), server.GetStream().CopyToAsync(from));
        }
    }
}
