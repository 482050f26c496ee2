using System.Globalization;
using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>
/// Connects the pod to the machine's network by a process of pasta(1), which makes the pod's connections its own: for users who have no rights over the
/// machine's network. The pod has the machine's addresses; it takes no plug-in to give them.
/// </summary>
static class Pasta
{
    /// <summary>The number under which the process finds the namespace: it may not open another's in /proc, having given up its rights.</summary>
    const int Given = 3;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static readonly NetworkPlugin Plugin = new("pasta", Add, Delete, Check) { Status = _ => Find() };

    /// <summary>Whether it is installed.</summary>
    public static bool IsInstalled => TryFind() is not null;

    static NetworkResult Add(PluginCall call)
    {
        var space = call.Namespace ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no network namespace to add to");
        Start(call, space, Ports(SpecNode.Of(call.Configuration)), PidFile(call));
        try
        {
            using var pod = NetlinkSocket.Open(space);
            var link = NetworkLink.Find(pod, call.InterfaceName) ?? throw PodDevice.Missing($"there is no {call.InterfaceName}");
            var gateways = LinkRoute.List(pod).Where(route => route.Link == link.Index && route.Destination.PrefixLength == 0).Select(route => route.Gateway).ToList();
            return new NetworkResult
            {
                Interfaces = [new(call.InterfaceName) { Mac = Convert.ToHexStringLower(link.HardwareAddress), Sandbox = call.NamespacePath }],
                Ips =
                [
                    .. NetworkAddress.List(pod, link).Where(address => address.IsGlobal).DistinctBy(address => address.Local.AddressFamily).Select(address =>
                        new NetworkIp(new Cidr(address.Local, address.PrefixLength)) { Interface = 0, Gateway = gateways.Find(gateway => gateway?.AddressFamily == address.Local.AddressFamily) }),
                ],
            };
        }
        catch
        {
            Delete(call);
            throw;
        }
    }

    static void Start(PluginCall call, FileDescriptor space, IReadOnlyList<PortMapping> ports, string pidFile)
    {
        string[] arguments =
        [
            "--config-net", "--quiet", "--no-map-gw", "--ns-ifname", call.InterfaceName, "--pid", pidFile, "--netns", $"/proc/self/fd/{Given}",
            "--tcp-ports", Specification(ports, "tcp"), "--udp-ports", Specification(ports, "udp"), "--tcp-ns", "none", "--udp-ns", "none",
        ];
        try
        {
            var output = ProgramOutput.Of(new ProgramCall(Find(), arguments) { LargestOutput = 1 << 16, Timeout = Patience, Ties = ProgramTies.Cut, Given = space });
            if (output.Status.ShellCode != 0)
            {
                throw new NetworkException(NetworkException.Internal, $"pasta ended with {output.Status.ShellCode}: {SpecException.OneLine(Complaint(output.Errors))}");
            }
        }
        catch (TimeoutException problem)
        {
            throw new NetworkException(NetworkException.Internal, problem.Message);
        }
    }

    /// <summary>Without what it says of not reaching the machine's log.</summary>
    static string Complaint(byte[] errors) => string.Join("; ", Encoding.UTF8.GetString(errors).Split('\n').Where(line => line.Length > 0 && !line.StartsWith("Failed to send ", StringComparison.Ordinal)));

    /// <summary>As in <c>127.0.0.1/8080:80,8443:443</c>.</summary>
    static string Specification(IReadOnlyList<PortMapping> ports, string protocol)
    {
        var parts = ports.Where(port => port.Protocol == protocol).Select(port => $"{(port.HostIp is { } address ? address + "/" : "")}{port.HostPort}:{port.ContainerPort}").ToList();
        return parts.Count == 0 ? "none" : string.Join(',', parts);
    }

    static IReadOnlyList<PortMapping> Ports(SpecNode root)
    {
        var ports = root.Find("runtimeConfig")?.List("portMappings", PortMapping.Read) ?? [];
        return ports.FirstOrDefault(port => port.Protocol is not ("tcp" or "udp")) is { } other
            ? throw new NetworkException(NetworkException.UnsupportedField, $"{other.Protocol} port {other.HostPort}: pasta forwards tcp and udp only") : ports;
    }

    static void Delete(PluginCall call)
    {
        var path = PidFile(call);
        if (Read(path) is { } pid)
        {
            Processes.Kill(pid, Signal.Terminate);
        }

        Files.TryUnlink(FileDescriptor.WorkingDirectory, path);
    }

    static void Check(PluginCall call)
    {
        if (Read(PidFile(call)) is null)
        {
            throw PodDevice.Missing("pasta does not run any more");
        }
    }

    /// <summary>By which the process is found again.</summary>
    static string PidFile(PluginCall call) => NetworkState.FileOf(call.ContainerId, $"{call.InterfaceName}.pid");

    /// <returns>Null where it does not run: the number may be another's by now, but its command line is not.</returns>
    static int? Read(string path) =>
        int.TryParse((Files.TryReadText(FileDescriptor.WorkingDirectory, path) ?? "").Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
        && (Files.TryReadText(FileDescriptor.WorkingDirectory, $"/proc/{pid}/cmdline") ?? "").Split('\0').Contains(path) ? pid : null;

    static string Find() => TryFind() ?? throw new NetworkException(NetworkException.InvalidConfiguration, "there is no pasta in $PATH: install it (Debian's package passt)");

    static string? TryFind() => (Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin").Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(directory => $"{directory}/pasta").FirstOrDefault(path => Files.Exists(FileDescriptor.WorkingDirectory, path));
}
