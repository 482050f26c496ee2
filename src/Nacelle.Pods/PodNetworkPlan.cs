using System.Text.Json;
using Nacelle.Network;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>What a pod's networks take is written down here before the pod starts; stage1 does it.</summary>
static class PodNetworkPlan
{
    /// <summary>The plug-in that forwards ports where no other of a network does.</summary>
    static readonly PluginConfiguration PortMap = PluginConfiguration.Parse("""{"type": "portmap", "capabilities": {"portMappings": true}}"""u8, "portmap");

    /// <exception cref="PodException">The pod wants ports, but has no network that could lead to them.</exception>
    public static void Write(Pod pod, PodManifest manifest, PodRunOptions options, Action<string> warn)
    {
        var ports = PodPorts.Resolve(manifest);
        var limits = PodBandwidth.Read(manifest);
        if (options.Network is { IsHost: true })
        {
            if (limits is not null)
            {
                throw new PodException("the bandwidth of the host's network, which the pod is to share, cannot be limited for a pod (--net=host)");
            }

            if (ports.Count > 0)
            {
                warn("the pod shares the host's network: its ports are the host's, and none is forwarded");
            }

            return;
        }

        if (options.Network is { IsNone: true })
        {
            if (ports.Count > 0 || limits is not null)
            {
                throw new PodException(ports.Count > 0 ? $"the host's port {ports[0].HostPort} cannot lead to the pod: it has no network (--net=none)" : "the pod has no network whose bandwidth could be limited (--net=none)");
            }

            return;
        }

        var attachments = options.Attachments.Select(attachment => attachment with { CapabilityArguments = new() { Bandwidth = limits } }).ToList();
        if (ports.Count > 0)
        {
            int at = WhichForwards(attachments);
            var chosen = attachments[at];
            attachments[at] = chosen with
            {
                Network = chosen.Network.Supports("portMappings") ? chosen.Network : chosen.Network with { Plugins = [.. chosen.Network.Plugins, PortMap] },
                CapabilityArguments = chosen.CapabilityArguments with { PortMappings = ports },
            };
        }

        if (limits is not null)
        {
            attachments = attachments.ConvertAll(PodBandwidth.Limit);
        }

        NetworkState.Register(pod.Uuid, pod.Path);
        new NetworkPlan { ContainerId = pod.Uuid, Attachments = attachments, PluginPath = options.PluginPath, Lock = NetworkState.Lock }.Write(pod.Directory);
    }

    /// <summary>As rkt has it: the first network from which the pod reaches the outside by the host's address, or the last. One that forwards ports itself comes first.</summary>
    static int WhichForwards(List<NetworkAttachment> attachments)
    {
        int own = attachments.FindIndex(attachment => attachment.Network.Supports("portMappings") && Masquerades(attachment));
        own = own >= 0 ? own : attachments.FindIndex(attachment => attachment.Network.Supports("portMappings") && attachment.Network.Name != NetworkSelection.DefaultRestricted);
        int masqueraded = attachments.FindIndex(Masquerades);
        return own >= 0 ? own : masqueraded >= 0 ? masqueraded : attachments.Count - 1;
    }

    static bool Masquerades(NetworkAttachment attachment) =>
        attachment.Network.Plugins.Any(plugin => plugin.Json.TryGetProperty("ipMasq", out var masquerade) && masquerade.ValueKind == JsonValueKind.True);
}
