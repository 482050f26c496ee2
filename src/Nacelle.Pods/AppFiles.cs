using System.Text;
using Nacelle.Linux;

namespace Nacelle.Pods;

/// <summary>The files that tell an app where it is: host name, hosts, name servers.</summary>
/// <remarks>
/// The image's own content stands, as rkt has it: only what is missing or empty is written. They are put where the app's changes will be, before the
/// overlay is mounted: written through it, each would be copied up first, which takes longer than all the rest of mounting.
/// </remarks>
/// <param name="Image">Tells what the image has at a path; symlinks are not followed.</param>
/// <param name="Target">The overlay's upper directory, or a copied root file system.</param>
/// <param name="Shift">Added to owners: the first user id of the pod's user namespace.</param>
sealed record AppFiles(Func<string, FileStatus?> Image, FileDescriptor Target, uint Shift)
{
    public void Write(PodSettings settings)
    {
        if (Image("etc") is { Kind: not FileKind.Directory })
        {
            return; // a link to somewhere else: the image knows better
        }

        MakeEtc();
        var (hostname, names) = (settings.Hostname, settings.Names);
        Put("etc/hostname", () => hostname + "\n", replace: true);
        if (names.Resolver is { } lines)
        {
            Put("etc/resolv.conf", () => string.Join('\n', lines) + "\n", replace: true);
        }
        else if (names.ResolverOfHost || (settings.HostNetwork && !names.ResolverOfImage))
        {
            Put("etc/resolv.conf", () => OfHost("/etc/resolv.conf"), names.ResolverOfHost);
        }
        else if (settings.HasNetworks && !names.ResolverOfImage)
        {
            Put("etc/resolv.conf", () => settings.Resolver ?? HostResolver.Read(), settings.Resolver is not null);
        }

        Put(
            "etc/hosts",
            () => (names.HostsOfHost || settings.HostNetwork ? OfHost("/etc/hosts") : null) is { } text ? string.Concat([text, .. names.Hosts.Select(line => line + "\n")])
                : string.Concat([$"127.0.0.1\tlocalhost {hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n", .. names.Hosts.Select(line => line + "\n")]),
            names.HostsOfHost || names.Hosts.Count > 0);
        if (Image("etc/mtab") is null)
        {
            Files.MakeSymlink("../proc/mounts", Target, "etc/mtab");
            Files.SetOwner(Target, "etc/mtab", Shift, Shift);
        }
    }

    static string? OfHost(string path) => Files.TryReadText(FileDescriptor.WorkingDirectory, path);

    void MakeEtc()
    {
        if (Files.EnsureDirectory(Target, "etc"))
        {
            var status = Image("etc");
            Files.SetOwner(Target, "etc", Shift + (status?.Owner ?? 0), Shift + (status?.Group ?? 0));
            Files.SetMode(Target, "etc", status?.Permissions ?? 0x1ED);
        }
    }

    void Put(string path, Func<string?> content, bool replace = false)
    {
        var existing = Image(path);
        if ((existing is null || (existing is { Kind: FileKind.Regular } && (replace || existing.Value.Size == 0))) && content() is { } text)
        {
            using var file = Files.Open(Target, path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.NoFollow, 0x1A4);
            Files.Write(file, Encoding.UTF8.GetBytes(text));
            Files.SetOwner(file, "", Shift, Shift);
        }
    }
}
