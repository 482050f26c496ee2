using Nacelle.Linux;
using Nacelle.Network;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Takes back what networks gave to pods that are dead: addresses, devices and rules. Of all stores of this machine, for they share its networks.</summary>
public static class PodNetworkCollection
{
    /// <param name="pluginPath">The user's directories of plug-ins.</param>
    /// <param name="done">Told of each pod that is detached now.</param>
    /// <param name="failed">Told of what could not be done; the rest goes on.</param>
    public static void Collect(NetworkConfigurations configurations, IReadOnlyList<string> pluginPath, Action<string> done, Action<string> failed)
    {
        foreach (var (uuid, directory) in NetworkState.Pods())
        {
            Try(() => Detach(uuid, directory, done), failed);
        }

        var plugins = new NetworkPlugins(pluginPath);
        foreach (var network in configurations.Networks)
        {
            Try(() => NetworkAttacher.Collect(network.Network, plugins, NetworkState.Lock, () => [.. Attached(network.Network.Name)]), failed);
        }
    }

    /// <summary>The pods that are, or are about to be, attached to a network.</summary>
    public static IEnumerable<ValidAttachment> Attached(string network)
    {
        foreach (var (uuid, path) in NetworkState.Pods())
        {
            using var pod = TryOpen(path);
            if (pod is null || IsDead(pod) || NetworkPlan.TryRead(pod) is not { } plan)
            {
                continue;
            }

            foreach (var attachment in plan.Attachments.Where(attachment => attachment.Network.Name == network))
            {
                yield return new ValidAttachment(uuid, attachment.InterfaceName);
            }
        }
    }

    static void Detach(string uuid, string path, Action<string> done)
    {
        using var pod = TryOpen(path);
        if (pod is null)
        {
            NetworkState.Forget(uuid); // moved away as garbage, or removed: who removes it detaches it by its plan
        }
        else if (IsDead(pod))
        {
            PlannedNetworks.Detach(pod, null);
            NetworkState.Forget(uuid);
            done(uuid);
        }
    }

    static FileDescriptor? TryOpen(string path) => Files.TryOpen(FileDescriptor.WorkingDirectory, path, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, out _);

    /// <summary>A pod that runs, or is about to, holds its lock.</summary>
    static bool IsDead(FileDescriptor pod) => FileLock.TryAcquire(pod, LockKind.Shared);

    static void Try(Action act, Action<string> failed)
    {
        try
        {
            act();
        }
        catch (Exception problem) when (problem is NetworkException or KernelException or SpecException)
        {
            failed(problem.Message);
        }
    }
}
