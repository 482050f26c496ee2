using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Pods;

/// <summary>A volume as an app sees it.</summary>
/// <param name="Volume">Its name.</param>
/// <param name="Path">In the app's root file system.</param>
/// <param name="HostPath">Where it lies on the host; of an empty volume, in the pod's directory.</param>
public sealed record AppMount(string Volume, string Path, string HostPath, bool ReadOnly);

/// <summary>An app's volumes: which go where, and the directories of those that live with the pod.</summary>
public static class AppVolumes
{
    /// <param name="pod">The pod directory's path.</param>
    public static IEnumerable<AppMount> Describe(PodManifest manifest, PodApp app, string pod) =>
        app.App is { } run ? Of(manifest, app, run).Select(mount => new AppMount($"{mount.Volume.Name}", mount.Path, SourceOf(mount.Volume, pod), mount.ReadOnly)) : [];

    /// <summary>Every mount of the app with its volume: the app's own mounts first, then the image's mount points that a volume of the same name fills.</summary>
    static IEnumerable<(PodVolume Volume, string Path, bool ReadOnly)> Of(PodManifest manifest, PodApp app, App run)
    {
        foreach (var mount in app.Mounts)
        {
            var volume = manifest.Volumes.FirstOrDefault(one => one.Name == mount.Volume)
                ?? throw new SpecException($"apps[{app.Name}].mounts", $"the pod has no volume '{mount.Volume}'");
            var point = run.MountPoints.FirstOrDefault(one => one.Path == mount.Path);
            yield return (volume, mount.Path, volume.ReadOnly == true || point?.ReadOnly == true);
        }

        foreach (var point in run.MountPoints)
        {
            if (!app.Mounts.Any(mount => mount.Path == point.Path) && manifest.Volumes.FirstOrDefault(one => one.Name == point.Name) is { } volume)
            {
                yield return (volume, point.Path, volume.ReadOnly == true || point.ReadOnly);
            }
        }
    }

    /// <summary>Shorter paths come first, so that one volume can lie within another.</summary>
    public static IEnumerable<RuntimeMount> MountsOf(PodManifest manifest, PodApp app, App run, string pod) =>
        Of(manifest, app, run).OrderBy(mount => mount.Path.Length).Select(mount => new RuntimeMount
        {
            Destination = mount.Path,
            Type = "bind",
            Source = SourceOf(mount.Volume, pod),
            Options = [mount.Volume.Recursive == false || mount.Volume.Kind == "empty" ? "bind" : "rbind", mount.ReadOnly ? "rro" : "rw", "rprivate"],
        });

    public static string SourceOf(PodVolume volume, string pod) => volume.Kind == "host" ? volume.Source! : $"{pod}/sharedVolumes/{volume.Name}";

    /// <summary>Gives every mount point that no volume fills an empty volume of its own, as rkt does.</summary>
    /// <returns>The manifest with those volumes, and their names for a warning.</returns>
    public static (PodManifest Manifest, IReadOnlyList<AppName> Implicit) AddImplicit(PodManifest manifest)
    {
        var added = new List<PodVolume>();
        foreach (var app in manifest.Apps)
        {
            foreach (var point in app.App?.MountPoints ?? [])
            {
                if (!app.Mounts.Any(mount => mount.Path == point.Path) && !manifest.Volumes.Concat(added).Any(volume => volume.Name == point.Name))
                {
                    added.Add(new PodVolume { Name = point.Name, Kind = "empty" });
                }
            }
        }

        return (added.Count == 0 ? manifest : manifest with { Volumes = [.. manifest.Volumes, .. added] }, [.. added.Select(volume => volume.Name)]);
    }

    /// <summary>Makes the directories of the empty volumes, and sees that those of the host are there.</summary>
    /// <param name="shift">The first user id of the pod's user namespace.</param>
    public static void CreateEmpty(PodManifest manifest, FileDescriptor pod, uint shift)
    {
        foreach (var volume in manifest.Volumes)
        {
            if (volume.Kind == "host")
            {
                _ = Files.TryStatus(FileDescriptor.WorkingDirectory, volume.Source!, out var error)
                    ?? throw new KernelException($"volume {volume.Name}: open {volume.Source}", error);
                continue;
            }

            Files.EnsureDirectory(pod, "sharedVolumes");
            var path = $"sharedVolumes/{volume.Name}";
            Files.MakeDirectory(pod, path);
            Files.SetMode(pod, path, ParseMode(volume));
            Files.SetOwner(pod, path, shift + (volume.Uid ?? 0), shift + (volume.Gid ?? 0));
        }
    }

    static uint ParseMode(PodVolume volume)
    {
        uint mode = 0;
        foreach (char digit in volume.Mode ?? "0755")
        {
            mode = digit is >= '0' and <= '7' && mode < 0x200
                ? (mode * 8) + (uint)(digit - '0')
                : throw new SpecException($"volumes[{volume.Name}].mode", $"'{volume.Mode}' is no mode: use up to four octal digits, as in 0755");
        }

        return mode;
    }
}
