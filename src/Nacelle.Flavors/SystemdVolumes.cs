using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>An app's volumes as systemd-nspawn mounts them, before systemd starts.</summary>
static class SystemdVolumes
{
    const ResolveFlags Inside = ResolveFlags.InRoot | ResolveFlags.NoMagicLinks;

    /// <summary>Bind mounts of the app's config.json, but for those that belong to the pod's own /dev.</summary>
    public static IEnumerable<string> Binds(string app, RuntimeConfig config)
    {
        var own = $"{Environment.CurrentDirectory}/stage1/rootfs/rkt/";
        using var root = Files.Open($"{PodDirectory.Bundle(app)}/rootfs", OpenFlags.Path | OpenFlags.Directory);
        foreach (var mount in config.Mounts)
        {
            if (mount is { Type: "bind", Source: { } source } && !source.StartsWith(own, StringComparison.Ordinal))
            {
                using var opened = Files.Open(source, OpenFlags.Path);
                var target = MakeTarget(root, mount.Destination, Files.Status(opened).Kind == FileKind.Directory);
                bool recursive = mount.Options.Contains("rbind");
                yield return $"--bind{(mount.Options.Contains("rro") ? "-ro" : "")}={Escape(source)}:{Escape($"/opt/stage2/{app}/rootfs{target}")}:{(recursive ? "rbind" : "norbind")}";
            }
        }
    }

    /// <summary>Makes what is missing of a path in the app's root, and says where it leads there: systemd-nspawn would follow links from its own root.</summary>
    static string MakeTarget(FileDescriptor root, string path, bool isDirectory)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 1; i <= parts.Length; i++)
        {
            using var existing = Files.TryOpen(root, string.Join('/', parts[..i]), OpenFlags.Path, out _, resolve: Inside);
            if (existing is not null)
            {
                continue;
            }

            using var parent = Files.Open(root, i == 1 ? "." : string.Join('/', parts[..(i - 1)]), OpenFlags.Path | OpenFlags.Directory, resolve: Inside);
            if (i < parts.Length || isDirectory)
            {
                Files.MakeDirectory(parent, parts[i - 1]);
            }
            else
            {
                Files.WriteAll(parent, parts[i - 1], "");
            }
        }

        using var target = Files.Open(root, string.Join('/', parts) is { Length: > 0 } relative ? relative : ".", OpenFlags.Path, resolve: Inside);
        var real = Files.ReadLink(FileDescriptor.WorkingDirectory, target.ProcPath);
        var prefix = Files.ReadLink(FileDescriptor.WorkingDirectory, root.ProcPath);
        return real.StartsWith(prefix, StringComparison.Ordinal) ? real[prefix.Length..] : throw new FlavorException($"the mount on {path} leads out of the app's root");
    }

    static string Escape(string path) => path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);
}
