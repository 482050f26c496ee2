namespace Nacelle.Linux;

/// <summary>What an overlay is mounted for.</summary>
public enum OverlayUse
{
    /// <summary>A pod's run, once.</summary>
    Run,

    /// <summary>Looking at what a run has left, or preparing one: as often as need be.</summary>
    Visit,
}

/// <summary>Mounting overlayfs from directories that are given by descriptor.</summary>
/// <remarks>
/// Options of mount(2) fit a page, and hundreds of layers with long names do not. So the names are numbers: descriptors, seen from /proc/self/fd.
/// The changes need not outlive a crash of the machine, as no pod does: "volatile" (Linux 5.10) spares syncing the whole file system at the end.
/// </remarks>
public static class Overlay
{
    /// <summary>In a user namespace overlayfs keeps what it has to remember in attributes of another name (Linux 5.11), and neither redirects nor refers then.</summary>
    static readonly string Plain = UserNamespaces.IsInitial ? "redirect_dir=off,metacopy=off" : "userxattr";

    // The layers are on file systems of their own, which would show in the device numbers of files (xino).
    const string Verified = "redirect_dir=on,metacopy=on,verity=require,xino=on";

    static readonly Lazy<bool> verifies = new(() => Mounts.Takes("overlay", "verity=require") && !Mounts.Takes("overlay", "nacelle=no-option"));

    /// <summary>Whether overlayfs can hold content against digests: Linux 6.6, and the right to mount.</summary>
    /// <remarks>Kernels that read options one by one (6.5) refuse at once what they do not know; older ones say so only when they mount.</remarks>
    public static bool CanVerify => verifies.Value;

    /// <summary>Mounts layers as one tree that can be written to, where the changes go to <paramref name="changes"/>.</summary>
    /// <param name="layersTopFirst">Never written to. At least one, at most 500.</param>
    /// <param name="changes">A directory that holds the directories upper and work (see <see cref="WorkName"/>).</param>
    /// <param name="target">Where to mount.</param>
    /// <remarks>
    /// Renamed directories and changed attributes are copied up whole (redirect_dir=off, metacopy=off): upper directories become layers, and what others
    /// have put into layers shall not redirect anything. The working directory is changed for a moment.
    /// </remarks>
    /// <exception cref="KernelException">EINVAL: a directory lies on a file system that overlayfs cannot use; ENODEV: the kernel has no overlayfs.</exception>
    public static void Mount(IReadOnlyList<FileDescriptor> layersTopFirst, FileDescriptor changes, FileDescriptor target, OverlayUse use = OverlayUse.Run)
    {
        var directories = Lower(layersTopFirst) + Upper(changes, WorkName(use));
        if (use == OverlayUse.Visit)
        {
            Mount($"{directories},{Plain}", target);
            return;
        }

        try
        {
            Mount($"{directories},{Plain},volatile", target);
        }
        catch (KernelException failure) when (failure.Errno == Errno.EINVAL)
        {
            Mount($"{directories},{Plain}", target);
        }
    }

    /// <summary>Mounts directories as one tree that nobody can write to.</summary>
    /// <param name="topFirst">At least two.</param>
    public static void MountReadOnly(IReadOnlyList<FileDescriptor> topFirst, FileDescriptor target) =>
        Mount($"{Lower(topFirst)},{Plain}", target, MountFlags.ReadOnly);

    /// <summary>As <see cref="Mount(IReadOnlyList{FileDescriptor}, FileDescriptor, FileDescriptor, OverlayUse)"/>, with layers that have no content themselves, but say where it lies and what its fs-verity digest is.</summary>
    /// <param name="content">
    /// Where the content lies: a file's attribute trusted.overlay.redirect is an absolute path below, and trusted.overlay.metacopy has the digest. What is not so cannot be opened (EIO).
    /// </param>
    /// <param name="changes">
    /// Of files whose attributes change only those, of directories that are renamed only a reference goes there: upper is of no use by itself. Null: the mount cannot be written to.
    /// </param>
    public static void MountVerified(
        IReadOnlyList<FileDescriptor> layersTopFirst, FileDescriptor content, FileDescriptor? changes, FileDescriptor target, OverlayUse use = OverlayUse.Run)
    {
        var upper = changes is null ? "" : Upper(changes, WorkName(use)) + (use == OverlayUse.Run ? ",volatile" : "");
        Mount($"{Lower(layersTopFirst)}::{content.Number}{upper},{Verified}", target);
    }

    /// <summary>Has a plan do as <see cref="Mount(IReadOnlyList{FileDescriptor}, FileDescriptor, FileDescriptor, OverlayUse)"/>, in whatever mount namespace its process is by then, as a visit.</summary>
    public static void AddTo(LaunchPlan plan, IReadOnlyList<FileDescriptor> layersTopFirst, FileDescriptor changes, string target)
    {
        foreach (var descriptor in layersTopFirst.Append(changes))
        {
            // Opened anew, under the same number: overlayfs takes no directory of another mount namespace (EINVAL).
            var path = Files.ReadLink(FileDescriptor.WorkingDirectory, descriptor.ProcPath);
            var again = plan.CallForResult($"open {path}", SystemCall.openat, -100, plan.Text(path), (long)(OpenFlags.Path | OpenFlags.Directory | OpenFlags.CloseOnExec));
            plan.Call($"keep {path}", SystemCall.dup3, again, plan.Descriptor(descriptor), (long)OpenFlags.CloseOnExec);
        }

        plan.Call("enter /proc/self/fd", SystemCall.chdir, plan.Text("/proc/self/fd"));
        plan.Call(
            $"mount overlay on {target}", SystemCall.mount, plan.Text("overlay"), plan.Text(target), plan.Text("overlay"), 0,
            plan.Text($"{Lower(layersTopFirst)}{Upper(changes, WorkName(OverlayUse.Visit))},{Plain}"));
    }

    /// <summary>The directory within the changes that overlayfs works in. That of a mount that was "volatile" serves no second one.</summary>
    public static string WorkName(OverlayUse use) => use == OverlayUse.Run ? "work" : "work-again";

    static void Mount(string options, FileDescriptor target, MountFlags flags = MountFlags.None)
    {
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = "/proc/self/fd";
        try
        {
            Mounts.Mount("overlay", "overlay", target, flags, options);
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    static string Lower(IReadOnlyList<FileDescriptor> layersTopFirst) => $"lowerdir={string.Join(':', layersTopFirst.Select(layer => layer.Number))}";

    static string Upper(FileDescriptor changes, string work) => $",upperdir={changes.Number}/upper,workdir={changes.Number}/{work}";
}
