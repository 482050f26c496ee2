namespace Nacelle.Linux;

/// <summary>A point in time as the kernel has it: seconds since 1970 in UTC, and nanoseconds from 0 to 999,999,999. See timespec(3type).</summary>
public readonly record struct Timestamp(long Seconds, long Nanoseconds)
{
    /// <summary>For what sets times: the moment when it is set. See utimensat(2), UTIME_NOW.</summary>
    public static readonly Timestamp Now = new(0, 0x3fffffff);

    public DateTimeOffset ToDateTimeOffset() => DateTimeOffset.FromUnixTimeSeconds(Seconds).AddTicks(Nanoseconds / 100);
}

/// <summary>A device's two numbers. See makedev(3).</summary>
public readonly record struct DeviceNumber(uint Major, uint Minor)
{
    /// <summary>As mknod(2) takes it.</summary>
    public ulong Encoded => ((ulong)(Major & 0xfffff000) << 32) | ((ulong)(Major & 0xfff) << 8) | ((ulong)(Minor & 0xffffff00) << 12) | (Minor & 0xff);

    public override string ToString() => $"{Major}:{Minor}";
}

/// <summary>The kinds of file, as the upper bits of a mode. See inode(7).</summary>
public enum FileKind : uint
{
    Pipe = 0x1000,
    CharacterDevice = 0x2000,
    Directory = 0x4000,
    BlockDevice = 0x6000,
    Regular = 0x8000,
    Symlink = 0xA000,
    Socket = 0xC000,
}

/// <summary>What statx(2) says of a file.</summary>
public readonly record struct FileStatus
{
    /// <summary>Kind and permission bits together.</summary>
    public uint Mode { get; init; }

    public FileKind Kind => (FileKind)(Mode & 0xF000);

    /// <summary>Permission bits with set-user-ID, set-group-ID and sticky: 0 to 7777 octal.</summary>
    public uint Permissions => Mode & 0xFFF;

    public uint Links { get; init; }

    public uint Owner { get; init; }

    public uint Group { get; init; }

    public ulong Inode { get; init; }

    /// <summary>In bytes.</summary>
    public long Size { get; init; }

    /// <summary>Room taken on the disk, in units of 512 bytes.</summary>
    public long Blocks { get; init; }

    public Timestamp AccessTime { get; init; }

    public Timestamp ModificationTime { get; init; }

    public Timestamp ChangeTime { get; init; }

    /// <summary>For device nodes: the device it stands for.</summary>
    public DeviceNumber DeviceNumber { get; init; }

    /// <summary>The device of the file system the file lies on.</summary>
    public DeviceNumber FileSystem { get; init; }

    public ulong MountId { get; init; }
}
