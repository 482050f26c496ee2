using Nacelle.Linux;

namespace Nacelle.Oci;

/// <summary>The directory in which every container has one of its own.</summary>
/// <remarks>
/// The directory's name is the container's id. Whoever changes a container holds the lock (flock) on its directory. A directory without a
/// <c>state.json</c>, or whose container has no process, is being made as long as somebody holds the lock, and left over otherwise.
/// </remarks>
sealed class ContainerStore(string path)
{
    const int LongestId = 200;

    /// <summary>Makes the directory of a new container, locked.</summary>
    public ContainerDirectory Reserve(string id)
    {
        Check(id);
        using var root = Files.EnsureDirectories(path, 0x1C0);
        try
        {
            Files.MakeDirectory(root, id, 0x1C0);
        }
        catch (KernelException problem) when (problem.Errno == Errno.EEXIST)
        {
            throw new UserException($"container {id} already exists");
        }

        return new ContainerDirectory(path, id, LockKind.Exclusive);
    }

    /// <param name="locked">Null only looks.</param>
    /// <exception cref="UserException">There is no such container.</exception>
    public Container Open(string id, LockKind? locked = null) => TryOpen(id, locked) ?? throw new UserException($"container {id} does not exist");

    public Container? TryOpen(string id, LockKind? locked = null)
    {
        Check(id);
        if (!Directory.Exists($"{path}/{id}"))
        {
            return null;
        }

        try
        {
            var directory = new ContainerDirectory(path, id, locked);
            if (!Directory.Exists($"{path}/{id}"))
            {
                directory.Dispose(); // it was removed while we waited for the lock
                return null;
            }

            return new Container(directory);
        }
        catch (KernelException problem) when (problem.Errno == Errno.ENOENT)
        {
            return null;
        }
    }

    /// <summary>All containers, by id.</summary>
    public IEnumerable<Container> All()
    {
        if (!Directory.Exists(path))
        {
            yield break;
        }

        foreach (var name in Directory.GetDirectories(path).Select(directory => Path.GetFileName(directory)!).Order(StringComparer.Ordinal))
        {
            if (IsId(name) && TryOpen(name) is { } container)
            {
                using (container)
                {
                    yield return container;
                }
            }
        }
    }

    static void Check(string id)
    {
        if (!IsId(id))
        {
            throw new UserException($"'{id}' is not a container's id: use letters, digits, '_', '+', '-' and '.', at most {LongestId}");
        }
    }

    static bool IsId(string id) =>
        id.Length is > 0 and <= LongestId && id is not ("." or "..") && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '+' or '-' or '.');
}

/// <summary>One container's directory, open, and locked where that was asked for.</summary>
sealed class ContainerDirectory : IDisposable
{
    readonly string root;

    public ContainerDirectory(string root, string id, LockKind? locked)
    {
        this.root = root;
        Id = id;
        Path = $"{root}/{id}";
        Descriptor = Files.Open(Path, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow);
        if (locked is { } kind)
        {
            FileLock.Acquire(Descriptor, kind);
        }
    }

    public string Id { get; }

    public string Path { get; }

    public FileDescriptor Descriptor { get; }

    /// <summary>Whether somebody else holds the lock, and so changes the container just now.</summary>
    public bool IsBusy
    {
        get
        {
            using var own = Files.Open(Path, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow);
            return !FileLock.TryAcquire(own, LockKind.Shared);
        }
    }

    /// <summary>Removes the directory with all in it; nobody finds the container any more.</summary>
    public void Remove()
    {
        using var parent = Files.Open(root, OpenFlags.ReadOnly | OpenFlags.Directory);
        Directories.RemoveTree(parent, Id);
    }

    public void Dispose() => Descriptor.Dispose();
}
