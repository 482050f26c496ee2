using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Masked and read-only paths, and kernel parameters.</summary>
static class ContainerPaths
{
    public static void Add(LaunchPlan plan, PlanValue root, RuntimeConfig config, ContainerSetting setting)
    {
        var linux = config.Linux;
        if (linux is null)
        {
            return;
        }

        foreach (var (name, value) in linux.Sysctl ?? new Dictionary<string, string>())
        {
            var parameter = plan.OpenIn(root, $"proc/sys/{name.Replace('.', '/')}", OpenFlags.WriteOnly);
            plan.Call($"set {name}", SystemCall.write, parameter, plan.Text(value), value.Length);
            plan.Close(parameter);
        }

        foreach (var path in linux.ReadonlyPaths)
        {
            if (IsMissing(path))
            {
                continue;
            }

            var (target, found) = plan.TryOpenIn(root, path);
            var tree = plan.CloneMount(target, path, recursive: true);
            plan.SetAttributes(tree, path, MountAttributes.ReadOnly, recursive: true);
            plan.Attach(tree, target, path);
            found.SkipToHereOnFailure();
        }

        foreach (var path in linux.MaskedPaths)
        {
            if (!IsMissing(path))
            {
                Mask(plan, root, path, setting);
            }
        }
    }

    static void Mask(LaunchPlan plan, PlanValue root, string path, ContainerSetting setting)
    {
        var (target, found) = plan.TryOpenIn(root, path);
        if (IsDirectory(path, setting))
        {
            var cover = plan.NewFileSystem("tmpfs", path, ["nr_blocks=1", "nr_inodes=1", "mode=555"], Harmless | MountAttributes.ReadOnly, out _);
            plan.Attach(cover, target, path);
        }
        else
        {
            // CVE-2025-31133: the node must be the real null device. It lies in the /dev that this very plan made, before anything of the image ran.
            var device = plan.OpenIn(root, "dev/null", resolve: ResolveFlags.InRoot | ResolveFlags.NoSymlinks);
            var cover = plan.CloneMount(device, "/dev/null", recursive: false);
            plan.Attach(cover, target, path);
            plan.Close(device);
        }

        found.SkipToHereOnFailure();
    }

    const MountAttributes Harmless = MountAttributes.NoSetUserId | MountAttributes.NoDevices | MountAttributes.NoExecute;

    /// <summary>Every /proc and /sys of one kernel has the same files, so what is missing here is missing there.</summary>
    static bool IsMissing(string path) => IsKernelFile(path) && Files.TryStatus(FileDescriptor.WorkingDirectory, path, out _) is null;

    static bool IsDirectory(string path, ContainerSetting setting)
    {
        if (IsKernelFile(path))
        {
            return Files.TryStatus(FileDescriptor.WorkingDirectory, path, out _) is { Kind: FileKind.Directory };
        }

        using var inside = Files.TryOpen(
            setting.Root, path.TrimStart('/'), OpenFlags.Path, out _, resolve: ResolveFlags.InRoot | ResolveFlags.NoMagicLinks);
        return inside is not null && Files.Status(inside).Kind == FileKind.Directory;
    }

    static bool IsKernelFile(string path) =>
        path.StartsWith("/proc/", StringComparison.Ordinal) || path.StartsWith("/sys/", StringComparison.Ordinal);
}
