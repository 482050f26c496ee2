namespace Nacelle.Linux;

/// <summary>This program's own executable for processes in a container, so that nobody can write to it through their /proc/PID/exe.</summary>
/// <remarks>
/// CVE-2019-5736: a container that makes its runtime execute /proc/self/exe, or that opens the /proc/PID/exe of one of its processes, has the file that root on
/// the host runs next. Here that file is seen through a copy of its mount that is read-only and, once the exec has closed its descriptor, belongs to no mount
/// namespace, so that nothing can change its attributes any more.
/// </remarks>
public static class SealedExecutable
{
    const string Own = "/proc/self/exe";

    /// <summary>The file through a read-only mount, or, where making one is not allowed, a sealed copy in memory; it is closed by the exec.</summary>
    public static FileDescriptor Open()
    {
        try
        {
            var mount = Mounts.Clone(FileDescriptor.WorkingDirectory, Own, recursive: false);
            Mounts.SetAttributes(mount, MountAttributes.ReadOnly);
            return mount;
        }
        catch (KernelException problem) when (problem.Errno is Errno.EPERM or Errno.ENOSYS)
        {
            return SealedMemory.TryMake("nacelle", Files.ReadAll(FileDescriptor.WorkingDirectory, Own)) ?? throw new KernelException("seal the executable in memory, which vm.memfd_noexec forbids", Errno.EACCES);
        }
    }
}
