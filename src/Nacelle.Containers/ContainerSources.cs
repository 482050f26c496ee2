using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Mounts that the maker of a container makes with its own rights, attached nowhere yet: the rootfs, bind mounts, what shows owners through a map.</summary>
/// <remarks>
/// A process in a user namespace need not be able to walk to them, and may not map owners. The descriptors are inherited by the process and attached there;
/// disposing closes the maker's.
/// </remarks>
public sealed class ContainerSources : IDisposable
{
    readonly FileDescriptor?[] mounts;

    ContainerSources(FileDescriptor root, int count)
    {
        Root = root;
        mounts = new FileDescriptor?[count];
    }

    public FileDescriptor Root { get; }

    /// <summary>The mount of that index in config.json, or null when the plan makes it.</summary>
    public FileDescriptor? this[int index] => mounts[index];

    /// <param name="bundle">Where relative sources start.</param>
    /// <param name="mapping">The container's user namespace, for mounts that ask for its map; null when it has none of its own.</param>
    /// <returns>Null where this process has not the right to make mounts: then the plan does it, in the container's own user namespace.</returns>
    /// <exception cref="KernelException">ENOENT: a source is missing.</exception>
    public static ContainerSources? TryMake(RuntimeConfig config, string rootPath, FileDescriptor root, string bundle, Func<FileDescriptor>? mapping)
    {
        var propagation = ContainerRoot.Propagation(config.Linux?.RootfsPropagation);
        FileDescriptor tree;
        try
        {
            tree = Mounts.Clone(FileDescriptor.WorkingDirectory, rootPath, recursive: true);
        }
        catch (KernelException problem) when (problem.Errno == Errno.EPERM)
        {
            return null;
        }

        var sources = new ContainerSources(tree, config.Mounts.Count);
        try
        {
            Separate(tree, propagation);
            for (int i = 0; i < config.Mounts.Count; i++)
            {
                sources.mounts[i] = Make(config, i, root, bundle, propagation, mapping);
            }

            return sources;
        }
        catch
        {
            sources.Dispose();
            throw;
        }
    }

    static FileDescriptor? Make(
        RuntimeConfig config, int index, FileDescriptor root, string bundle, MountPropagation propagation, Func<FileDescriptor>? mapping)
    {
        var (mount, path) = (config.Mounts[index], $"mounts[{index}]");
        var options = MountOptions.Parse(mount.Options, mount.Type);
        if (options.CopiesUp)
        {
            return TemporaryCopy.Make(mount, options, config.Linux?.MountLabel, root);
        }

        if (!options.IsBind)
        {
            return options.IsIdMapped || mount.UidMappings.Count > 0 ? throw new SpecException(path, "only bind mounts can be shown through a map of owners") : null;
        }

        if (options.IsRemount)
        {
            return null;
        }

        var source = Path.Combine(bundle, mount.Source ?? throw new SpecException(path, "the bind mount has no source"));
        var tree = Mounts.Clone(FileDescriptor.WorkingDirectory, source, options.IsRecursiveBind);
        try
        {
            Separate(tree, propagation);
            MapOwners(tree, mount, options, path, mapping);
            return tree;
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    static void MapOwners(FileDescriptor tree, RuntimeMount mount, MountOptions options, string path, Func<FileDescriptor>? mapping)
    {
        if (mount.UidMappings.Count > 0)
        {
            using var map = UserNamespaces.Create(IdRanges.Of(mount.UidMappings), IdRanges.Of(mount.GidMappings));
            Mounts.SetAttributes(tree, MountAttributes.IdMap, recursive: options.IsIdMappedRecursively, userNamespace: map);
        }
        else if (options.IsIdMapped)
        {
            using var map = (mapping ?? throw new SpecException(path, "idmap needs mappings of the mount's own, or a user namespace"))();
            Mounts.SetAttributes(tree, MountAttributes.IdMap, recursive: options.IsIdMappedRecursively, userNamespace: map);
        }
    }

    /// <summary>What happens in the container shall not reach the host, unless the container's root is shared on purpose.</summary>
    static void Separate(FileDescriptor tree, MountPropagation propagation)
    {
        if (propagation != MountPropagation.Shared)
        {
            Mounts.SetAttributes(tree, 0, recursive: true, propagation: MountPropagation.Slave);
        }
    }

    public void Dispose()
    {
        Root.Dispose();
        foreach (var mount in mounts)
        {
            mount?.Dispose();
        }
    }
}
