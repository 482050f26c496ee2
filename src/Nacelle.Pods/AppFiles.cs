using System.Text;
using Nacelle.Linux;

namespace Nacelle.Pods;

/// <summary>The files that tell an app where it is: host name, hosts, name servers. Written into its root file system before it starts.</summary>
/// <remarks>The image's own content stands, as rkt has it: only what is missing or empty is written. All paths are resolved inside the root.</remarks>
static class AppFiles
{
    /// <param name="owner">Who owns new files; the host's id for the app's root.</param>
    public static void Write(FileDescriptor rootfs, string hostname, bool hostNetwork, uint owner)
    {
        using var etc = OpenEtc(rootfs, owner);
        if (etc is null)
        {
            return;
        }

        Put(rootfs, "etc/hostname", hostname + "\n", owner, replace: true);
        if (hostNetwork)
        {
            Copy(rootfs, "/etc/resolv.conf", owner);
            Copy(rootfs, "/etc/hosts", owner);
        }

        Put(rootfs, "etc/hosts", $"127.0.0.1\tlocalhost {hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n", owner);
        if (Files.TryStatus(etc, "mtab", out _) is null)
        {
            Files.MakeSymlink("../proc/mounts", etc, "mtab");
            Files.SetOwner(etc, "mtab", owner, owner);
        }
    }

    const ResolveFlags Inside = ResolveFlags.InRoot | ResolveFlags.NoMagicLinks;

    static FileDescriptor? OpenEtc(FileDescriptor rootfs, uint owner)
    {
        if (Files.TryStatus(rootfs, "etc", out _) is null)
        {
            Files.MakeDirectory(rootfs, "etc");
            Files.SetOwner(rootfs, "etc", owner, owner);
        }

        return Files.TryOpen(rootfs, "etc", OpenFlags.ReadOnly | OpenFlags.Directory, out _, resolve: Inside);
    }

    static void Copy(FileDescriptor rootfs, string path, uint owner)
    {
        if (Files.TryReadText(FileDescriptor.WorkingDirectory, path) is { } content)
        {
            Put(rootfs, path[1..], content, owner);
        }
    }

    static void Put(FileDescriptor rootfs, string path, string content, uint owner, bool replace = false)
    {
        var file = Files.TryOpen(rootfs, path, OpenFlags.ReadWrite | OpenFlags.NonBlocking | OpenFlags.NoControllingTerminal, out var error, resolve: Inside);
        if (file is null && error == Errno.ENOENT)
        {
            file = Files.TryOpen(rootfs, path, OpenFlags.ReadWrite | OpenFlags.Create, out _, 0x1A4, Inside);
            if (file is not null)
            {
                Files.SetOwner(file, "", owner, owner);
            }
        }

        using (file)
        {
            // A symlink into nowhere, a directory, a read-only place: the image wants none of it.
            if (file is not null && Files.Status(file) is { Kind: FileKind.Regular } status && (replace || status.Size == 0))
            {
                Files.SetLength(file, 0);
                Files.Write(file, Encoding.UTF8.GetBytes(content));
            }
        }
    }
}
