namespace Nacelle.Linux;

/// <summary>Where executables are: Nacelle's other ones, and those of others.</summary>
public static class InstalledPrograms
{
    /// <summary>The path of a file that lies beside the running executable, or in <c>lib/nacelle</c> next to its directory.</summary>
    /// <exception cref="KernelException">ENOENT: it is in neither place.</exception>
    public static string Find(string name) => TryFind(name) ?? throw new KernelException($"find {name} in {string.Join(" or ", Places())}", Errno.ENOENT);

    /// <inheritdoc cref="Find"/>
    /// <returns>Null when it is in neither place.</returns>
    public static string? TryFind(string name) =>
        Places().Select(directory => $"{directory}/{name}").FirstOrDefault(path => Files.Exists(FileDescriptor.WorkingDirectory, path));

    static string[] Places()
    {
        var own = Path.GetDirectoryName(Files.ReadLink(FileDescriptor.WorkingDirectory, "/proc/self/exe"))!;
        return [own, $"{Path.GetDirectoryName(own)}/lib/nacelle"];
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
