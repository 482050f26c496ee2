using Nacelle.Linux;

namespace Nacelle.Supervisor;

/// <summary>Brings what apps mount from the host into stage1's rootfs, which is all that the pod's PID 1 and its apps will see.</summary>
/// <param name="name">Of the directory that sources are brought to, below <c>rkt/volumes</c>; "" for those of the pod's first apps.</param>
sealed class PodMounts(string name) : IDisposable
{
    /// <summary>Stands for the host's /sys in an adapted config.json.</summary>
    public const string HostSys = "/sys";

    const string Rootfs = "stage1/rootfs";

    static readonly string[] Devices = ["null", "zero", "full", "random", "urandom", "tty"];

    readonly Dictionary<string, string> insideBySource = new(StringComparer.Ordinal);
    readonly List<(FileDescriptor Mount, string Inside)> waiting = [];

    /// <summary>Below stage1's rootfs.</summary>
    public static string VolumesOf(string app) => $"rkt/volumes/{app}".TrimEnd('/');

    /// <summary>For a pod in a user namespace: the devices that it cannot make, and the host's /sys where it cannot mount one.</summary>
    public void AddDevices(Stage1Options options)
    {
        foreach (var device in options.IsInUserNamespace ? Devices : [])
        {
            Add($"/dev/{device}", $"dev/{device}", recursive: false, isDirectory: false);
        }
    }

    /// <summary>As <see cref="AddDevices"/>, without mounting anything: it has been.</summary>
    public void KnowSys(Stage1Options options, bool add)
    {
        if (options is { IsInUserNamespace: true, HostNetwork: true })
        {
            insideBySource[HostSys] = "/sys";
            if (add)
            {
                Add(HostSys, "sys", recursive: true, isDirectory: true);
            }
        }
    }

    /// <summary>Where the pod finds a bind mount's source, which is copied, to be attached inside, the first time it is asked for.</summary>
    public string SourceInside(string source)
    {
        if (insideBySource.TryGetValue(source, out var known))
        {
            return known;
        }

        var own = $"{Environment.CurrentDirectory}/{Rootfs}/";
        var inside = source.StartsWith(own, StringComparison.Ordinal) ? source[(own.Length - 1)..] : BringIn(source);
        insideBySource.Add(source, inside);
        return inside;
    }

    string BringIn(string source)
    {
        Files.EnsureDirectory(FileDescriptor.WorkingDirectory, $"{Rootfs}/rkt/volumes");
        Files.EnsureDirectory(FileDescriptor.WorkingDirectory, $"{Rootfs}/{VolumesOf(name)}");
        var inside = $"{VolumesOf(name)}/{insideBySource.Count}";
        using var opened = Files.Open(source, OpenFlags.Path);
        Add(source, inside, recursive: true, Files.Status(opened).Kind == FileKind.Directory);
        return $"/{inside}";
    }

    void Add(string source, string inside, bool recursive, bool isDirectory)
    {
        var path = $"{Rootfs}/{inside}";
        if (isDirectory)
        {
            Files.EnsureDirectory(FileDescriptor.WorkingDirectory, path);
        }
        else if (!Files.Exists(FileDescriptor.WorkingDirectory, path))
        {
            Files.WriteAll(FileDescriptor.WorkingDirectory, path, "");
        }

        Add(Mounts.Clone(FileDescriptor.WorkingDirectory, source, recursive), inside);
    }

    /// <param name="mount">Attached nowhere; becomes this object's.</param>
    /// <param name="inside">Where it goes, below stage1's rootfs.</param>
    public void Add(FileDescriptor mount, string inside) => waiting.Add((mount, inside));

    /// <summary>Attaches what was brought along.</summary>
    /// <param name="root">Stage1's rootfs, as this thread sees it.</param>
    public void Attach(string root = Rootfs)
    {
        foreach (var (mount, inside) in waiting)
        {
            using (mount)
            using (var target = Files.Open($"{root}/{inside}", OpenFlags.Path))
            {
                Mounts.Move(mount, target);
            }
        }

        waiting.Clear();
    }

    public void Dispose() => waiting.ForEach(one => one.Mount.Dispose());
}
