using System.Text;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>The mounts of one RUN, ready to be a pod's volumes. Disposing takes them away.</summary>
sealed class RunMounts(BuildWork work, BuildOptions options, Func<string, SourceTree> treeOf, SourceTree context) : IDisposable
{
    readonly List<IDisposable> held = [];
    readonly List<string> mounted = [];

    public List<PodVolume> Volumes { get; } = [];

    public List<PodMount> Mounts { get; } = [];

    /// <summary>Variables with secrets.</summary>
    public List<string> Environment { get; } = [];

    public void Add(MountFlag mount, CancellationToken cancellation)
    {
        switch (mount.Type)
        {
            case "secret":
                AddSecret(mount);
                break;
            case "cache":
                Add(OpenCache(mount), mount.Target, mount.ReadOnly);
                break;
            case "tmpfs":
                Add(Hold(work.MakeDirectory(), 0x3FF), mount.Target, readOnly: false);
                break;
            default:
                AddBind(mount, cancellation);
                break;
        }
    }

    /// <summary>A file of the build's own, as heredocs that are programs need one.</summary>
    public void AddFile(string content, string target, uint mode)
    {
        var directory = Hold(work.MakeDirectory(), 0x1ED);
        Files.WriteAll(directory, "file", content);
        Files.SetMode(directory, "file", mode);
        AddPath($"{PathOf(directory)}/file", target, readOnly: true);
    }

    public void Dispose()
    {
        mounted.ForEach(path => Linux.Mounts.TryDetach(path));
        held.ForEach(one => one.Dispose());
    }

    /// <summary>On a tmpfs in this process's own mount namespace: never on a disk, and gone with the build however it ends.</summary>
    void AddSecret(MountFlag mount)
    {
        if (!options.Secrets.TryGetValue(mount.Id, out var secret))
        {
            if (mount.Required)
            {
                throw new BuildException($"the secret '{mount.Id}' is required: give it with --secret=id={mount.Id},src=FILE");
            }

            return;
        }

        var content = secret.Read();
        if (mount.Variable is { } variable)
        {
            Environment.Add($"{variable}={Encoding.UTF8.GetString(content)}");
        }

        if (mount.Target.Length == 0)
        {
            return;
        }

        var directory = Hold(work.MakeDirectory(), 0x1ED);
        Linux.Mounts.Mount("tmpfs", "secrets", directory, MountFlags.NoSetUserId | MountFlags.NoDevices | MountFlags.NoExecute, "mode=755");
        mounted.Add(PathOf(directory));
        using var secrets = Files.Open(PathOf(directory), OpenFlags.ReadOnly | OpenFlags.Directory);
        Files.WriteAll(secrets, "secret", content, 0x180);
        Files.SetOwner(secrets, "secret", mount.User, mount.Group);
        Files.SetMode(secrets, "secret", mount.Mode);
        AddPath($"{PathOf(directory)}/secret", mount.Target, readOnly: true);
    }

    FileDescriptor OpenCache(MountFlag mount)
    {
        if (mount.From is not null)
        {
            throw new BuildException("--mount=type=cache,from=…: a cache begins empty here");
        }

        var directory = work.OpenCacheMount(mount.Id, mount.Mode, mount.User, mount.Group);
        held.Add(directory);
        if (mount.Sharing == "locked")
        {
            FileLock.Acquire(directory, LockKind.Exclusive);
        }
        else if (mount.Sharing == "private" && !FileLock.TryAcquire(directory, LockKind.Exclusive))
        {
            return Hold(work.MakeDirectory(), mount.Mode);
        }

        return directory;
    }

    void AddBind(MountFlag mount, CancellationToken cancellation)
    {
        var tree = mount.From is null ? context : treeOf(mount.From);
        var source = mount.Source.Trim('/') is { Length: > 0 } path ? path : ".";
        using var opened = Files.TryOpen(tree.Root, source, OpenFlags.Path, out _, resolve: SourceTree.Inside)
            ?? throw new BuildException($"'{mount.Source}' is not in {tree.Description}");

        // What a command may write to, and what it may see only in part, is a copy.
        if (tree.Ignore.IsEmpty && mount.ReadOnly)
        {
            AddPath(PathOf(opened), mount.Target, readOnly: true);
            return;
        }

        var copy = Hold(work.MakeDirectory(), 0x1ED);
        var item = tree.Find(source).Single();
        new TreeCopy(tree, copy, new CopyRules(null, null, IgnorePatterns.None), cancellation).Copy(item, "/copy", intoDirectory: false);
        AddPath($"{PathOf(copy)}/copy", mount.Target, mount.ReadOnly);
    }

    FileDescriptor Hold(FileDescriptor directory, uint mode)
    {
        held.Add(directory);
        Files.SetMode(directory, mode);
        return directory;
    }

    void Add(FileDescriptor directory, string target, bool readOnly) => AddPath(PathOf(directory), target, readOnly);

    void AddPath(string path, string target, bool readOnly)
    {
        var name = AppName.Parse($"mount-{Volumes.Count}", "mount");
        Volumes.Add(new PodVolume { Name = name, Kind = "host", Source = path, ReadOnly = readOnly });
        Mounts.Add(new PodMount { Volume = name, Path = target });
    }

    static string PathOf(FileDescriptor opened) => Files.ReadLink(FileDescriptor.WorkingDirectory, opened.ProcPath);
}
