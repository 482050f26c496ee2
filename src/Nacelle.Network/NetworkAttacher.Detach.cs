using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

public sealed partial class NetworkAttacher
{
    /// <summary>Detaches the pod from all its networks, the last first, by what was written down at ADD. May be done again, and after any crash.</summary>
    /// <param name="namespacePath">As for <see cref="Attach(string)"/>; null, or a path that leads nowhere any more, where the namespace is gone.</param>
    /// <exception cref="NetworkException">Something failed; all the rest was done, and what failed stays written down for another time.</exception>
    public void Detach(string? namespacePath)
    {
        using var space = namespacePath is null ? null : Files.TryOpen(FileDescriptor.WorkingDirectory, namespacePath, OpenFlags.ReadOnly, out _);
        using var turn = Enter();
        var problems = Delete(plan.Attachments, space, space is null ? "" : namespacePath!);
        if (problems.Count > 0)
        {
            throw new NetworkException(NetworkException.Internal, string.Join("; ", problems));
        }

        PodNetworks.Remove(pod);
        NetworkPlan.Remove(pod);
    }

    List<string> Delete(IEnumerable<NetworkAttachment> attachments, FileDescriptor? space, string namespacePath)
    {
        var problems = new List<string>();
        foreach (var attachment in attachments.Reverse())
        {
            var failed = Chain(attachment, space, namespacePath).Delete(TryReadRecord(attachment));
            problems.AddRange(failed.Select(problem => $"detach from network {attachment.Network.Name}: {problem.Message}"));
            if (failed.Count == 0)
            {
                AttachmentRecord.Remove(pod, attachment.InterfaceName);
            }
        }

        return problems;
    }

    /// <summary>A record that is broken says as much as none: plug-ins then clean up what they can.</summary>
    AttachmentRecord? TryReadRecord(NetworkAttachment attachment)
    {
        try
        {
            return AttachmentRecord.TryRead(pod, attachment.InterfaceName);
        }
        catch (SpecException)
        {
            return null;
        }
    }
}
