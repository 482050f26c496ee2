using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Limits how fast a pod receives and sends: the plug-in bandwidth.</summary>
static class Bandwidth
{
    const double QueueSeconds = 0.025;
    const int BitsPerByte = 8;

    public static readonly NetworkPlugin Plugin = new("bandwidth", Add, Delete, Check) { NeedsProgram = NeedsProgram };

    static NetworkResult Add(PluginCall call)
    {
        var (toPod, fromPod) = Read(call);
        if (toPod is null && fromPod is null)
        {
            return call.PreviousResult ?? new NetworkResult();
        }

        var result = call.PreviousResult ?? throw new NetworkException(NetworkException.InvalidEnvironment, "it has to come after a plug-in that makes a device");
        using var host = NetlinkSocket.Open();
        using var undo = new Undo();
        var outer = FindOuter(host, call);
        if (toPod is not null)
        {
            host.Apply(TrafficControl.Limiting(outer, toPod));
        }

        if (fromPod is not null)
        {
            string name = BlockOf(call);
            host.Apply(VirtualLinks.CreatingIntermediate(new NewLink(name) { Mtu = outer.Mtu }));
            undo.Add(() => Remove(call));
            var block = NetworkLink.Find(host, name) ?? throw new KernelException($"find network device {name}", Errno.ENODEV);
            host.Apply([block.Changing(new LinkSettings { IsUp = true }), TrafficControl.Limiting(block, fromPod), .. TrafficControl.Redirecting(outer, block)]);
            result = result with { Interfaces = [.. result.Interfaces, new(name) { Mac = PluginOptions.FormatMac(block.HardwareAddress) }] };
        }

        undo.Forget();
        return result;
    }

    static void Delete(PluginCall call) => Remove(call);

    static void Check(PluginCall call)
    {
        var (toPod, fromPod) = Read(call);
        using var host = NetlinkSocket.Open();
        if (toPod is not null)
        {
            Compare(host, FindOuter(host, call), toPod);
        }

        if (fromPod is not null)
        {
            Compare(host, NetworkLink.Find(host, BlockOf(call)) ?? throw PodDevice.Missing($"there is no {BlockOf(call)} any more"), fromPod);
        }
    }

    static void Compare(NetlinkSocket host, NetworkLink link, TokenBucket wanted)
    {
        var found = TrafficControl.FindLimit(host, link);
        if (found is null || found.BytesPerSecond != wanted.BytesPerSecond || found.Queue != wanted.Queue)
        {
            throw PodDevice.Missing(found is null ? $"{link.Name} is not limited any more" : $"{link.Name} is limited to {found.BytesPerSecond * BitsPerByte} bits per second, and not to {wanted.BytesPerSecond * BitsPerByte}");
        }
    }

    static void Remove(PluginCall call)
    {
        // The limit for what the pod receives goes with the device that it is on.
        using var host = NetlinkSocket.Open();
        try
        {
            if (NetworkLink.Find(host, BlockOf(call)) is { } block)
            {
                host.Apply(block.Removing());
            }
        }
        catch (KernelException gone) when (gone.Errno == Errno.ENODEV)
        {
        }
    }

    /// <summary>The other end of the pod's device.</summary>
    static NetworkLink FindOuter(NetlinkSocket host, PluginCall call)
    {
        using var pod = NetlinkSocket.Open(call.Namespace ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no network namespace to look into"));
        var inner = NetworkLink.Find(pod, call.InterfaceName) ?? throw PodDevice.Missing($"there is no {call.InterfaceName} in {call.NamespacePath}");
        return inner.Kind == "veth" && NetworkLink.Find(host, inner.Peer) is { Kind: "veth" } outer
            ? outer
            : throw new NetworkException(NetworkException.InvalidEnvironment, $"{call.InterfaceName} has no other end here: only links of the kind veth are limited");
    }

    /// <summary>The device through which what the pod sends is led: the plug-in's prefix, and a hash of whose it is (FNV-1a).</summary>
    static string BlockOf(PluginCall call)
    {
        ulong hash = RuleOwner.Hash(PluginOptions.NetworkOf(call) + ' ' + call.ContainerId + ' ' + call.InterfaceName);
        return $"bwp{hash & 0xffff_ffff_ffff:x12}";
    }

    static (TokenBucket? ToPod, TokenBucket? FromPod) Read(PluginCall call)
    {
        var root = SpecNode.Of(call.Configuration);

        // What the configuration says comes before what the runtime asks for, as with the plug-in.
        var node = Names.Any(name => root.Find(name) is not null) ? root : root.Find("runtimeConfig")?.Find("bandwidth");
        if (node is not { } limits)
        {
            return (null, null);
        }

        var (ingressRate, ingressBurst, egressRate, egressBurst) = BandwidthLimits.Read(limits);
        return (ToBucket(ingressRate, ingressBurst, "ingress"), ToBucket(egressRate, egressBurst, "egress"));
    }

    static readonly string[] Names = ["ingressRate", "ingressBurst", "egressRate", "egressBurst"];

    static TokenBucket? ToBucket(ulong rate, ulong burst, string direction)
    {
        if (rate == 0 && burst == 0)
        {
            return null;
        }

        if (rate < BitsPerByte || burst < BitsPerByte)
        {
            throw new SpecException(direction + (rate < BitsPerByte ? "Rate" : "Burst"), $"is missing or less than a byte: {direction}Rate and {direction}Burst go together");
        }

        if (burst / BitsPerByte >= uint.MaxValue)
        {
            throw new SpecException(direction + "Burst", "is more than 4 GB");
        }

        ulong bytes = rate / BitsPerByte;
        uint bucket = (uint)(burst / BitsPerByte);
        return new TokenBucket(bytes, bucket, (uint)Math.Min((bytes * QueueSeconds) + bucket, uint.MaxValue));
    }

    static string? NeedsProgram(SpecNode root) =>
        root.Find("unshapedSubnets") is not null ? "'unshapedSubnets' is only known to that" : root.Find("shapedSubnets") is not null ? "'shapedSubnets' is only known to that" : null;
}
