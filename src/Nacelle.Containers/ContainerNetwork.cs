using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>The host's network devices that a container gets.</summary>
public static class ContainerNetwork
{
    /// <summary>Moves them into the network namespace of the container's process, which is made or joined by then and does not run yet.</summary>
    /// <remarks>OCI runtime specification 1.3.0, config-linux.md, "Network Devices". They are not moved back: the kernel does that with those that are real.</remarks>
    /// <exception cref="KernelException">ENODEV: there is no such device; EEXIST: its name is taken in the container.</exception>
    public static void MoveDevices(RuntimeConfig config, int process)
    {
        if (config.Linux?.NetDevices is not { Count: > 0 } devices)
        {
            return;
        }

        var path = config.Linux.FindNamespace("network")?.Path ?? $"/proc/{process}/ns/net";
        using var space = Files.Open(path, OpenFlags.ReadOnly);
        using var host = NetlinkSocket.Open();
        foreach (var (name, device) in devices)
        {
            NetworkDevices.Move(host, name, space, device.Name is { Length: > 0 } given ? given : name);
        }
    }
}
