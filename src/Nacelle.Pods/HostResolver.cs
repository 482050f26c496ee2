using System.Net;
using Nacelle.Linux;

namespace Nacelle.Pods;

/// <summary>The host's resolv.conf, as far as it is of use in a network of a pod's own.</summary>
static class HostResolver
{
    /// <summary>Where systemd-resolved keeps the servers that it asks itself; /etc/resolv.conf names only its own address on the loopback.</summary>
    const string BehindResolved = "/run/systemd/resolve/resolv.conf";

    /// <summary>Without name servers on the host's loopback, which a pod does not reach; null where no server is left.</summary>
    public static string? Read()
    {
        var text = Reachable("/etc/resolv.conf");
        return text is not null && HasServer(text) ? text : Reachable(BehindResolved) is { } behind && HasServer(behind) ? behind : null;
    }

    static string? Reachable(string path) => Files.TryReadText(FileDescriptor.WorkingDirectory, path) is { } text
        ? string.Join('\n', text.Split('\n').Where(line => ServerOf(line) is not { } server || !IPAddress.IsLoopback(server)))
        : null;

    static bool HasServer(string text) => text.Split('\n').Any(line => ServerOf(line) is not null);

    static IPAddress? ServerOf(string line) => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is ["nameserver", var address, ..] && IPAddress.TryParse(address, out var server) ? server : null;
}
