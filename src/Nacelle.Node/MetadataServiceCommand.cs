using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Nacelle.CommandLine;
using Nacelle.Pods;
using Nacelle.Services;

namespace Nacelle.Node;

/// <summary><c>metadata-service</c>: appc's, for the apps of pods that are run with <c>--mds-register</c>.</summary>
static class MetadataServiceCommand
{
    static readonly Option Port = new("listen-port", "PORT", "the port to listen on (18112)");
    static readonly Option Address = new("listen-address", "ADDRESS", "the address to listen on (127.0.0.1)");

    public static readonly Command Definition = new("metadata-service", "[FLAGS]", "tell apps about themselves and their pods, and sign for them", [Port, Address], Run)
    {
        Description = "Serves until it is stopped; pods that are registered stay so. A service manager may open the socket (LISTEN_FDS), then the flags have no effect.",
    };

    static int Run(Invocation invocation)
    {
        GlobalFlags.RequireRoot(invocation);
        var port = invocation.Value(Port) ?? "18112";
        var address = invocation.Value(Address) ?? "127.0.0.1";
        var host = new ServiceHost(
            new IPEndPoint(
                IPAddress.TryParse(address, out var ip) ? ip : throw new UserException($"--listen-address={address}: use an IP address"),
                ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number) && number > 0 ? number : throw new UserException($"--listen-port={port}: use a port from 1 to 65535")),
            HttpProtocols.Http1);
        using var pods = new PodStore(GlobalFlags.DataDirectory(invocation));
        var service = new MetadataService(pods);
        return host.Run(
            builder => builder.WebHost.ConfigureKestrel(options => options.Limits.MaxRequestBodySize = MetadataService.LongestForm),
            application => application.Run(service.Answer),
            () => PodRegistration.WriteService(pods.Path, $"http://{Reachable(host.Endpoint)}"));
    }

    /// <summary>What pods that share the host's network connect to: an address, also where the service listens on all of them.</summary>
    static IPEndPoint Reachable(IPEndPoint listening) =>
        listening.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.Loopback, listening.Port)
        : listening.Address.Equals(IPAddress.IPv6Any) ? new IPEndPoint(IPAddress.IPv6Loopback, listening.Port)
        : listening;
}
