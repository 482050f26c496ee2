using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Supervisor;

/// <summary>Brings what apps mount from the host into stage1's rootfs, which is all that the pod's PID 1 and its apps will see.</summary>
/// <remarks>The mounts live in this process's private mount namespace; the pod's namespace starts as a copy of it.</remarks>
static class Stage1Mounts
{
    /// <summary>Stands for the host's /sys in an adapted config.json.</summary>
    public const string HostSys = "/sys";

    const string Rootfs = "stage1/rootfs";

    static readonly string[] Devices = ["null", "zero", "full", "random", "urandom", "tty"];
    static readonly Dictionary<string, string> insideBySource = new(StringComparer.Ordinal);

    /// <summary>For a pod with a user namespace: the devices that it cannot make, and the host's /sys where it cannot mount one.</summary>
    public static void Prepare(Stage1Options options)
    {
        if (options.PrivateUsers is null)
        {
            return;
        }

        foreach (var device in Devices)
        {
            Bind($"/dev/{device}", $"dev/{device}", recursive: false, isDirectory: false);
        }

        if (options.HostNetwork)
        {
            Bind(HostSys, "sys", recursive: true, isDirectory: true);
            insideBySource[HostSys] = "/sys";
        }
    }

    /// <summary>Where the pod finds a bind mount's source, which is brought inside the first time it is asked for.</summary>
    public static string SourceInside(string source)
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

    static string BringIn(string source)
    {
        Files.EnsureDirectory(FileDescriptor.WorkingDirectory, $"{Rootfs}/rkt/volumes");
        var inside = $"rkt/volumes/{insideBySource.Count}";
        using var opened = Files.Open(source, OpenFlags.Path);
        Bind(source, inside, recursive: true, Files.Status(opened).Kind == FileKind.Directory);
        return $"/{inside}";
    }

    static void Bind(string source, string inside, bool recursive, bool isDirectory)
    {
        var path = $"{Rootfs}/{inside}";
        if (isDirectory)
        {
            Files.EnsureDirectory(FileDescriptor.WorkingDirectory, path);
        }
        else
        {
            Files.WriteAll(FileDescriptor.WorkingDirectory, path, "");
        }

        using var mount = Mounts.Clone(FileDescriptor.WorkingDirectory, source, recursive);
        using var target = Files.Open(path, OpenFlags.Path);
        Mounts.Move(mount, target);
    }
}
