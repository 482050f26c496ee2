using System.Text;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>The mounts of one RUN, ready to be a pod's volumes. Disposing takes them away.</summary>
sealed class RunMounts(BuildSession session, int stageIndex) : IDisposable
{
    readonly List<IDisposable> held = [];
    readonly List<string> mounted = [];

    public List<PodVolume> Volumes { get; } = [];

    public List<PodMount> Mounts { get; } = [];

    /// <summary>Variables with secrets, and with the places of agents.</summary>
    public List<string> Environment { get; } = [];

    public void Add(MountFlag mount, CancellationToken cancellation)
    {
        switch (mount.Type)
        {
            case "secret":
                AddSecret(mount);
                break;
            case "ssh":
                AddAgent(mount);
                break;
            case "cache":
                Add(OpenCache(mount, cancellation), mount.Target, mount.ReadOnly);
                break;
            case "tmpfs":
                Add(Hold(session.Work.MakeDirectory(), 0x3FF), mount.Target, readOnly: false);
                break;
            default:
                AddBind(mount, cancellation);
                break;
        }
    }

    /// <summary>A file of the build's own, as heredocs that are programs need one.</summary>
    public void AddFile(string content, string target, uint mode)
    {
        var directory = Hold(session.Work.MakeDirectory(), 0x1ED);
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
        if (!session.Options.Secrets.TryGetValue(mount.Id, out var secret))
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

        var directory = Hold(session.Work.MakeDirectory(), 0x1ED);
        Linux.Mounts.Mount("tmpfs", "secrets", directory, MountFlags.NoSetUserId | MountFlags.NoDevices | MountFlags.NoExecute, "mode=755");
        mounted.Add(PathOf(directory));
        using var secrets = Files.Open(PathOf(directory), OpenFlags.ReadOnly | OpenFlags.Directory);
        Files.WriteAll(secrets, "secret", content, 0x180);
        Files.SetOwner(secrets, "secret", mount.User, mount.Group);
        Files.SetMode(secrets, "secret", mount.Mode);
        AddPath($"{PathOf(directory)}/secret", mount.Target, readOnly: true);
    }

    void AddAgent(MountFlag mount)
    {
        if (!session.Options.Agents.TryGetValue(mount.Id, out var agent))
        {
            if (mount.Required)
            {
                throw new BuildException($"the ssh agent '{mount.Id}' is required: give it with --ssh={mount.Id}");
            }

            return;
        }

        var directory = Hold(session.Work.MakeDirectory(), 0x1ED);
        held.Add(new AgentRelay(directory, agent, mount));
        Environment.Add($"SSH_AUTH_SOCK={mount.Target}");
        AddPath($"{PathOf(directory)}/{AgentRelay.Name}", mount.Target, readOnly: true);
    }

    /// <summary>A cache that begins with what a stage or image has is another for other content.</summary>
    FileDescriptor OpenCache(MountFlag mount, CancellationToken cancellation)
    {
        var stage = mount.From is null ? null : session.StageOf(mount.From, stageIndex);
        void Fill(FileDescriptor made)
        {
            if (stage is not null)
            {
                var tree = session.TreeOf(stage, mount.From!);
                new TreeCopy(tree, made, new CopyRules(null, null, IgnorePatterns.None), cancellation).Copy(tree.Find(SourceOf(mount)).Single(), "/", intoDirectory: true);
            }
        }

        var id = stage is null ? mount.Id : string.Join(' ', [mount.Id, SourceOf(mount), .. stage.DiffIds]);
        var directory = session.Work.OpenCacheMount(id, mount.Mode, mount.User, mount.Group, Fill);
        held.Add(directory);
        if (mount.Sharing == "locked")
        {
            FileLock.Acquire(directory, LockKind.Exclusive);
        }
        else if (mount.Sharing == "private" && !FileLock.TryAcquire(directory, LockKind.Exclusive))
        {
            return Hold(session.Work.MakeDirectory(), mount.Mode);
        }

        return directory;
    }

    void AddBind(MountFlag mount, CancellationToken cancellation)
    {
        var tree = mount.From is null ? session.Context : session.TreeOf(session.StageOf(mount.From, stageIndex), mount.From);
        var source = SourceOf(mount);
        using var opened = Files.TryOpen(tree.Root, source, OpenFlags.Path, out _, resolve: SourceTree.Inside)
            ?? throw new BuildException($"'{mount.Source}' is not in {tree.Description}");

        // What a command may write to, and what it may see only in part, is a copy.
        if (tree.Ignore.IsEmpty && mount.ReadOnly)
        {
            AddPath(PathOf(opened), mount.Target, readOnly: true);
            return;
        }

        var copy = Hold(session.Work.MakeDirectory(), 0x1ED);
        var item = tree.Find(source).Single();
        new TreeCopy(tree, copy, new CopyRules(null, null, IgnorePatterns.None), cancellation).Copy(item, "/copy", intoDirectory: false);
        AddPath($"{PathOf(copy)}/copy", mount.Target, mount.ReadOnly);
    }

    static string SourceOf(MountFlag mount) => mount.Source.Trim('/') is { Length: > 0 } path ? path : ".";

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
