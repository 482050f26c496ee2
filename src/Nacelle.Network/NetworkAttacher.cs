using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>Attaches a pod to the networks of its plan, and detaches it.</summary>
/// <param name="pod">The pod's directory, which keeps what was done; it stays the caller's.</param>
/// <param name="plugins">Null for those of the plan's path.</param>
public sealed partial class NetworkAttacher(FileDescriptor pod, NetworkPlan plan, NetworkPlugins? plugins = null)
{
    readonly NetworkPlugins plugins = plugins ?? new NetworkPlugins(plan.PluginPath);

    /// <summary>Sets the loopback device up, and attaches the pod to one network after the other.</summary>
    /// <param name="namespacePath">A path by which any process reaches the pod's network namespace, as in <c>/proc/4711/ns/net</c>.</param>
    /// <returns>What came of each, in the plan's order.</returns>
    /// <exception cref="NetworkException">One failed; it and those before it have been taken down again.</exception>
    /// <exception cref="KernelException">There is no such namespace, or the pod's directory cannot be written.</exception>
    public IReadOnlyList<NetworkResult> Attach(string namespacePath)
    {
        using var space = Files.Open(namespacePath, OpenFlags.ReadOnly);
        SetLoopbackUp(space);
        using var turn = Enter();
        var results = new List<NetworkResult>();
        int touched = 0;
        try
        {
            List<(NetworkAttachment Attachment, NetworkChain Chain)> chains = [.. plan.Attachments.Select(attachment => (attachment, Chain(attachment, space, namespacePath)))];
            chains.ForEach(one => Name(one.Attachment, one.Chain.Prepare));
            foreach (var (attachment, chain) in chains)
            {
                touched++;
                Name(attachment, () => results.Add(chain.Add()));
                Record(attachment, chain.Version, results[^1], namespacePath).Write(pod);
            }

            PodNetworks.Write(pod, [.. plan.Attachments.Zip(results, (attachment, result) => PodNetwork.Of(attachment, result, ProgramOf(attachment)))]);
            return results;
        }
        catch (Exception problem) when (problem is NetworkException or KernelException)
        {
            throw Undo(plan.Attachments.Take(touched), space, namespacePath, problem);
        }
    }

    static void Name(NetworkAttachment attachment, Action attach)
    {
        try
        {
            attach();
        }
        catch (NetworkException problem)
        {
            throw new NetworkException(problem.Code, $"attach to network {attachment.Network.Name} as {attachment.InterfaceName}: {problem.Message}", problem.Details);
        }
    }

    AttachmentRecord Record(NetworkAttachment attachment, CniVersion version, NetworkResult result, string namespacePath) => new()
    {
        ContainerId = plan.ContainerId,
        Network = attachment.Network,
        InterfaceName = attachment.InterfaceName,
        NamespacePath = namespacePath,
        Arguments = attachment.Arguments,
        CapabilityArguments = attachment.CapabilityArguments,
        Version = version,
        Result = result,
    };

    /// <param name="touched">Those that are attached, wholly or in part.</param>
    NetworkException Undo(IEnumerable<NetworkAttachment> touched, FileDescriptor space, string namespacePath, Exception problem)
    {
        var further = Delete(touched, space, namespacePath);
        if (further.Count == 0)
        {
            NetworkPlan.Remove(pod);
        }

        string message = problem.Message + string.Concat(further.Select(one => $"; and then: {one}"));
        return new NetworkException((problem as NetworkException)?.Code ?? NetworkException.Internal, message, (problem as NetworkException)?.Details);
    }

    string ProgramOf(NetworkAttachment attachment) => plugins.Find(attachment.Network.Plugins[0].Type, attachment.Network.Plugins[0].Json).Program ?? "";

    NetworkChain Chain(NetworkAttachment attachment, FileDescriptor? space, string namespacePath) => new(attachment.Network, attachment, new PluginCall(plan.ContainerId, attachment.InterfaceName, default)
    {
        Namespace = space,
        NamespacePath = namespacePath,
        Arguments = Lenient(attachment.Arguments),
        Plugins = plugins,
    });

    /// <summary>Plug-ins are told not to mind arguments that are meant for others in the chain.</summary>
    static IReadOnlyList<KeyValuePair<string, string>> Lenient(IReadOnlyList<KeyValuePair<string, string>> arguments)
    {
        const string IgnoreUnknown = "IgnoreUnknown";
        return arguments.Count == 0 || arguments.Any(argument => argument.Key == IgnoreUnknown) ? arguments : [new(IgnoreUnknown, "1"), .. arguments];
    }

    static void SetLoopbackUp(FileDescriptor space)
    {
        using var socket = NetlinkSocket.Open(space);
        if (NetworkLink.Find(socket, "lo") is { } loopback)
        {
            socket.Apply(loopback.Changing(new LinkSettings { IsUp = true }));
        }
    }

    /// <summary>Pods may be attached and detached at the same time; only collecting has to wait, and waits for us.</summary>
    FileDescriptor? Enter() => plan.Lock is null ? null : NetworkTurn.Take(plan.Lock, LockKind.Shared);
}
