using Nacelle.Linux;

namespace Nacelle.Flavors;

/// <summary>Inside the pod, before an app: gives its root the kernel's file systems, a /dev, and the ways to the journal and to systemd.</summary>
/// <remarks>rkt's prepare-app. Paths are resolved within the app's root: the image may have links there.</remarks>
static class SystemdPrepareApp
{
    const ResolveFlags Inside = ResolveFlags.InRoot | ResolveFlags.NoMagicLinks;

    static readonly string[] Devices = ["null", "zero", "full", "random", "urandom", "tty", "console", "net/tun"];

    static readonly (string Name, string Target)[] Links =
        [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"), ("core", "/proc/kcore"), ("ptmx", "pts/ptmx")];

    public static int Run(string app)
    {
        using var root = Files.Open($"/opt/stage2/{app}/rootfs", OpenFlags.Path | OpenFlags.Directory);
        Bind("/proc", root, "proc", isDirectory: true, recursive: true);
        Bind("/sys", root, "sys", isDirectory: true, recursive: true);
        using (var target = OpenTarget(root, "dev", isDirectory: true))
        {
            Mounts.Mount("tmpfs", "dev", target, MountFlags.NoSetUserId | MountFlags.NoExecute, "mode=755,size=65536k");
        }

        foreach (var device in Devices.Where(device => Files.Exists(FileDescriptor.WorkingDirectory, $"/dev/{device}")))
        {
            Bind($"/dev/{device}", root, $"dev/{device}", isDirectory: false);
        }

        foreach (var directory in (ReadOnlySpan<string>)["pts", "shm", "mqueue"])
        {
            if (Files.Exists(FileDescriptor.WorkingDirectory, $"/dev/{directory}"))
            {
                Bind($"/dev/{directory}", root, $"dev/{directory}", isDirectory: true);
            }
        }

        using (var dev = Files.Open(root, "dev", OpenFlags.Path | OpenFlags.Directory, resolve: Inside))
        {
            foreach (var (name, target) in Links)
            {
                Files.MakeSymlink(target, dev, name);
            }
        }

        Bind("/run/systemd/journal", root, "run/systemd/journal", isDirectory: true);
        Bind("/run/systemd/notify", root, "run/systemd/notify", isDirectory: false);
        using (var dev = Files.Open(root, "dev", OpenFlags.Path | OpenFlags.Directory, resolve: Inside))
        {
            Files.MakeSymlink("/run/systemd/journal/dev-log", dev, "log");
        }

        return 0;
    }

    static void Bind(string source, FileDescriptor root, string path, bool isDirectory, bool recursive = false)
    {
        using var mount = Mounts.Clone(FileDescriptor.WorkingDirectory, source, recursive);
        using var target = OpenTarget(root, path, isDirectory);
        Mounts.Move(mount, target);
    }

    static FileDescriptor OpenTarget(FileDescriptor root, string path, bool isDirectory)
    {
        int slash = path.LastIndexOf('/');
        var opened = Files.TryOpen(root, path, OpenFlags.Path, out _, resolve: Inside);
        if (opened is not null)
        {
            return opened;
        }

        using var parent = slash < 0 ? root.Duplicate() : OpenTarget(root, path[..slash], isDirectory: true);
        if (isDirectory)
        {
            Files.EnsureDirectory(parent, path[(slash + 1)..]);
        }
        else
        {
            Files.WriteAll(parent, path[(slash + 1)..], "");
        }

        return Files.Open(root, path, OpenFlags.Path, resolve: Inside);
    }
}
