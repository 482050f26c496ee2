using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Nacelle.CommandLine;
using Nacelle.Images;
using Nacelle.Pods;
using Nacelle.Services;

namespace Nacelle.Node;

/// <summary><c>api-service</c>: rkt's read-only API over gRPC.</summary>
static class ApiServiceCommand
{
    static readonly Option Listen = new("listen", "ADDRESS:PORT", "where to listen (localhost:15441)");

    public static readonly Command Definition = new("api-service", "[FLAGS]", "tell of pods and images over gRPC, as rkt's API service did", [Listen], Run)
    {
        Description = "The API changes nothing and asks nobody who he is: let it listen where only those come who may know. A service manager may open the socket (LISTEN_FDS).",
    };

    static int Run(Invocation invocation)
    {
        var host = new ServiceHost(Parse(invocation.Value(Listen) ?? "localhost:15441"), HttpProtocols.Http2);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        using var images = ImageStore.Open(pods.Path);
        var directories = GlobalFlags.ConfigDirectories(invocation);
        var settings = new PublicApiSettings(
            pods.Path, directories[0], directories[1], directories.ElementAtOrDefault(2), invocation.Value(GlobalFlags.Insecure) ?? "none", invocation.Is(GlobalFlags.TrustKeys), ProductVersion.Text);
        return host.Run(builder => PublicApiServer.Add(builder, pods, images, settings), PublicApiServer.Map, () => { });
    }

    static IPEndPoint Parse(string text)
    {
        const string Local = "localhost:";
        var numeric = text.StartsWith(Local, StringComparison.Ordinal) ? "127.0.0.1:" + text[Local.Length..] : text;
        return IPEndPoint.TryParse(numeric, out var address) && address.Port > 0 ? address
            : throw new UserException($"--listen={text}: use ADDRESS:PORT, as in localhost:15441 or [::1]:15441");
    }
}
