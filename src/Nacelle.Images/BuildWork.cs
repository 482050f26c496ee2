using Nacelle.Linux;

namespace Nacelle.Images;

/// <summary>
/// The directory of a build under way, <c>builds/work-…</c>: held by flock as long as the build lives, and gone with it. What a killed build has left is
/// removed by the next one, or when the store is collected; its mounts were in a namespace of its own and are gone already.
/// </summary>
public sealed class BuildWork : IDisposable
{
    const string Prefix = "work-", Mounts = "mounts";

    readonly FileDescriptor builds;
    readonly string name;
    int count;

    BuildWork(FileDescriptor builds, string name, FileDescriptor directory) => (this.builds, this.name, Directory) = (builds, name, directory);

    /// <summary>Its path, for what is mounted.</summary>
    public string Path => Files.ReadLink(FileDescriptor.WorkingDirectory, Directory.ProcPath);

    public FileDescriptor Directory { get; }

    public static BuildWork Create(ImageStore store)
    {
        Files.EnsureDirectory(store.Data, "builds", 0x1C0);
        var builds = Files.Open(store.Data, "builds", OpenFlags.ReadOnly | OpenFlags.Directory);
        Sweep(builds);
        while (true)
        {
            var name = Prefix + LayerStore.RandomName();
            Files.MakeDirectory(builds, name, 0x1C0);
            var directory = Files.TryOpen(builds, name, LayerStore.DirectoryFlags, out _);
            if (directory is not null && FileLock.TryAcquire(directory, LockKind.Exclusive) && Names(builds, name, directory))
            {
                return new BuildWork(builds, name, directory);
            }

            directory?.Dispose(); // a sweep took it for a dead build's
        }
    }

    /// <summary>A new, empty directory in it; the caller owns the descriptor.</summary>
    public FileDescriptor MakeDirectory() => MakeDirectory(out _);

    FileDescriptor MakeDirectory(out string number)
    {
        number = $"{count++}";
        Files.MakeDirectory(Directory, number, 0x1C0);
        return Files.Open(Directory, number, LayerStore.DirectoryFlags);
    }

    /// <summary>A directory that outlives builds: what commands put there, the next find again. The caller owns the descriptor.</summary>
    /// <param name="fill">Puts in what it begins with.</param>
    public FileDescriptor OpenCacheMount(string id, uint mode, uint user, uint group, Action<FileDescriptor> fill)
    {
        Files.EnsureDirectory(builds, Mounts, 0x1C0);
        var path = $"{Mounts}/{ImageStore.FileNameOf(id)}";
        if (!Files.Exists(builds, path))
        {
            using var made = MakeDirectory(out var number);
            fill(made);
            Files.SetOwner(made, "", user, group);
            Files.SetMode(made, mode);

            // Whole or not at all; EEXIST where another build was first.
            if (Files.TryRename(Directory, number, builds, path, RenameFlags.NoReplace) is not (Errno.None or Errno.EEXIST) and var error)
            {
                throw new KernelException($"rename {path}", error);
            }
        }

        var directory = Files.Open(builds, path, LayerStore.DirectoryFlags);

        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Files.SetTimes(directory, "", new Timestamp(now, 0), new Timestamp(now, 0));
        return directory;
    }

    public void Dispose()
    {
        Directories.RemoveTree(builds, name);
        Directory.Dispose();
        builds.Dispose();
    }

    /// <summary>Removes what dead builds have left, and cache mounts that nobody has used for so long. Nobody builds meanwhile.</summary>
    internal static void Collect(FileDescriptor data, TimeSpan age)
    {
        using var builds = Files.TryOpen(data, "builds", OpenFlags.ReadOnly | OpenFlags.Directory, out _);
        if (builds is null)
        {
            return;
        }

        Sweep(builds);
        foreach (var (name, _) in Directories.ListOrEmpty(builds, Mounts))
        {
            if (Files.TryStatus(builds, $"{Mounts}/{name}", out _) is { } status && DateTimeOffset.UtcNow - status.ModificationTime.ToDateTimeOffset() >= age)
            {
                Directories.RemoveTree(builds, $"{Mounts}/{name}");
            }
        }
    }

    static void Sweep(FileDescriptor builds)
    {
        foreach (var (name, _) in Directories.List(builds))
        {
            using var directory = name.StartsWith(Prefix, StringComparison.Ordinal) ? Files.TryOpen(builds, name, LayerStore.DirectoryFlags, out _) : null;
            if (directory is not null && FileLock.TryAcquire(directory, LockKind.Exclusive) && Names(builds, name, directory))
            {
                Directories.RemoveTree(builds, name);
            }
        }
    }

    static bool Names(FileDescriptor builds, string name, FileDescriptor directory) =>
        Files.TryStatus(builds, name, out _) is { } found && found.Inode == Files.Status(directory).Inode;
}
