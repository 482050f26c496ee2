namespace Nacelle.Linux;

/// <summary>Making names, with the failure as a value: who makes thousands expects that some are taken (EEXIST).</summary>
public static unsafe partial class Files
{
    /// <summary>As <see cref="MakeNode"/>.</summary>
    public static Errno TryMakeNode(FileDescriptor at, string name, uint mode, DeviceNumber device) =>
        mknodat(at, name, mode, device.Encoded) == 0 ? Errno.None : Call.LastError;

    /// <summary>As <see cref="MakeSymlink"/>.</summary>
    public static Errno TryMakeSymlink(string target, FileDescriptor at, string name) => symlinkat(target, at, name) == 0 ? Errno.None : Call.LastError;

    /// <summary>As <see cref="Link"/>.</summary>
    public static Errno TryLink(FileDescriptor from, string oldName, FileDescriptor to, string newName) =>
        linkat(from, oldName, to, newName, 0) == 0 ? Errno.None : Call.LastError;

    /// <summary>As <see cref="LinkDescriptor"/>.</summary>
    public static Errno TryLinkDescriptor(FileDescriptor file, FileDescriptor to, string newName) =>
        linkat(FileDescriptor.WorkingDirectory, file.ProcPath, to, newName, AT_SYMLINK_FOLLOW) == 0 ? Errno.None : Call.LastError;
}
