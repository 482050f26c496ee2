using System.Text;

namespace Nacelle.Linux;

/// <summary>Settings of the kernel below /proc/sys; those of net are of the calling thread's network namespace. See sysctl(8) and ip-sysctl of the kernel's documentation.</summary>
public static class KernelSetting
{
    /// <param name="name">With slashes, as in <c>net/ipv4/ip_forward</c>: names of devices hold dots.</param>
    /// <returns>Null where there is no such setting.</returns>
    public static string? Read(string name) => Files.TryReadText(FileDescriptor.WorkingDirectory, Path(name))?.TrimEnd('\n');

    /// <exception cref="KernelException">ENOENT: there is no such setting; EINVAL: it takes no such value; EACCES, EROFS: not for us.</exception>
    public static void Write(string name, string value) => Files.WriteExisting(FileDescriptor.WorkingDirectory, Path(name), value);

    /// <returns>False where there is no such setting, as on a kernel without IPv6.</returns>
    public static bool TryWrite(string name, string value)
    {
        using var file = Files.TryOpen(FileDescriptor.WorkingDirectory, Path(name), OpenFlags.WriteOnly, out var error);
        if (file is null)
        {
            return error == Errno.ENOENT ? false : throw new KernelException($"open {Path(name)}", error);
        }

        Files.Write(file, Encoding.UTF8.GetBytes(value));
        return true;
    }

    static string Path(string name) => $"/proc/sys/{name}";
}
