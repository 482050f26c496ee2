using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>Names of pods. The file <c>name</c> in a pod's directory says which it has, and nothing else does: it moves with the pod, and goes with it.</summary>
/// <remarks>
/// A name is free when no pod has it that is not garbage. Who wants one looks through all pods and writes it down, which no other may do meanwhile:
/// the file <c>pods/names</c> is locked (flock), and empty.
/// </remarks>
public sealed partial class PodStore
{
    const string NameFile = "name", ClaimLock = "names";

    /// <summary>Where a pod with a name may lie, in the order in which pods move on, so that none is missed that moves meanwhile.</summary>
    static readonly PodPlace[] NamedPlaces = [PodPlace.Prepare, PodPlace.Prepared, PodPlace.Run];

    /// <summary>Gives a pod that is being made its name.</summary>
    /// <exception cref="PodException">Another pod has it.</exception>
    internal void Claim(Pod pod, AppName name)
    {
        using var claims = Files.Open(pods, ClaimLock, OpenFlags.ReadOnly | OpenFlags.Create, 0x180);
        FileLock.Acquire(claims, LockKind.Exclusive);
        if (FindNamed($"{name}") is { } other)
        {
            throw new PodException($"pod {other.Uuid} has the name '{name}' already: remove it, or choose another name");
        }

        Files.WriteAll(pod.Directory, NameFile, $"{name}");
    }

    /// <returns>The pod of that name, unless it is garbage or its maker has died.</returns>
    (string Uuid, PodPlace Place)? FindNamed(string name)
    {
        if (!AppName.IsValid(name))
        {
            return null;
        }

        foreach (var place in NamedPlaces)
        {
            foreach (var entry in Directories.ListOrEmpty(pods, place.DirectoryName()))
            {
                if (Files.TryReadText(pods, $"{place.DirectoryName()}/{entry.Name}/{NameFile}") == name && !IsAborted(entry.Name, place))
                {
                    return (entry.Name, place);
                }
            }
        }

        return null;
    }

    bool IsAborted(string uuid, PodPlace place)
    {
        using var found = place == PodPlace.Prepare ? Probe(uuid, place) : null;
        return found?.State == PodState.AbortedPrepare;
    }
}
