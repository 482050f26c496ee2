using Nacelle.Linux;

namespace Nacelle.Network;

/// <summary>The files that a pod's directory holds of its networks. A reader sees them whole or not at all; a crash of the machine itself takes the networks too.</summary>
static class PodFiles
{
    /// <summary>For root's eyes: configurations may hold secrets.</summary>
    const uint Private = 0x180;

    public static void Write(FileDescriptor directory, string name, byte[] content, uint mode = Private)
    {
        string temporary = $".{name}";
        Files.WriteAll(directory, temporary, content, mode);
        Files.Rename(directory, temporary, directory, name);
    }

    /// <returns>Null where there is none.</returns>
    public static byte[]? TryRead(FileDescriptor directory, string path)
    {
        using var file = Files.TryOpen(directory, path, OpenFlags.ReadOnly, out var error);
        return file is not null ? Files.ReadToEnd(file) : error is Errno.ENOENT or Errno.ENOTDIR ? null : throw new KernelException($"open {directory}/{path}", error);
    }
}
