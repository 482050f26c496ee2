namespace Nacelle.Linux;

/// <summary>Mounting overlayfs from directories that are given by descriptor.</summary>
public static class Overlay
{
    /// <summary>Mounts layers as one tree that can be written to, where the changes go to <paramref name="changes"/>.</summary>
    /// <param name="layersTopFirst">Never written to. At least one, at most 500.</param>
    /// <param name="changes">A directory that holds the (empty) directories upper and work.</param>
    /// <param name="target">Where to mount.</param>
    /// <remarks>
    /// Options of mount(2) fit a page, and hundreds of layers with long names do not. So the names are numbers: descriptors, seen from /proc/self/fd.
    /// The changes need not outlive a crash of the machine, as no pod does: "volatile" (Linux 5.10) spares syncing the whole file system at the end.
    /// Renamed directories and changed attributes are copied up whole (redirect_dir=off, metacopy=off): upper directories become layers, and what others
    /// have put into layers shall not redirect anything. The working directory is changed for a moment.
    /// </remarks>
    /// <exception cref="KernelException">EINVAL: a directory lies on a file system that overlayfs cannot use; ENODEV: the kernel has no overlayfs.</exception>
    public static void Mount(IReadOnlyList<FileDescriptor> layersTopFirst, FileDescriptor changes, FileDescriptor target)
    {
        var options = Options(layersTopFirst, changes, "work");
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = "/proc/self/fd";
        try
        {
            try
            {
                Mounts.Mount("overlay", "overlay", target, MountFlags.None, options + ",volatile");
            }
            catch (KernelException failure) when (failure.Errno == Errno.EINVAL)
            {
                Mounts.Mount("overlay", "overlay", target, MountFlags.None, options);
            }
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    /// <summary>Mounts directories as one tree that nobody can write to.</summary>
    /// <param name="topFirst">At least two.</param>
    /// <inheritdoc cref="Mount"/>
    public static void MountReadOnly(IReadOnlyList<FileDescriptor> topFirst, FileDescriptor target)
    {
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = "/proc/self/fd";
        try
        {
            Mounts.Mount("overlay", "overlay", target, MountFlags.ReadOnly, $"lowerdir={string.Join(':', topFirst.Select(directory => directory.Number))},redirect_dir=off,metacopy=off");
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    /// <summary>Has a plan do the same, in whatever mount namespace its process is by then; the changes' working directory is another one, <c>work-again</c>.</summary>
    /// <remarks>The working directory of a mount that was "volatile" and did not end in good order serves no second one.</remarks>
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
            plan.Text(Options(layersTopFirst, changes, "work-again")));
    }

    static string Options(IReadOnlyList<FileDescriptor> layersTopFirst, FileDescriptor changes, string work) =>
        $"lowerdir={string.Join(':', layersTopFirst.Select(layer => layer.Number))},upperdir={changes.Number}/upper,workdir={changes.Number}/{work},redirect_dir=off,metacopy=off";
}
