using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

public sealed partial class NetworkAttacher
{
    /// <summary>Has all plug-ins look whether what they made is still there. Networks that forbid it (<c>disableCheck</c>), or that are older than it (0.4.0), are passed over.</summary>
    /// <returns>What is wrong, a line for each network with a fault.</returns>
    /// <exception cref="KernelException">There is no such namespace.</exception>
    public IReadOnlyList<string> Check(string namespacePath)
    {
        using var space = Files.Open(namespacePath, OpenFlags.ReadOnly);
        var faults = new List<string>();
        foreach (var attachment in plan.Attachments)
        {
            try
            {
                var added = AttachmentRecord.TryRead(pod, attachment.InterfaceName) ?? throw new NetworkException(NetworkException.UnknownContainer, "the pod is not attached to it");
                Chain(attachment, space, namespacePath).Check(added);
            }
            catch (Exception problem) when (problem is NetworkException or SpecException)
            {
                faults.Add($"network {attachment.Network.Name}: {problem.Message}");
            }
        }

        return faults;
    }

    /// <summary>Whether all plug-ins of a network are there and could take an ADD; those that speak 1.1.0 are asked.</summary>
    /// <exception cref="NetworkException">One could not.</exception>
    public static void Status(NetworkConfiguration network, NetworkPlugins plugins) => Chain(network, plugins).AskStatus();

    /// <summary>Has the plug-ins of a network remove what belongs to nobody any more; those that speak 1.1.0, unless the network forbids it (<c>disableGC</c>).</summary>
    /// <remarks>Whoever shares a network's name and its addresses with another runtime must forbid it: that one's are not among the valid ones.</remarks>
    /// <param name="lockPath">See <see cref="NetworkPlan.Lock"/>: pods that are being attached or detached are waited for.</param>
    /// <param name="valid">All attachments to the network that are to be kept; asked once nobody is attached or detached any more.</param>
    /// <exception cref="NetworkException">Something failed; all the rest was done.</exception>
    public static void Collect(NetworkConfiguration network, NetworkPlugins plugins, string lockPath, Func<IReadOnlyList<ValidAttachment>> valid)
    {
        if (network.DisableGC)
        {
            return;
        }

        using var turn = NetworkTurn.Take(lockPath, LockKind.Exclusive);
        var problems = Chain(network, plugins).Collect(valid());
        if (problems.Count > 0)
        {
            throw new NetworkException(problems[0].Code, $"collect in network {network.Name}: {string.Join("; ", problems.Select(problem => problem.Message))}");
        }
    }

    static NetworkChain Chain(NetworkConfiguration network, NetworkPlugins plugins) => new(network, null, new PluginCall("", "", default) { Plugins = plugins });
}
