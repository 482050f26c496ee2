namespace Nacelle.Linux;

/// <summary>Where Nacelle's other executables are.</summary>
public static class InstalledPrograms
{
    /// <summary>The path of an executable that lies beside the running one, or in <c>lib/nacelle</c> next to its directory.</summary>
    /// <exception cref="KernelException">ENOENT: it is in neither place.</exception>
    public static string Find(string name)
    {
        var own = Path.GetDirectoryName(Files.ReadLink(FileDescriptor.WorkingDirectory, "/proc/self/exe"))!;
        var lib = $"{Path.GetDirectoryName(own)}/lib/nacelle";
        return Files.Exists(FileDescriptor.WorkingDirectory, $"{own}/{name}") ? $"{own}/{name}"
            : Files.Exists(FileDescriptor.WorkingDirectory, $"{lib}/{name}") ? $"{lib}/{name}"
            : throw new KernelException($"find {name} in {own} or {lib}", Errno.ENOENT);
    }
}
