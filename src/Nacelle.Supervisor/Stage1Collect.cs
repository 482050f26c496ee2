using Nacelle.Containers;
using Nacelle.Network;

namespace Nacelle.Supervisor;

/// <summary>Stage1's <c>gc</c>: removes what a dead pod has left in the kernel. Its mounts and namespaces went with its processes; its control groups stay, and on the host what its networks are made of.</summary>
static class Stage1Collect
{
    public static int Collect(string[] arguments)
    {
        var uuid = arguments.LastOrDefault(argument => !argument.StartsWith('-')) ?? throw new Stage1Exception("stage1 was not told the pod's UUID");
        PodCgroups.Remove(uuid);
        if (PlannedNetworks.Collect() is { } problem)
        {
            Messages.Error(problem);
            return Messages.OwnError;
        }

        return 0;
    }
}
