namespace Nacelle.Linux;

/// <summary>Where executables are: Nacelle's other ones, and those of others.</summary>
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

    /// <summary>The first executable file of that name in the directories of <c>$PATH</c> that are absolute.</summary>
    public static string? TryFindInPath(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Where(directory => directory.StartsWith('/'))
        .Select(directory => $"{directory}/{name}")
        .FirstOrDefault(IsExecutable);

    static bool IsExecutable(string path)
    {
        using var file = Files.TryOpen(FileDescriptor.WorkingDirectory, path, OpenFlags.Path, out _);
        return file is not null && Files.Status(file) is { Kind: FileKind.Regular } status && (status.Permissions & AnyExecute) != 0;
    }

    const uint AnyExecute = 0x49; // 0111
}
