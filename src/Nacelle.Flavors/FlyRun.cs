using Nacelle.Containers;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Flavors;

/// <summary>The flavor <c>fly</c>: one app in a chroot with the host's /dev, /proc and /sys, without isolation; this process becomes the app.</summary>
/// <remarks>rkt's stage1-fly. What an app is to have and cannot have here is refused by name.</remarks>
static class FlyRun
{
    static readonly string[] KernelFiles = ["/dev", "/proc", "/sys"];

    public static int Run(Stage1Options options)
    {
        var manifest = PodDirectory.ReadManifest();
        Refuse(options, manifest);
        var app = manifest.Apps[0].Name.ToString();
        var config = PodDirectory.ReadBundle(app);
        var root = $"{PodDirectory.Bundle(app)}/rootfs";
        using var target = Files.Open(root, OpenFlags.Path | OpenFlags.Directory);
        MountTemporary(target);
        if (config.Process?.OomScoreAdj is { } score)
        {
            Files.WriteExisting(FileDescriptor.WorkingDirectory, "/proc/self/oom_score_adj", $"{score}");
        }

        using var outside = OpenOutside();
        List<ChrootMount> mounts = [.. KernelFiles.Select(path => new ChrootMount(path, path, Recursive: true, ReadOnly: false)), .. Volumes(manifest, config)];
        var plan = ChrootPlan.Build(config, root, mounts, outside);
        if (options.Debug)
        {
            Messages.Error($"app {app}, step by step:\n  {string.Join("\n  ", plan.Describe())}");
        }

        PodDirectory.WriteProcessId(Environment.ProcessId);
        throw Processes.Execute(plan);
    }

    static void Refuse(Stage1Options options, PodManifest manifest)
    {
        var app = manifest.Apps.Count == 1 ? manifest.Apps[0] : throw new FlavorException($"the stage1 fly runs one app, and the pod has {manifest.Apps.Count}");
        var problem = !options.HostNetwork ? "apps are in the host's network: use --net=host, or none of --net"
            : options.Hostname is { } name && name != Environment.MachineName ? "apps keep the host's name: leave --hostname out"
            : options.PrivateUsers is not null ? "there are no user namespaces: leave --private-users out"
            : FlavorDemands.OnPod(manifest) is { } ofPod ? $"there is nothing that could enforce {ofPod} for the pod as a whole"
            : FlavorDemands.OnSupervisor(app) is { } demand ? $"nobody supervises the app: {demand} cannot be had"
            : app.App?.Isolators.FirstOrDefault(one => one.Name is not ("os/linux/no-new-privileges" or "os/linux/oom-score-adj")) is { } isolator
                ? $"there is nothing that could enforce {isolator.Name}, which the app asks for"
            : null;
        if (problem is not null)
        {
            throw new FlavorException($"the stage1 fly does not isolate: {problem}");
        }
    }

    /// <summary>As rkt: not recursive unless it is said, and mounts below reach the host.</summary>
    static IEnumerable<ChrootMount> Volumes(PodManifest manifest, RuntimeConfig config)
    {
        var shared = $"{Environment.CurrentDirectory}/stage1/rootfs/rkt/";
        foreach (var mount in config.Mounts)
        {
            if (mount is { Type: "bind", Source: { } source } && !source.StartsWith(shared, StringComparison.Ordinal))
            {
                bool recursive = manifest.Volumes.Any(volume => volume.Source == source && volume.Recursive == true);
                yield return new ChrootMount(source, mount.Destination, recursive, mount.Options.Contains("rro"));
            }
        }
    }

    static void MountTemporary(FileDescriptor root)
    {
        using var existing = Files.TryOpen(root, "tmp", OpenFlags.Path | OpenFlags.Directory | OpenFlags.NoFollow, out var error, resolve: ResolveFlags.Beneath | ResolveFlags.NoSymlinks);
        if (existing is null && error != Errno.ENOENT)
        {
            return; // a link to somewhere else: the image knows better
        }

        Files.EnsureDirectory(root, "tmp");
        using var target = Files.Open(root, "tmp", OpenFlags.Path | OpenFlags.Directory);
        Mounts.Mount("tmpfs", "tmpfs", target, MountFlags.NoSetUserId | MountFlags.NoDevices, "mode=1777");
    }

    /// <summary>The host's mount namespace, which stage0 hands over.</summary>
    static FileDescriptor? OpenOutside() =>
        int.TryParse(Environment.GetEnvironmentVariable("NACELLE_MOUNTS_FD"), out int number) ? new FileDescriptor(number, "the host's mount namespace") { Inherited = false } : null;
}
