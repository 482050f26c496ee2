using Nacelle.Network;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>The isolator <c>resource/network-bandwidth</c>: what a pod may send, and receive, in a second on each of its networks; not on its loopback.</summary>
/// <remarks>appc 0.8.11, spec/ace.md. Apps share the pod's network, so an app has a limit of its own only where it is alone.</remarks>
static class PodBandwidth
{
    const ulong SmallestBurst = 1 << 20;

    static readonly PluginConfiguration Plugin = PluginConfiguration.Parse("""{"type": "bandwidth", "capabilities": {"bandwidth": true}}"""u8, "bandwidth");

    /// <returns>Null for no limit.</returns>
    /// <exception cref="PodException">An app that is not alone has a limit.</exception>
    public static BandwidthLimits? Read(PodManifest manifest)
    {
        var rate = PodLimits.Read(manifest).Resources.NetworkBandwidth;
        foreach (var app in manifest.Apps)
        {
            if (IsLimited(app) && AppLimits.Read(app.App!.Isolators, $"apps[{app.Name}].app.isolators").Resources.NetworkBandwidth is { } own)
            {
                RequireAlone(app, manifest);
                rate = Math.Min(rate ?? own, own);
            }
        }

        if (rate is not { } bytes)
        {
            return null;
        }

        ulong bits = (ulong)bytes * 8, burst = Math.Max(bits / 10, SmallestBurst);
        return new BandwidthLimits(bits, burst, bits, burst);
    }

    /// <exception cref="PodException">The app is to have a limit, and shares the network with others.</exception>
    public static void RequireAlone(PodApp app, PodManifest manifest)
    {
        if (IsLimited(app) && (manifest.Apps.Count > 1 || PodApps.IsMutable(manifest)))
        {
            throw new PodException($"the bandwidth of the app '{app.Name}' alone cannot be limited: the apps of a pod share its network; limit that, by --pod-network-bandwidth");
        }
    }

    static bool IsLimited(PodApp app) => app.App?.Isolators.Any(isolator => isolator.Name == "resource/network-bandwidth") ?? false;

    /// <summary>Has a plug-in of the network limit the pod, one of its own or ours.</summary>
    public static NetworkAttachment Limit(NetworkAttachment attachment) => attachment.Network.Supports("bandwidth") ? attachment
        : attachment with { Network = attachment.Network with { Plugins = [.. attachment.Network.Plugins, Plugin] } };
}
