namespace Nacelle.Linux;

/// <summary>The MS_* flags of mount(2).</summary>
[Flags]
public enum MountFlags : uint
{
    None = 0,
    ReadOnly = 1,
    NoSetUserId = 2,
    NoDevices = 4,
    NoExecute = 8,
    Remount = 32,
    NoSymlinkFollow = 256,
    NoAccessTime = 1024,
    Bind = 4096,
    Move = 8192,
    Recursive = 0x4000,
    Private = 1 << 18,
    Slave = 1 << 19,
    Shared = 1 << 20,
    RelativeAccessTime = 1 << 21,
}

/// <summary>The MOUNT_ATTR_* flags of a mount, as fsmount(2) and mount_setattr(2) take them.</summary>
[Flags]
public enum MountAttributes : ulong
{
    None = 0,
    ReadOnly = 0x1,
    NoSetUserId = 0x2,
    NoDevices = 0x4,
    NoExecute = 0x8,
    AccessTimeMask = 0x70,
    NoAccessTime = 0x10,
    StrictAccessTime = 0x20,
    NoDirectoryAccessTime = 0x80,
    IdMap = 0x100000,
    NoSymlinkFollow = 0x200000,
}

/// <summary>How mounts below a mount propagate to and from its peers. See mount_namespaces(7).</summary>
public enum MountPropagation : ulong
{
    Unchanged = 0,
    Unbindable = 1 << 17,
    Private = 1 << 18,
    Slave = 1 << 19,
    Shared = 1 << 20,
}
