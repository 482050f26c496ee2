namespace Nacelle.Linux;

/// <summary>How a file is opened; x86-64 numbers. See open(2). O_CLOEXEC is always added.</summary>
[Flags]
public enum OpenFlags
{
    ReadOnly = 0,
    WriteOnly = 1,
    ReadWrite = 2,
    Create = 0x40,
    Exclusive = 0x80,
    NoControllingTerminal = 0x100,
    Truncate = 0x200,
    Append = 0x400,
    NonBlocking = 0x800,
    Directory = 0x10000,
    NoFollow = 0x20000,
    CloseOnExec = 0x80000,

    /// <summary>O_PATH: names a file without opening it.</summary>
    Path = 0x200000,

    /// <summary>O_TMPFILE: a file without a name in the given directory.</summary>
    Unnamed = 0x400000 | Directory,
}

/// <summary>How far a path may lead; openat2(2), Linux 5.6.</summary>
[Flags]
public enum ResolveFlags : ulong
{
    None = 0,
    NoCrossMount = 0x01,
    NoMagicLinks = 0x02,
    NoSymlinks = 0x04,

    /// <summary>A path that leads out of the directory fails with EXDEV.</summary>
    Beneath = 0x08,

    /// <summary>The directory is treated as the root: absolute links and ".." stay inside.</summary>
    InRoot = 0x10,
}
