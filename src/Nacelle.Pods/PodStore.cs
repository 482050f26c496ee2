using Nacelle.Linux;

namespace Nacelle.Pods;

/// <summary>A pod as found, with the state that it was in at that moment.</summary>
public sealed record FoundPod(Pod Pod, PodState State) : IDisposable
{
    public void Dispose() => Pod.Dispose();
}

/// <summary>The pods of a data directory.</summary>
public sealed partial class PodStore : IDisposable
{
    readonly FileDescriptor pods;

    /// <param name="path">The data directory; it and <c>pods/</c> are made where they are missing.</param>
    public PodStore(string path)
    {
        Path = path;
        using var data = Files.EnsureDirectories(path);
        Files.EnsureDirectory(data, "pods", 0x1E8);
        pods = Files.Open(data, "pods", OpenFlags.Path | OpenFlags.Directory);
    }

    public string Path { get; }

    /// <summary>Makes a new pod, locked, in preparation. Until it is prepared, its end of life at any moment leaves garbage that <c>gc</c> knows.</summary>
    public Pod Create()
    {
        var uuid = Guid.NewGuid().ToString();
        foreach (var place in PodStates.Places)
        {
            Files.EnsureDirectory(pods, place.DirectoryName(), 0x1E8);
        }

        // An embryo has no lock of its own yet: until it has, the directory of all embryos is held, so that gc can tell the unborn from the dead.
        using var embryos = OpenEmbryos();
        FileLock.Acquire(embryos, LockKind.Shared);
        Files.MakeDirectory(pods, $"embryo/{uuid}", 0x1E8);
        var pod = Open(uuid, PodPlace.Embryo) ?? throw new PodException($"pod {uuid} vanished while it was made");
        FileLock.Acquire(pod.Directory, LockKind.Exclusive);
        return pod.TryMove(PodPlace.Prepare) ? pod : throw new PodException($"pod {uuid} vanished while it was made");
    }

    /// <summary>Keeps new pods from being made until the result is disposed of; null when one is just being made.</summary>
    internal IDisposable? TryHoldEmbryos()
    {
        if (!Files.Exists(pods, PodPlace.Embryo.DirectoryName()))
        {
            return null;
        }

        var embryos = OpenEmbryos();
        if (FileLock.TryAcquire(embryos, LockKind.Exclusive))
        {
            return embryos;
        }

        embryos.Dispose();
        return null;
    }

    FileDescriptor OpenEmbryos() => Files.Open(pods, PodPlace.Embryo.DirectoryName(), OpenFlags.ReadOnly | OpenFlags.Directory);

    /// <summary>The directory of all pods in one place, made where it is missing.</summary>
    internal FileDescriptor OpenPlace(PodPlace place)
    {
        Files.EnsureDirectory(pods, place.DirectoryName(), 0x1E8);
        return Files.Open(pods, place.DirectoryName(), OpenFlags.Path | OpenFlags.Directory);
    }

    /// <summary>All pods with their states, in no order. The caller disposes of each.</summary>
    public IEnumerable<FoundPod> List()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal); // who moves on meanwhile is met again
        foreach (var place in PodStates.Places)
        {
            foreach (var entry in Directories.ListOrEmpty(pods, place.DirectoryName()))
            {
                if (!seen.Contains(entry.Name) && Probe(entry.Name, place) is { } found)
                {
                    seen.Add(entry.Name);
                    yield return found;
                }
            }
        }
    }

    /// <summary>The pod whose UUID this is; or else whose name; or else whose UUID begins like that.</summary>
    /// <exception cref="PodException">There is none, or several.</exception>
    public FoundPod Find(string text)
    {
        // A pod may move between the look and the opening: a second look finds it in its new place.
        for (int attempt = 0; attempt < 3; attempt++)
        {
            var (uuid, place) = Locate(text);
            if (Probe(uuid, place) is { } found)
            {
                return found;
            }
        }

        throw new PodException($"there is no pod '{text}'");
    }

    const int UuidLength = 36;

    (string Uuid, PodPlace Place) Locate(string text)
    {
        if (text.Length != UuidLength && FindNamed(text) is { } named)
        {
            return named;
        }

        if (text.Length < 2)
        {
            throw new PodException($"'{text}' is too short to name a pod: give at least two characters of its UUID");
        }

        if (text.AsSpan().ContainsAnyExcept("0123456789abcdefABCDEF-"))
        {
            throw new PodException($"there is no pod '{text}'"); // and no path either
        }

        (string Uuid, PodPlace Place)? match = null;
        foreach (var place in PodStates.Places)
        {
            if (text.Length == UuidLength && Files.Exists(pods, $"{place.DirectoryName()}/{text}"))
            {
                return (text, place);
            }

            foreach (var entry in text.Length == UuidLength ? [] : Directories.ListOrEmpty(pods, place.DirectoryName()))
            {
                if (entry.Name.StartsWith(text, StringComparison.OrdinalIgnoreCase))
                {
                    match = match is null || match.Value.Uuid == entry.Name
                        ? (entry.Name, place)
                        : throw new PodException($"'{text}' is ambiguous: both {match.Value.Uuid} and {entry.Name} begin with it");
                }
            }
        }

        return match ?? throw new PodException($"there is no pod '{text}'");
    }

    /// <summary>Opens a pod and sees whether it is locked. A shared lock is taken for a moment, which no other look minds.</summary>
    FoundPod? Probe(string uuid, PodPlace place)
    {
        var pod = Open(uuid, place);
        if (pod is null)
        {
            return null;
        }

        bool locked = !FileLock.TryAcquire(pod.Directory, LockKind.Shared);
        if (!locked)
        {
            FileLock.Release(pod.Directory);
        }

        // The lock says something of the pod's state only if the pod is still where it was opened.
        if (Files.TryStatus(pods, $"{place.DirectoryName()}/{uuid}", out _)?.Inode != Files.Status(pod.Directory).Inode)
        {
            pod.Dispose();
            return null;
        }

        return new FoundPod(pod, PodStates.StateOf(place, locked));
    }

    /// <returns>Null where there is none.</returns>
    internal Pod? TryOpen(string uuid, PodPlace place) => Open(uuid, place);

    Pod? Open(string uuid, PodPlace place)
    {
        var directory = Files.TryOpen(
            pods, $"{place.DirectoryName()}/{uuid}", OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, out var error);
        return directory is not null ? new Pod(this, uuid, place, directory)
            : error is Errno.ENOENT or Errno.ENOTDIR ? null
            : throw new KernelException($"open pod {uuid}", error);
    }

    internal Errno TryRename(string uuid, PodPlace from, PodPlace to) =>
        Files.TryRename(pods, $"{from.DirectoryName()}/{uuid}", pods, $"{to.DirectoryName()}/{uuid}", RenameFlags.NoReplace);

    /// <summary>Removes the directory of a pod, which the caller has locked; what is mounted inside must be gone.</summary>
    internal void RemoveDirectory(Pod pod) => Directories.RemoveTree(pods, $"{pod.Place.DirectoryName()}/{pod.Uuid}");

    public void Dispose() => pods.Dispose();
}
