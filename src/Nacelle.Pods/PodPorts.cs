using System.Net;
using System.Net.Sockets;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Which ports of the host lead to which of a pod's.</summary>
static class PodPorts
{
    /// <summary>What a manifest asks for, with the apps' own numbers in the place of names.</summary>
    /// <exception cref="PodException">No app has a port of that name, or two have, or a port of the host is asked for twice.</exception>
    public static IReadOnlyList<PortMapping> Resolve(PodManifest manifest)
    {
        var mappings = new List<PortMapping>();
        foreach (var port in manifest.Ports)
        {
            var inside = port.Port ?? Find(manifest, port.Name);
            if (port.HostPort + inside.Count - 1 > ushort.MaxValue)
            {
                throw new PodException($"the port '{port.Name}' stands for {inside.Count} ports: from {port.HostPort} of the host on there are not as many");
            }

            for (uint i = 0; i < inside.Count; i++)
            {
                var mapping = new PortMapping((ushort)(port.HostPort + i), (ushort)(inside.Port + i), inside.Protocol, port.HostIP);
                mappings.Add(mappings.Find(other => Collide(mapping, other)) is not { } other ? mapping
                    : throw new PodException($"the host's port {mapping.HostPort}/{mapping.Protocol} is to lead to the pod's ports {other.ContainerPort} and {mapping.ContainerPort}: only one of them can have it"));
            }
        }

        return mappings;
    }

    static bool Collide(PortMapping one, PortMapping other) => one.Protocol == other.Protocol && one.HostPort == other.HostPort && Overlap(one.HostIp, other.HostIp);

    static bool Overlap(string? one, string? other)
    {
        if (one is null || other is null)
        {
            return true;
        }

        var (first, second) = (IPAddress.Parse(one), IPAddress.Parse(other));
        return first.AddressFamily == second.AddressFamily && (first.Equals(second) || IsAny(first) || IsAny(second));
    }

    static bool IsAny(IPAddress address) => address.Equals(address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any);

    static AppPort Find(PodManifest manifest, AppName name)
    {
        var all = manifest.Apps.SelectMany(app => app.App?.Ports ?? []).ToList();
        var found = all.FindAll(port => port.Name == name);
        return found.Count switch
        {
            1 => found[0],
            0 when all.Count == 0 => throw new PodException($"no app of the pod has a port '{name}', or any: say which is meant, as in --port={name}:tcp:80::8080"),
            0 => throw new PodException($"no app of the pod has a port '{name}'; there {(all.Count == 1 ? "is" : "are")} {string.Join(", ", all.Select(port => port.Name).Distinct())}"),
            _ => throw new PodException($"several apps of the pod have a port '{name}': say which is meant, as in --port={name}:{found[0].Protocol}:{found[0].Port}::8080"),
        };
    }
}
