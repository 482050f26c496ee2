using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Containers;

/// <summary>Masked and read-only paths.</summary>
/// <remarks>OCI runtime specification 1.3.0, config-linux.md, "Masked Paths" and "Readonly Paths".</remarks>
static class ContainerPaths
{
    const string EmptyDirectory = "d", EmptyFile = "f";

    /// <summary>What covers masked paths: an empty directory and an empty file in a tmpfs of our own that nobody can write to.</summary>
    /// <remarks>
    /// CVE-2025-31133: nothing is covered with the container's /dev/null, which may be something else. The mount has to be attached somewhere outside the
    /// container's root to be cloned from (open_tree(2), before Linux 6.15).
    /// </remarks>
    /// <returns>The cell of the mount; null when nothing is masked.</returns>
    public static PlanValue? MakeCover(LaunchPlan plan, RuntimeLinux linux)
    {
        if (linux.MaskedPaths.Count == 0)
        {
            return null;
        }

        const MountAttributes Harmless = MountAttributes.NoSetUserId | MountAttributes.NoDevices | MountAttributes.NoExecute;
        var cover = plan.NewFileSystem("tmpfs", "masked paths", MountLabels.AddTo(["nr_blocks=1", "nr_inodes=3", "mode=755"], "tmpfs", linux.MountLabel, inUserNamespace: true), Harmless);
        plan.Call("create an empty directory", SystemCall.mkdirat, cover, plan.Text(EmptyDirectory), 0x16D);
        plan.Call("create an empty file", SystemCall.mknodat, cover, plan.Text(EmptyFile), (uint)FileKind.Regular | 0x124);
        plan.SetAttributes(cover, "masked paths", MountAttributes.ReadOnly);
        return cover;
    }

    public static void Add(LaunchPlan plan, PlanValue root, RuntimeLinux linux, PlanValue? cover)
    {
        foreach (var path in linux.ReadonlyPaths)
        {
            if (KindOf(path) == Kind.Missing)
            {
                continue;
            }

            var (target, found) = plan.TryOpenIn(root, path);
            var tree = plan.CloneMount(target, path, recursive: true);
            plan.SetAttributes(tree, path, MountAttributes.ReadOnly, recursive: true);
            plan.Attach(tree, target, path);
            found.SkipToHereOnFailure();
        }

        if (cover is { } from)
        {
            foreach (var path in linux.MaskedPaths)
            {
                if (KindOf(path) is not Kind.Missing and var kind)
                {
                    Mask(plan, root, path, kind, from);
                }
            }

            plan.Close(from);
        }
    }

    static void Mask(LaunchPlan plan, PlanValue root, string path, Kind kind, PlanValue cover)
    {
        var (target, found) = plan.TryOpenIn(root, path);
        var directory = kind == Kind.File ? default(LaunchPlan.Step?) : Cover(plan, cover, EmptyDirectory, target, path);
        if (kind != Kind.Directory)
        {
            directory?.Tolerate(Errno.ENOTDIR, Errno.EINVAL); // which of both depends on the kernel
            Cover(plan, cover, EmptyFile, target, path);
            directory?.SkipToHereOnSuccess();
        }

        plan.Close(target);
        found.SkipToHereOnFailure();
    }

    static LaunchPlan.Step Cover(LaunchPlan plan, PlanValue cover, string with, PlanValue target, string path)
    {
        var piece = plan.CloneMount(cover, path, recursive: false, with);
        return plan.Call(
            $"mount on {path}", SystemCall.move_mount, piece, plan.Text(""), target, plan.Text(""),
            Mounts.MOVE_MOUNT_F_EMPTY_PATH | Mounts.MOVE_MOUNT_T_EMPTY_PATH);
    }

    enum Kind
    {
        Missing,
        File,
        Directory,

        /// <summary>Only the container knows.</summary>
        Unknown,
    }

    /// <summary>Every /proc and /sys of one kernel has the same files, so what is missing here is missing there.</summary>
    static Kind KindOf(string path) =>
        !path.StartsWith("/proc/", StringComparison.Ordinal) && !path.StartsWith("/sys/", StringComparison.Ordinal) ? Kind.Unknown
        : Files.TryStatus(FileDescriptor.WorkingDirectory, path, out _) switch
        {
            null => Kind.Missing,
            { Kind: FileKind.Directory } => Kind.Directory,
            _ => Kind.File,
        };
}
