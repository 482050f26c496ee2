using Nacelle.Linux;

namespace Nacelle.Network;

/// <summary>A pair of devices: one end in the pod, one outside, both still down; and sockets on both sides.</summary>
sealed class VethPair : IDisposable
{
    const int LongestTry = 10;

    VethPair(NetlinkSocket host, NetlinkSocket pod, NetworkLink outer, NetworkLink inner)
    {
        Host = host;
        Pod = pod;
        Outer = outer;
        Inner = inner;
    }

    public NetlinkSocket Host { get; }

    public NetlinkSocket Pod { get; }

    /// <summary>The end outside.</summary>
    public NetworkLink Outer { get; }

    /// <summary>The end in the pod.</summary>
    public NetworkLink Inner { get; }

    /// <summary>Makes a pair. The pod's end is called as the call says.</summary>
    /// <param name="mac">Of the pod's end; null for one that is drawn here.</param>
    /// <param name="prepare">Is done in the pod's namespace, where the pod's end is there and down.</param>
    public static VethPair Create(PluginCall call, uint? mtu, byte[]? mac, Action prepare, Undo undo)
    {
        var space = call.Namespace ?? throw new NetworkException(NetworkException.InvalidEnvironment, "there is no network namespace to add to");
        var host = NetlinkSocket.Open();
        NetlinkSocket? pod = null;
        try
        {
            mac ??= DrawMac();
            var outer = CreateLinks(host, space, call.InterfaceName, mtu, mac);
            undo.Add(() =>
            {
                using var again = NetlinkSocket.Open();
                again.Apply(outer.Removing());
            });
            NetworkNamespace.Run(space, () =>
            {
                pod = NetlinkSocket.Open();
                prepare();
            });

            // What there is to know of the other end is known; asking would wait once more for the kernel's lock on all networks.
            var inner = new NetworkLink(outer.Peer, call.InterfaceName, IsUp: false, outer.Mtu, mac) { Kind = outer.Kind, Peer = outer.Index };
            return new VethPair(host, pod!, outer, inner);
        }
        catch
        {
            pod?.Dispose();
            host.Dispose();
            throw;
        }
    }

    /// <summary>Waits until traffic passes: a bridge passes nothing on by a port before, and the kernel drops what is sent. New kernels see that both ends are up when they are asked, others a moment later.</summary>
    /// <returns>The end outside, as it is now.</returns>
    public NetworkLink WaitUntilUp()
    {
        const int Most = 3000, Milliseconds = 1;
        for (int waited = 0; ; waited += Milliseconds)
        {
            var outer = Refresh(Host, Outer);
            if (outer.Carries && Refresh(Pod, Inner).Carries)
            {
                return outer;
            }

            if (waited >= Most)
            {
                throw new NetworkException(NetworkException.Internal, $"{Inner.Name} and {Outer.Name} are set up and carry no traffic");
            }

            Thread.Sleep(Milliseconds);
        }
    }

    public void Dispose()
    {
        Host.Dispose();
        Pod.Dispose();
    }

    static NetworkLink Refresh(NetlinkSocket network, NetworkLink link) => NetworkLink.Find(network, link.Index) ?? throw new KernelException($"find network device {link.Name}", Errno.ENODEV);

    static NetworkLink CreateLinks(NetlinkSocket host, FileDescriptor space, string name, uint? mtu, byte[] mac)
    {
        for (int round = 1; ; round++)
        {
            string outer = DrawName();
            try
            {
                host.Apply(VirtualLinks.CreatingPair(
                    new NewLink(outer) { Mtu = mtu, HardwareAddress = DrawMac() }, new NewLink(name) { Mtu = mtu, HardwareAddress = mac, Namespace = space }));
                return NetworkLink.Find(host, outer) ?? throw new KernelException($"find network device {outer}", Errno.ENODEV);
            }
            catch (KernelException taken) when (taken.Errno == Errno.EEXIST && round < LongestTry && NetworkLink.Find(host, outer) is not null)
            {
            }
        }
    }

    /// <summary>A name for the end outside; NetworkManager leaves devices of such names alone.</summary>
    public static string DrawName() => $"veth{Random.Shared.Next():x8}";

    /// <summary>An address of one's own making, of one device. Once it is set, udev leaves it alone.</summary>
    public static byte[] DrawMac()
    {
        const byte OfGroup = 1, OfOnesOwnMaking = 2;
        var address = new byte[6];
        Random.Shared.NextBytes(address);
        address[0] = (byte)((address[0] & ~OfGroup) | OfOnesOwnMaking);
        return address;
    }
}
