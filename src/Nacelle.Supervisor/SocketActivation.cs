using System.Globalization;
using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Supervisor;

/// <summary>Sockets that apps find open when they start: those that whoever started us has opened, and those that an app's ports ask for.</summary>
/// <remarks>sd_listen_fds(3); appc 0.8.11, spec/aci.md, "ports", socketActivated: the executor listens and passes the socket.</remarks>
static class SocketActivation
{
    const int First = 3;

    /// <summary>The sockets that this process was started with.</summary>
    public static IReadOnlyList<(string Name, FileDescriptor Descriptor, int? Port)> Inherited()
    {
        if (Environment.GetEnvironmentVariable("LISTEN_PID") != Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
            || !int.TryParse(Environment.GetEnvironmentVariable("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int count))
        {
            return [];
        }

        var names = Environment.GetEnvironmentVariable("LISTEN_FDNAMES")?.Split(':') ?? [];
        var sockets = new List<(string, FileDescriptor, int?)>();
        for (int i = 0; i < count; i++)
        {
            var name = i < names.Length ? names[i] : "unknown";
            var descriptor = new FileDescriptor(First + i, $"socket {name}") { Inherited = false };
            sockets.Add((name, descriptor, PortOf(descriptor)));
        }

        return sockets;
    }

    static int? PortOf(FileDescriptor descriptor)
    {
        try
        {
            return Sockets.PortOf(descriptor);
        }
        catch (KernelException)
        {
            return null; // no socket: systemd passes other files as well
        }
    }

    /// <summary>Each of the app's ports that is socket-activated gets the socket of its name, or of its port, or one of its own. An app that is alone gets what is left.</summary>
    public static IReadOnlyList<ContainerSocket> Of(PodApp app, bool alone, IReadOnlyList<(string Name, FileDescriptor Descriptor, int? Port)> inherited)
    {
        var left = inherited.ToList();
        var sockets = new List<ContainerSocket>();
        foreach (var port in app.App?.Ports.Where(port => port.SocketActivated) ?? [])
        {
            for (uint number = port.Port; number < port.Port + port.Count; number++)
            {
                int at = left.FindIndex(one => one.Name == port.Name.ToString() && (port.Count == 1 || one.Port == number));
                at = at < 0 ? left.FindIndex(one => one.Port == number) : at;
                sockets.Add(new ContainerSocket(port.Name.ToString(), at < 0 ? null : left[at].Descriptor, port.Protocol, number));
                if (at >= 0)
                {
                    left.RemoveAt(at);
                }
            }
        }

        return alone ? [.. sockets, .. left.Select(one => new ContainerSocket(one.Name, one.Descriptor))] : sockets;
    }
}
